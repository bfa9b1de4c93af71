"""What the lines of a page look like before they are read."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from ocr_worker.engines.skew import Baseline, skew_degrees
from ocr_worker.outputs.model import Box


@dataclass(frozen=True, slots=True)
class LayoutRow:
    """A line, in the bitmap's pixels."""

    box: Box
    """From the deepest descender to the highest ascender."""
    baseline: Baseline | None
    begins_paragraph: bool


@dataclass(frozen=True, slots=True)
class Layout:
    rows: tuple[LayoutRow, ...]
    """In reading order."""

    @property
    def row_px(self) -> float:
        """Median height; 0 without lines."""
        return statistics.median(row.box[3] - row.box[1] for row in self.rows) if self.rows else 0.0

    @property
    def skew_degrees(self) -> float:
        """Clockwise tilt of the lines."""
        return skew_degrees(row.baseline for row in self.rows if row.baseline)
