"""From how likely each character is in each step of a line to words: the likeliest, or where that is in doubt, what is searched for.

Weighed as Tesseract weighs (`RecodeBeamSearch`), so confidences are on its scale. It searches every line through; here
that is done with words in doubt alone, which in clean print are few.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ocr_worker.engines.ocr.lines.search import PER_STEP, UNKNOWN_WORD, Letter, Search
from ocr_worker.engines.ocr.lines.weights import Floats
from ocr_worker.engines.ocr.lines.word_list import WordList

SURE_SPACE = 0.98
LEAST_DOUBT = 0.002
"""Of how likely a step is: in less no other word is looked for."""
_LEAST = 1e-9
_POINTS = 35.0
"""Of confidence, for each unit of weight."""


_Span = tuple[int, int]
"""Of letters: the first, and the one after the last."""


@dataclass(frozen=True, slots=True)
class ReadWord:
    text: str
    begin: float
    end: float
    """In steps: half way to its neighbours."""
    confidence: float
    rating: float = 0.0
    """What its steps weigh together, the less the better; known where languages compete."""


@dataclass(frozen=True, slots=True)
class _Likeliest:
    """What a line reads as at first sight, and how likely each letter is."""

    letters: list[Letter]
    """What they weigh if they make words of the list."""
    surety: Floats

    def __len__(self) -> int:
        return len(self.letters)


@dataclass(slots=True)
class LineReader:
    """Knows what the classes stand for, and which words there are."""

    texts: tuple[str, ...]
    """Of each class; empty for what is no character."""
    blank: int
    space: int
    words: WordList | None
    rates: bool = False
    """Whether words are given their rating."""
    is_right_to_left: bool = False
    """Whether the lists spell words from right to left; the network sees all lines from left to right."""
    search: Search = field(init=False)

    def __post_init__(self) -> None:
        self.search = Search(self.texts, self.blank, self.space, self.words)

    def read(self, steps: Floats) -> list[ReadWord]:
        """The words of a line, of (steps, classes) likelihoods; words and letters from left to right."""
        return self.read_from(steps, 0.0) or []

    def read_from(self, steps: Floats, least: float) -> list[ReadWord] | None:
        """The same, if none of them has less confidence; None as soon as one has."""
        if self.is_right_to_left:
            steps = steps[::-1]
        letters = self._letters(self._likeliest(steps), steps, least)
        words = list(self._words(letters, steps)) if letters is not None else []
        if letters is None or any(word.confidence < least for word in words):
            return None
        return [_turned(word, len(steps)) for word in reversed(words)] if self.is_right_to_left else words

    def knows(self, word: str) -> bool:
        """Whether it is in the word list, with what punctuation may stand around it; its letters from left to right."""
        return self._holds(word[::-1] if self.is_right_to_left else word)

    def _holds(self, word: str) -> bool:
        return self.words is not None and self.words.holds(word)

    def likelihood(self, steps: Floats) -> float:
        """The mean of the steps that see a character: low where a line is light on dark."""
        best = steps.argmax(axis=1)
        at = np.flatnonzero(best != self.blank)
        return float(steps[at, best[at]].mean()) if len(at) else 0.0

    def _likeliest(self, steps: Floats) -> _Likeliest:
        best = steps.argmax(axis=1)
        changes = np.flatnonzero(best[1:] != best[:-1])
        firsts, lasts = np.concatenate([[0], changes + 1]), np.concatenate([changes, [len(best) - 1]])
        seen = best[firsts] != self.blank
        classes, firsts, lasts = best[firsts[seen]], firsts[seen], lasts[seen]
        surety = self._surety(classes, firsts, lasts, steps, _second(steps, best))
        weights = [math.log(max(one, _LEAST)) + PER_STEP for one in surety.tolist()]
        letters = list(map(Letter, classes.tolist(), firsts.tolist(), lasts.tolist(), weights))
        return _Likeliest(letters, surety)

    def _surety(
        self,
        classes: NDArray[np.intp],
        firsts: NDArray[np.intp],
        lasts: NDArray[np.intp],
        steps: Floats,
        second: Floats,
    ) -> Floats:
        """Of each letter the least likely step, from the letter before to its last.

        What may as well be the blank beside it or its neighbour, as long as nothing else is likelier, is no doubt.
        """
        if not len(classes):
            return np.zeros(0, np.float32)
        at = np.arange(len(steps))
        number = np.searchsorted(firsts, at, side="right")
        around, ends = np.concatenate([[self.blank], classes, [self.blank]]), np.concatenate([[-1], lasts])
        here, after = around[number], around[number + 1]
        mine = steps[at, here]
        known = steps[:, self.blank] + np.where((here != self.blank) & (mine >= second), mine, 0)
        beyond = steps[at, after]
        known += np.where((after != self.blank) & (after != here) & (beyond >= second), beyond, 0)
        known = np.where((at <= ends[number]) & (mine < second), mine, known)
        begins = np.concatenate([[0], lasts[:-1] + 1])
        # Of a space only its own steps count; those before it are the letter's.
        begins = np.where(classes == self.space, firsts, begins)
        begins[0] = 0
        # In one step at least it has to be seen itself.
        return np.minimum(np.minimum.reduceat(known, begins), np.maximum.reduceat(mine, firsts))

    def _letters(self, line: _Likeliest, steps: Floats, least: float) -> list[Letter] | None:
        """Words one by one, those together whose space is in doubt; None as soon as one has less confidence."""
        sure = (line.surety >= SURE_SPACE).tolist()
        spaces = [at for at, letter in enumerate(line.letters) if letter.character == self.space and sure[at]]
        stretches = [(begin + 1, end) for begin, end in zip([-1, *spaces], [*spaces, len(line)], strict=True)]
        read = [self._at_sight(line, begin, end, len(steps)) for begin, end in stretches]
        if any(letters and self._is_below(letters, least) for letters in read):
            return None
        # Those first that are most in doubt.
        unread = [number for number, letters in enumerate(read) if letters is None]
        for number in sorted(unread, key=lambda number: line.surety[slice(*stretches[number])].min()):
            read[number] = found = self._searched(line, *stretches[number], steps)
            if self._is_below(found, least):
                return None
        joined: list[Letter] = []
        for (begin, _), letters in zip(stretches, read, strict=True):
            if begin:
                joined.append(line.letters[begin - 1])
            joined += letters or ()
        return joined

    def _is_below(self, letters: Iterable[Letter], least: float) -> bool:
        """Whether a word that they make up has less confidence, whatever is beside them."""
        return any(
            _confidence(letter.weight) < least
            for letter in letters
            if letter.character != self.space and self.texts[letter.character]
        )

    def _around(self, line: _Likeliest, begin: int, end: int, steps: int) -> tuple[int, int]:
        """From the space before to the one after it, in steps."""
        low = line.letters[begin - 1].first if begin else 0
        return low, line.letters[end].last + 1 if end < len(line) else steps

    def _at_sight(self, line: _Likeliest, begin: int, end: int, steps: int) -> list[Letter] | None:
        """None where a word has to be searched for."""
        letters = line.letters[begin:end]
        words = self._text(letters).split(" ")
        if not letters or (self.words is not None and all(map(self.words.holds, words))):
            # Nothing is likelier, and nothing weighs less.
            return letters
        low, high = self._around(line, begin, end, steps)
        if len(words) == 1 and _is_beyond_doubt(line.surety[begin:end], high - low):
            return [letter._replace(weight=UNKNOWN_WORD * letter.weight) for letter in letters]
        return None

    def _searched(self, line: _Likeliest, begin: int, end: int, steps: Floats) -> list[Letter]:
        low, high = self._around(line, begin, end, len(steps))
        found = self.search.read(steps[low:high])
        if begin and found and found[0].character == self.space:
            del found[0]
        if end < len(line) and found and found[-1].character == self.space:
            del found[-1]
        return [letter._replace(first=low + letter.first, last=low + letter.last) for letter in found]

    def _text(self, letters: Iterable[Letter]) -> str:
        return "".join([self.texts[letter.character] for letter in letters])

    def _words(self, letters: Sequence[Letter], steps: Floats) -> Iterator[ReadWord]:
        middles = [(before.last + 1 + after.first) / 2 for before, after in pairwise(letters)]
        edges = [0.0, *middles, float(len(steps))]
        spaces = [number for number, letter in enumerate(letters) if letter.character == self.space]
        spans = list(zip([0, *(one + 1 for one in spaces)], [*spaces, len(letters)], strict=True))
        texts = [self._text(letters[begin:end]) for begin, end in spans]
        ratings = [0.0] * len(spans)
        if self.rates:
            ratios = [1.0 if self._holds(text) else UNKNOWN_WORD for text in texts]
            ratings = self._ratings(letters, spans, ratios, steps)
            letters = _with_spaces_weighed(letters, spaces, ratios)
        for (begin, end), text, rating in zip(spans, texts, ratings, strict=True):
            if text:
                worst = min([letter.weight for letter in letters[max(begin - 1, 0) : end + 1]])
                yield ReadWord(text, edges[begin], edges[end], _confidence(worst), rating)

    def _ratings(
        self, letters: Sequence[Letter], spans: Sequence[_Span], ratios: Sequence[float], steps: Floats
    ) -> list[float]:
        """Of words by what all their steps weigh: those before its first letter as much as within the word before, if that is more."""
        sums = self._sums(letters, steps)
        found = []
        for (begin, end), ratio, before in zip(spans, ratios, [0.0, *ratios], strict=False):
            low = letters[begin - 1].last + 1 if begin else 0
            high = letters[end].first if end < len(letters) else len(steps)
            first = letters[begin].first if begin < end else high
            found.append(max(ratio, before) * (sums[low] - sums[first]) + ratio * (sums[first] - sums[high]))
        return found

    def _sums(self, letters: Sequence[Letter], steps: Floats) -> list[float]:
        """Of the weights of all steps before each one, as far as words are known."""
        around = np.array([self.blank, *(letter.character for letter in letters), self.blank])
        at = np.arange(len(steps))
        begun = np.searchsorted([letter.first for letter in letters], at, side="right")
        ended = np.searchsorted([letter.last for letter in letters], at, side="left")
        # What may as well be the blank beside it or a letter next to it, as long as nothing else is likelier, is no doubt.
        before, after = steps[at, around[begun]], steps[at, around[ended + 1]]
        share = np.maximum(before, after) + steps[:, self.blank]
        weights = np.log(np.clip(share, _LEAST, 1)) + PER_STEP
        return [0.0, *np.cumsum(weights, dtype=np.float64).tolist()]


def _with_spaces_weighed(
    letters: Sequence[Letter], spaces: Sequence[int], ratios: Sequence[float]
) -> Sequence[Letter]:
    """A space that is sure weighs as a letter of the words at its sides, if one of them is unknown."""
    weighed = list(letters)
    for space, sides in zip(spaces, pairwise(ratios), strict=True):
        letter = weighed[space]
        if letter.weight >= math.log(SURE_SPACE) + PER_STEP:
            weighed[space] = letter._replace(weight=max(sides) * letter.weight)
    return weighed


def _turned(word: ReadWord, steps: int) -> ReadWord:
    """The word as it is seen from the other end of the line."""
    return replace(word, text=word.text[::-1], begin=steps - word.end, end=steps - word.begin)


def _confidence(weight: float) -> float:
    return round(max(0.0, 100 + _POINTS * weight), 1)


def _second(steps: Floats, best: NDArray[np.intp]) -> Floats:
    """How likely the second likeliest class of each step is."""
    others = steps.copy()
    others[np.arange(len(steps)), best] = -1
    second: Floats = others.max(axis=1)
    return second


def _is_beyond_doubt(surety: Floats, steps: int) -> bool:
    """Whether no word of the list could weigh less, with another letter in the worst place."""
    worst = max(float(surety.min()), _LEAST)
    gain = (UNKNOWN_WORD - 1) * (PER_STEP * steps + float(np.log(np.maximum(surety, _LEAST)).sum()))
    return (1 - worst) / worst < max(math.exp(gain), LEAST_DOUBT)
