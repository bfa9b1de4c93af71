"""Where the words of a run stand on the page: around the letters that the layout found at their place."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ocr_worker.engines.ocr.lines.reading import ReadWord
from ocr_worker.engines.ocr.lines.runs import Run
from ocr_worker.model.page import Box, around


@dataclass(frozen=True, slots=True)
class Place:
    """A run as it was cut out of the page."""

    run: Run
    crop: Box
    """What of it lies on the page."""
    turns: int
    """Quarters clockwise by which its letters are turned."""
    px_per_step: float

    def boxes(self, words: Sequence[ReadWord]) -> list[Box]:
        """Of each word. A letter is the next word's from the middle of the space on."""
        letters = sorted((self._middle(letter), letter) for letter in self.run.letters)
        middles = [at for at, _ in letters]
        cuts = [self.px_per_step * (word.end + after.begin) / 2 for word, after in pairwise(words)]
        places = [0, *(bisect_left(middles, cut) for cut in cuts), len(letters)]
        return [
            around([letter for _, letter in letters[begin:end]]) if begin < end else self._stretch(word)
            for word, (begin, end) in zip(words, pairwise(places), strict=False)
        ]

    def _middle(self, box: Box) -> float:
        """In pixels from the beginning of the crop, in the direction of reading."""
        along = self.turns % 2
        middle = (box[along] + box[along + 2]) / 2
        return self.crop[along + 2] - middle if self.turns >= 2 else middle - self.crop[along]

    def _stretch(self, word: ReadWord) -> Box:
        """Where the network saw it, if no letter was found there before."""
        begin = round(word.begin * self.px_per_step)
        end = max(round(word.end * self.px_per_step), begin + 1)
        left, top, right, bottom = self.crop
        return (
            (left + begin, self.run.box[1], left + end, self.run.box[3]),
            (self.run.box[0], top + begin, self.run.box[2], top + end),
            (right - end, self.run.box[1], right - begin, self.run.box[3]),
            (self.run.box[0], bottom - end, self.run.box[2], bottom - begin),
        )[self.turns]
