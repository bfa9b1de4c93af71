"""The lines of a page before they are read."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from ocr_worker.engines.ocr.skew import Baseline, skew_degrees
from ocr_worker.model.page import Box

GENTLE = math.tan(math.radians(1.5))
CLIMB_SHOWN = 0.75
"""By so much of what a gently tilted line climbs its box is higher, as the highest and deepest letters are seldom at its ends; by up to all of it on a steeper one."""


@dataclass(frozen=True, slots=True)
class LayoutRow:
    """A line, in the bitmap's pixels."""

    box: Box
    """From the deepest descender to the highest ascender."""
    baseline: Baseline | None
    begins_paragraph: bool

    @property
    def height(self) -> float:
        """Of its letters, a little less rather than more. A turned line counts as tall as it is long: reading it, however small, tells that it is turned."""
        height = self.box[3] - self.box[1]
        x0, y0, x1, y1 = self.baseline or (0, 0, 0, 0)
        along, climb = abs(x1 - x0), abs(y1 - y0)
        if climb > along:
            return height
        return height - (CLIMB_SHOWN if climb <= GENTLE * along else 1) * climb


@dataclass(frozen=True, slots=True)
class Layout:
    rows: tuple[LayoutRow, ...]
    """In reading order."""

    @property
    def row_px(self) -> float:
        """Median height; 0 without lines."""
        return statistics.median(row.height for row in self.rows) if self.rows else 0.0

    @property
    def skew_degrees(self) -> float:
        """Clockwise tilt of the lines."""
        return skew_degrees(row.baseline for row in self.rows if row.baseline)
