"""Lines in several languages: each word by the network that is surer of it, chosen as Tesseract chooses, but asked more often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ocr_worker.engines.ocr.lines.crops import Pixels
from ocr_worker.engines.ocr.lines.reader import Reader
from ocr_worker.engines.ocr.lines.reading import ReadWord

SURE = 92.0
"""From this confidence on no other language is asked for a word that is in a list, or has no letters."""
CLEARLY = 1.0
"""So many points surer is a word that is taken rather than another language's; less is chance."""
BEHIND = 27.5
"""By so many points a word that a list has may be less sure than one that none has."""
LONGER = 1.5
"""And weigh so much more."""
AHEAD = 8
"""So many lines are read along at first in the language of the one before, as lines that are read together take less."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """A word, and what it counts for."""

    word: ReadWord
    is_known: bool

    @property
    def is_sure(self) -> bool:
        is_open = not self.is_known and any(map(str.isalpha, self.word.text))
        return self.word.confidence > SURE and not is_open


_Line = list[_Heard]


@dataclass(slots=True)
class Readers:
    """Of the languages of a page, each with its network; all of them see lines alike."""

    readers: tuple[Reader, ...]

    @property
    def version(self) -> str:
        return self.readers[0].version

    def knows(self, word: str) -> bool:
        """Whether it is in the word list of one of them."""
        return any(reader.knows(word) for reader in self.readers)

    def read(self, lines: Sequence[Pixels]) -> list[list[ReadWord]]:
        """The words of each line of greys (height, width), from left to right."""
        if len(self.readers) == 1:
            return self.readers[0].read(lines)
        heard = [_Hearing(reader, lines) for reader in self.readers]
        found: list[_Line] = []
        last = 0
        for number in range(len(lines)):
            line, last = _surest(heard, number, last)
            found.append(line)
        return [[one.word for one in line] for line in found]


class _Hearing:
    """What one language makes of the lines of a page, as far as it is asked."""

    def __init__(self, reader: Reader, lines: Sequence[Pixels]) -> None:
        self._reader, self._lines = reader, lines
        self._heard: dict[int, _Line] = {}
        self._ahead = AHEAD

    def next(self, number: int) -> _Line:
        """Of a line that is likely followed by others in this language."""
        if number not in self._heard:
            self._read(range(number, min(number + self._ahead, len(self._lines))))
            self._ahead *= 2
        return self._heard[number]

    def instead(self, number: int, other: _Hearing) -> _Line:
        """Of a line that the other is not sure of; those that it doubts as well are read along."""
        if number not in self._heard:
            self._read([number, *other.doubted(number)])
        return self._heard[number]

    def doubted(self, number: int) -> list[int]:
        return [after for after, line in self._heard.items() if after > number and not _is_sure(line)]

    def _read(self, numbers: Iterable[int]) -> None:
        unread = [number for number in numbers if number not in self._heard]
        read = self._reader.read([self._lines[number] for number in unread])
        for number, line in zip(unread, read, strict=True):
            self._heard[number] = [_Heard(word, self._is_known(word.text)) for word in line]

    def _is_known(self, text: str) -> bool:
        return self._reader.knows(text) and any(map(str.isalpha, text))


def _surest(heard: Sequence[_Hearing], number: int, last: int) -> tuple[_Line, int]:
    """Of a line after one in the language `last`, and the language that most of it is in: others are asked in doubt alone."""
    best, language = heard[last].next(number), last
    for other, hearing in enumerate(heard):
        if other != last and not _is_sure(best):
            best, is_other = _chosen(best, hearing.instead(number, heard[last]))
            language = other if is_other else language
    return best, language


def _is_sure(line: _Line) -> bool:
    return all(one.is_sure for one in line)


def _chosen(one: _Line, other: _Line) -> tuple[_Line, bool]:
    """The better words of two readings of a line, and whether more of them are the other's."""
    chosen: _Line = []
    gained = 0
    for left, right in _groups(one, other):
        is_other = _is_better(right, left)
        chosen += right if is_other else left
        gained += len(right) if is_other else -len(left)
    return chosen, gained > 0


def _groups(one: _Line, other: _Line) -> Iterator[tuple[_Line, _Line]]:
    """Words of both between spaces that both see."""
    a = b = begin_a = begin_b = 0
    while a < len(one) or b < len(other):
        right_a, next_a = _gap(one, a)
        right_b, next_b = _gap(other, b)
        if max(right_a, right_b) < min(next_a, next_b):
            yield one[begin_a : a + 1], other[begin_b : b + 1]
            a, b = min(a + 1, len(one)), min(b + 1, len(other))
            begin_a, begin_b = a, b
        elif (right_a < right_b and a < len(one)) or b >= len(other):
            a += 1
        else:
            b += 1
    if begin_a < len(one) or begin_b < len(other):
        yield one[begin_a:], other[begin_b:]


def _gap(line: _Line, at: int) -> tuple[float, float]:
    """Where this word ends and the next one begins."""
    right = line[at].word.end if at < len(line) else -1.0
    return right, line[at + 1].word.begin if at + 1 < len(line) else float("inf")


def _is_better(one: _Line, other: _Line) -> bool:
    """Whether these words are to be taken rather than the others."""
    if not one or not other:
        return bool(one)
    surety, before = (min(heard.word.confidence for heard in line) for line in (one, other))
    rating, rated = (sum(heard.word.rating for heard in line) for line in (one, other))
    is_known, was_known = (all(heard.is_known for heard in line) for line in (one, other))
    if is_known and not was_known:
        return surety > before - BEHIND and rating < LONGER * rated
    return surety > before + CLEARLY and rating < rated
