"""Where the words of a run stand on the page: around the letters that the layout found at their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ocr_worker.engines.ocr.layout import around
from ocr_worker.engines.ocr.lines.reading import ReadWord
from ocr_worker.engines.ocr.lines.runs import Run
from ocr_worker.model.page import Box


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
        """Of each word; the first begins and the last ends with the run."""
        letters = [(self._middle(letter), letter) for letter in self.run.letters]
        boxes = []
        for number, word in enumerate(words):
            begin, end = word.begin * self.px_per_step, word.end * self.px_per_step
            is_first, is_last = number == 0, number == len(words) - 1
            inside = [box for at, box in letters if (is_first or at >= begin) and (is_last or at < end)]
            boxes.append(around(inside) if inside else self._stretch(round(begin), round(end)))
        return boxes

    def _middle(self, box: Box) -> float:
        """In pixels from the beginning of the crop, in the direction of reading."""
        along = self.turns % 2
        middle = (box[along] + box[along + 2]) / 2
        return self.crop[along + 2] - middle if self.turns >= 2 else middle - self.crop[along]

    def _stretch(self, begin: int, end: int) -> Box:
        left, top, right, bottom = self.crop
        end = max(end, begin + 1)
        return (
            (left + begin, self.run.box[1], left + end, self.run.box[3]),
            (self.run.box[0], top + begin, self.run.box[2], top + end),
            (right - end, self.run.box[1], right - begin, self.run.box[3]),
            (self.run.box[0], bottom - end, self.run.box[2], bottom - begin),
        )[self.turns]
