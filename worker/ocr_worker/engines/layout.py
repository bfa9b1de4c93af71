"""What the lines of a page look like before they are read."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from ocr_worker.engines.skew import Baseline, skew_degrees
from ocr_worker.outputs.model import Box

CLIMB_SHOWN = 0.75
"""By so much of what a tilted line climbs its box is higher: the highest and deepest letters are seldom at its ends. Measured up to 1.5 degrees."""


@dataclass(frozen=True, slots=True)
class LayoutRow:
    """A line, in the bitmap's pixels."""

    box: Box
    """From the deepest descender to the highest ascender."""
    baseline: Baseline | None
    begins_paragraph: bool

    @property
    def height(self) -> float:
        """Of its letters. Turned lines have it across."""
        left, top, right, bottom = self.box
        x0, y0, x1, y1 = self.baseline or (left, 0, right, 0)
        if abs(y1 - y0) > abs(x1 - x0):
            return right - left - CLIMB_SHOWN * abs(x1 - x0)
        return bottom - top - CLIMB_SHOWN * abs(y1 - y0)


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
