"""The lines of a page before they are read."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ocr_worker.engines.ocr.skew import Baseline, skew_degrees
from ocr_worker.model.page import Box, around

GENTLE = math.tan(math.radians(1.5))
CLIMB_SHOWN = 0.75
"""By so much of what a gently tilted line climbs its box is higher, as the highest and deepest letters are seldom at its ends; by up to all of it on a steeper one."""
TALL_LETTER = 0.72
"""Of a line from the deepest descender to the highest ascender: a capital, a figure, an ascender."""
SMALLER_PRINT = 0.45
"""Lower than this beside the tallest letters of its line is no letter of the same print, which ends at 0.6."""
MANY = 0.25
LEAST_SMALL = 4
"""Fewer small letters are the stops and quotation marks of a short line."""
FEW_LETTERS = 20
"""Of a line: one tall letter among them tells of its print, as most may be low."""
SPECK_PX = 3
HUGE = 4
"""Times as high as the page's usual letter."""
OVERLOOKED = 0.003
"""Of the letters: as many may be in rows that are too small, as specks and stops make such rows too."""
STRIP_PX, STRIP_HEIGHTS = 200, 6
"""No higher, and no more heights wide, is a strip."""
LONG_WORD = 4
FEWEST_WORDS = 20
PITCH_SLACK = 0.06
TYPED_WORDS = 0.6
"""Share of the longer words whose letters stand as far apart as usual."""


@dataclass(frozen=True, slots=True)
class LayoutRow:
    """A line, in the bitmap's pixels."""

    box: Box
    """From the deepest descender to the highest ascender."""
    baseline: Baseline | None
    begins_paragraph: bool
    words: tuple[tuple[Box, ...], ...] = ()
    """The letters of each, where the engine tells."""

    @property
    def height(self) -> float:
        """Of its letters, a little less rather than more. A turned line counts as tall as it is long: reading it, however small, tells that it is turned."""
        height = self.box[3] - self.box[1]
        if self.is_turned:
            return height
        x0, y0, x1, y1 = self.baseline or (0, 0, 0, 0)
        along, climb = abs(x1 - x0), abs(y1 - y0)
        return height - (CLIMB_SHOWN if climb <= GENTLE * along else 1) * climb

    @property
    def print_px(self) -> float:
        """How high a full line of its smallest print would be: a short line has no descenders, and small words beside large ones make its box misleading."""
        heights = sorted(box[3] - box[1] for word in self.words for box in word)
        if len(heights) < 2 or self.is_turned:
            return self.height
        tallest = _at(heights, 0.9) if len(heights) >= FEW_LETTERS else heights[-1]
        small = [height for height in heights if SPECK_PX < height < SMALLER_PRINT * tallest]
        is_mixed = len(small) >= max(LEAST_SMALL, MANY * len(heights))
        return (_at(small, 0.9) if is_mixed else tallest) / TALL_LETTER

    @property
    def letters(self) -> int:
        return sum(map(len, self.words))

    @property
    def is_turned(self) -> bool:
        x0, y0, x1, y1 = self.baseline or (0, 0, 0, 0)
        return abs(y1 - y0) > abs(x1 - x0)


@dataclass(frozen=True, slots=True)
class Layout:
    rows: tuple[LayoutRow, ...]
    """In reading order."""

    @property
    def row_px(self) -> float:
        """Median height; 0 without lines."""
        return statistics.median(row.height for row in self.rows) if self.rows else 0.0

    @property
    def smallest_px(self) -> float:
        """Height of the smallest rows that hold print; 0 without lines."""
        rows = sorted((row.print_px, row.letters) for row in self.rows if row.letters != 1)
        overlooked = OVERLOOKED * sum(letters for _, letters in rows)
        for height, letters in rows:
            overlooked -= letters
            if overlooked < 0 or not letters:
                return height
        return rows[-1][0] if rows else 0.0

    @property
    def is_turned(self) -> bool:
        """Whether most lines run down or up the page."""
        return 2 * sum(row.is_turned for row in self.rows) > len(self.rows)

    @property
    def word_boxes(self) -> list[Box]:
        """As far as letters stand in them: small print that runs together passes for one that is huge."""
        letters = [box[3] - box[1] for row in self.rows for word in row.words for box in word]
        highest = HUGE * statistics.median(letters) if letters else 0
        words = (around(word) for row in self.rows for word in row.words if word)
        return [box for box in words if box[3] - box[1] <= highest]

    @property
    def is_typed(self) -> bool:
        """Whether all letters are as wide, as a typewriter's are."""
        pitches = list(self._pitches())
        if len(pitches) < FEWEST_WORDS:
            return False
        usual = statistics.median(pitches)
        typed = sum(abs(pitch - usual) <= PITCH_SLACK * usual for pitch in pitches)
        return typed >= TYPED_WORDS * len(pitches)

    @property
    def skew_degrees(self) -> float | None:
        """Clockwise tilt of the lines; None with too little to go by."""
        return skew_degrees(row.baseline for row in self.rows if row.baseline)

    def _pitches(self) -> Iterator[float]:
        """From letter to letter, on an average of each longer word."""
        for row in self.rows:
            for word in row.words:
                if len(word) >= LONG_WORD:
                    (first, *_), (last, *_) = word[0], word[-1]
                    width = (last + word[-1][2] - first - word[0][2]) / 2
                    yield width / (len(word) - 1)


def is_strip(width: int, height: int) -> bool:
    """Whether it has room for a word or two: where a search for columns and pictures finds nothing, that is taken for print."""
    return height <= STRIP_PX and width <= STRIP_HEIGHTS * height


def _at(ordered: Sequence[int], share: float) -> int:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
