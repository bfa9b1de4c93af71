"""From how likely each character is in each step of a line to words: the likeliest, or where that is in doubt, what makes words.

Weighed as Tesseract weighs (`RecodeBeamSearch`), so confidences are on its scale. It searches every line through; here
that is done with words in doubt alone, which in clean print are few.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ocr_worker.engines.ocr.lines.search import Path, paths
from ocr_worker.engines.ocr.lines.weights import Floats
from ocr_worker.engines.ocr.lines.word_list import WordList

PER_STEP = -0.085
"""Added to the logarithm of how likely each step is."""
UNKNOWN_WORD = 2.25
"""By so much that weighs more in a word that no list has; all weights are negative."""
SURE, SURE_SPACE, FAINT_SPACE = 0.95, 0.9, 0.05
_LEAST = 1e-9
_POINTS = 35.0
"""Of confidence, for each unit of weight."""


@dataclass(frozen=True, slots=True)
class ReadWord:
    text: str
    begin: float
    end: float
    """In steps: half way to its neighbours."""
    confidence: float


@dataclass(frozen=True, slots=True)
class _Letters:
    """What a line reads as: classes, and the first and last step of each."""

    classes: NDArray[np.intp]
    firsts: NDArray[np.intp]
    lasts: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.classes)


@dataclass(frozen=True, slots=True)
class LineReader:
    """Knows what the classes stand for, and which words there are."""

    texts: tuple[str, ...]
    """Of each class; empty for what is no character."""
    blank: int
    space: int
    words: WordList | None

    def read(self, steps: Floats) -> list[ReadWord]:
        """The words of a line, of (steps, classes) likelihoods."""
        letters = self._likeliest(steps)
        surety = self._surety(letters, steps)
        if self.words is not None and (surety < SURE).any():
            letters = self._mended(letters, surety, steps)
            surety = self._surety(letters, steps)
        return list(self._words(letters, surety, len(steps)))

    def likelihood(self, steps: Floats) -> float:
        """The mean of the steps that see a character: low where a line is light on dark."""
        seen = steps.max(axis=1)[steps.argmax(axis=1) != self.blank]
        return float(seen.mean()) if len(seen) else 0.0

    def _likeliest(self, steps: Floats) -> _Letters:
        best = steps.argmax(axis=1)
        changes = np.flatnonzero(best[1:] != best[:-1])
        firsts, lasts = np.concatenate([[0], changes + 1]), np.concatenate([changes, [len(best) - 1]])
        seen = best[firsts] != self.blank
        return _Letters(best[firsts[seen]], firsts[seen], lasts[seen])

    def _surety(self, letters: _Letters, steps: Floats) -> Floats:
        """Of each letter the least likely step, from the letter before to its last.

        What may as well be the blank beside it or its neighbour, as long as nothing else is likelier, is no doubt.
        """
        if not len(letters):
            return np.zeros(0, np.float32)
        at = np.arange(len(steps))
        number = np.searchsorted(letters.firsts, at, side="right")
        classes = np.concatenate([[self.blank], letters.classes, [self.blank]])
        lasts = np.concatenate([[-1], letters.lasts])
        second = np.partition(steps, -2, axis=1)[:, -2]
        here, after = classes[number], classes[number + 1]
        mine = steps[at, here]
        known = steps[:, self.blank] + np.where((here != self.blank) & (mine >= second), mine, 0)
        beyond = steps[at, after]
        known += np.where((after != self.blank) & (after != here) & (beyond >= second), beyond, 0)
        known = np.where((at <= lasts[number]) & (mine < second), mine, known)
        begins = np.concatenate([[0], letters.lasts[:-1] + 1])
        # Of a space only its own steps count; those before it are the letter's.
        begins = np.where(letters.classes == self.space, letters.firsts, begins)
        begins[0] = 0
        # In one step at least it has to be seen itself.
        return np.minimum(np.minimum.reduceat(known, begins), np.maximum.reduceat(mine, letters.firsts))

    def _mended(self, letters: _Letters, surety: Floats, steps: Floats) -> _Letters:
        """Words in doubt searched through, those together whose space is in doubt."""
        parts: list[_Letters] = []
        for begin, end in self._groups(letters, surety):
            part = _Letters(letters.classes[begin:end], letters.firsts[begin:end], letters.lasts[begin:end])
            low = int(letters.lasts[begin - 1]) + 1 if begin else 0
            high = int(letters.firsts[end]) if end < len(letters) else len(steps)
            parts.append(self._judged(part, surety[begin:end], steps[low:high], low))
            if end < len(letters):
                parts.append(
                    _Letters(
                        letters.classes[end : end + 1],
                        letters.firsts[end : end + 1],
                        letters.lasts[end : end + 1],
                    )
                )
        return _Letters(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in _Letters.__slots__)
        )

    def _groups(self, letters: _Letters, surety: Floats) -> Iterator[tuple[int, int]]:
        """From one space that is sure to the next."""
        sure = np.flatnonzero((letters.classes == self.space) & (surety >= SURE_SPACE))
        begins, ends = [0, *(sure + 1).tolist()], [*sure.tolist(), len(letters)]
        yield from zip(begins, ends, strict=True)

    def _judged(self, part: _Letters, surety: Floats, steps: Floats, low: int) -> _Letters:
        assert self.words is not None
        if not len(part) or len(steps) < 2 or surety.min() >= SURE:
            return part
        text = self._text(part.classes)
        if " " not in text and self.words.holds(text):
            return part
        found = paths(steps, self.blank)
        best = max(found, key=lambda path: self._weight(path, len(steps)))
        return _placed(best, steps, low)

    def _weight(self, path: Path, steps: int) -> float:
        assert self.words is not None
        words = self._text(path.classes).split()
        letters = sum(map(len, words)) or 1
        unknown = sum(len(word) for word in words if not self.words.holds(word)) / letters
        return (1 + (UNKNOWN_WORD - 1) * unknown) * (path.weight + PER_STEP * steps)

    def _text(self, classes: Sequence[int] | NDArray[np.intp]) -> str:
        return "".join(self.texts[one] for one in classes)

    def _words(self, letters: _Letters, surety: Floats, steps: int) -> Iterator[ReadWord]:
        middles = (letters.lasts[:-1] + 1 + letters.firsts[1:]) / 2
        edges = np.concatenate([[0.0], middles, [float(steps)]])
        spaces = np.flatnonzero(letters.classes == self.space)
        begins, ends = [0, *(spaces + 1).tolist()], [*spaces.tolist(), len(letters)]
        for begin, end in zip(begins, ends, strict=True):
            if text := self._text(letters.classes[begin:end]):
                around = surety[max(begin - 1, 0) : end + 1]
                yield ReadWord(
                    text,
                    float(edges[begin]),
                    float(edges[end]),
                    self._confidence(text, surety[begin:end], around),
                )

    def _confidence(self, text: str, surety: Floats, around: Floats) -> float:
        factor = 1.0 if self.words is None or self.words.holds(text) else UNKNOWN_WORD
        least = min(factor * _weighed(surety), _weighed(around))
        return round(max(0.0, min(100.0, 100 + _POINTS * least)), 1)


def _weighed(surety: Floats) -> float:
    return math.log(max(float(surety.min()), _LEAST)) + PER_STEP


def _placed(path: Path, steps: Floats, low: int) -> _Letters:
    """In the steps of the line; a letter lasts as long as it is the likeliest."""
    firsts, lasts = [], []
    best = steps.argmax(axis=1)
    nexts = [*path.firsts, len(best)][1:]
    for one, first, after in zip(path.classes, path.firsts, nexts, strict=True):
        last = first
        while last + 1 < after and best[last + 1] == one:
            last += 1
        firsts.append(low + first)
        lasts.append(low + last)
    whole = np.array([path.classes, firsts, lasts], np.intp).reshape(3, -1)
    return _Letters(whole[0], whole[1], whole[2])
