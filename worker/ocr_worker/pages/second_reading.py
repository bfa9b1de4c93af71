"""What the first reader doubts a second one reads, and is believed where it is sure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import groupby

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.second_reader import NAME, SecondReader
from ocr_worker.model.option_words import SecondReading
from ocr_worker.model.page import Box, Line, Word, around, mean_confidence
from ocr_worker.pages.preprocessing import is_sparse

DOUBTED = 80.0
"""A word of less confidence is one that the first reader doubts."""
SOME_DOUBTED = 0.03
"""Of the characters: where no more are doubted, as on clean print, none is read again."""
MUCH_DOUBTED = 0.15
"""Of the characters or of the words: where more are doubted, the page is read again as a whole."""
SURE = 92.0
"""From this confidence on a second reading of words is taken."""
SURE_OF_PAGE = 75.0
LEAST_SHARE = 0.5
"""Of the first reading's characters: a second one that has fewer has overlooked something."""
MUCH_UNSEEN = 0.4
"""Of the ink of a page of few words: where more lies outside of them, as on a photo, the first reader may have overlooked some."""
MORE = 1.05
"""Times the characters of a first reading that has no doubts: a second one that has fewer was in vain."""
MOST_LINE_PX = 60_000
"""It bounds the time that a page takes."""
LEAST_HEIGHT_PX = 6
STEEP = 3
"""Height to width: what is steeper is no stretch of a level line."""

Opener = Callable[[], AbstractContextManager[SecondReader | None]]


@dataclass(frozen=True, slots=True)
class Doubts:
    """Reads what is doubted; `open` loads the second reader, for one page."""

    mode: SecondReading
    open: Opener

    def resolve(self, image: GreyImage, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        """The lines of a page with ink, some of them or all as the second reader has them."""
        least = least_characters(image, lines) if self.mode != "words" else None
        some = self.mode != "page" and doubted_share(lines) > SOME_DOUBTED
        stretches = list(doubted_stretches(lines)) if some else []
        if least is None and not stretches:
            return lines
        with self.open() as reader:
            if reader is None:
                return lines
            if least is not None and (read := _believed_page(reader, image, least)):
                return read
            return _with_words_read_again(reader, image, lines, stretches)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Doubted words that follow one another in a line."""

    line: int
    begin: int
    end: int


def least_characters(image: GreyImage, lines: tuple[Line, ...]) -> float | None:
    """How many characters a second reading of the page must have to be believed; None where the first is good enough."""
    if doubted_share(lines) > MUCH_DOUBTED:
        return LEAST_SHARE * _characters(lines)
    boxes = [word.box for line in lines for word in line.words]
    if is_sparse(lines) and image.ink.share_outside(boxes) > MUCH_UNSEEN:
        return MORE * _characters(lines)
    return None


def doubted_share(lines: Sequence[Line]) -> float:
    """Of the characters, or of the words if that is more; all where nothing was read."""
    words = [word for line in lines for word in line.words]
    if not words:
        return 1.0
    doubted = [word for word in words if _is_doubted(word)]
    characters = sum(len(word.text) for word in doubted) / _characters(lines)
    return max(characters, len(doubted) / len(words))


def doubted_stretches(lines: Sequence[Line]) -> Iterator[Stretch]:
    for number, line in enumerate(lines):
        for doubted, places in groupby(range(len(line.words)), key=lambda at: _is_doubted(line.words[at])):
            at = list(places)
            left, top, right, bottom = around(word.box for word in line.words[at[0] : at[-1] + 1])
            level = LEAST_HEIGHT_PX <= bottom - top <= STEEP * (right - left)
            if doubted and level:
                yield Stretch(number, at[0], at[-1] + 1)


def _is_doubted(word: Word) -> bool:
    return word.confidence is not None and word.confidence < DOUBTED


def _believed_page(reader: SecondReader, image: GreyImage, least: float) -> tuple[Line, ...] | None:
    read = reader.read_page(image, MOST_LINE_PX)
    sure = mean_confidence(word for line in read for word in line.words) or 0.0
    return _marked(read) if read and _characters(read) >= least and sure >= SURE_OF_PAGE else None


def _characters(lines: Iterable[Line]) -> int:
    return sum(len(word.text) for line in lines for word in line.words)


def _marked(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(
        replace(line, words=tuple(replace(word, reader=NAME) for word in line.words)) for line in lines
    )


def _with_words_read_again(
    reader: SecondReader, image: GreyImage, lines: tuple[Line, ...], stretches: Iterable[Stretch]
) -> tuple[Line, ...]:
    new = list(lines)
    # From the end of a line, as words there may become more or fewer.
    for stretch in reversed(list(stretches)):
        line = new[stretch.line]
        doubted = line.words[stretch.begin : stretch.end]
        if words := _read_again(reader, image, doubted):
            words = (*line.words[: stretch.begin], *words, *line.words[stretch.end :])
            new[stretch.line] = replace(line, words=words)
    return tuple(new)


def _read_again(reader: SecondReader, image: GreyImage, doubted: Sequence[Word]) -> tuple[Word, ...] | None:
    """The words that are to stand for them; None where the second reader is no surer."""
    if not reader.knows("".join(word.text for word in doubted)):
        return None
    words = reader.read_stretch(image, _padded(around(word.box for word in doubted), image.size))
    if (mean_confidence(words) or 0.0) < SURE or [word.text for word in words] == [
        word.text for word in doubted
    ]:
        return None
    if len(words) == len(doubted):
        # The first reader's boxes follow the ink.
        words = [replace(word, box=old.box) for word, old in zip(words, doubted, strict=True)]
    first, *others = words
    first = replace(first, space_before=doubted[0].space_before)
    return tuple(replace(word, reader=NAME) for word in (first, *others))


def _padded(box: Box, size: tuple[int, int]) -> Box:
    """With some of the paper about, as the reader was trained."""
    left, top, right, bottom = box
    pad = round(0.12 * (bottom - top)) + 2
    return (
        max(0, left - pad - 2),
        max(0, top - pad),
        min(size[0], right + pad + 2),
        min(size[1], bottom + pad),
    )
