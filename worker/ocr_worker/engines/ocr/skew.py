"""Measure how far a page is from level, by the baselines of its lines."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable

Baseline = tuple[float, float, float, float]
_SHORTEST_PX = 200
_STEEPEST_DEGREES = 20
_FEWEST_LINES = 3


def skew_degrees(baselines: Iterable[Baseline]) -> float | None:
    """The median slope of the longer lines, clockwise positive; None with too little to go by."""
    slopes = [
        math.degrees(math.atan2(y1 - y0, x1 - x0)) for x0, y0, x1, y1 in baselines if x1 - x0 >= _SHORTEST_PX
    ]
    level = [slope for slope in slopes if abs(slope) < _STEEPEST_DEGREES]
    return statistics.median(level) if len(level) >= _FEWEST_LINES else None
