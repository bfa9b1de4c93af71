"""Plain print in one column, told by its ink: pages on which Tesseract need not search for columns, pictures and rules.

That search is half of a layout's time. On such a page it finds nothing but where one block of lines ends and the next
begins: at white that is higher than between the other lines. So the page is cut there, and Tesseract looks for the rows
of each band: it finds the same, and the same letters in them. See docs/decisions/0224.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ocr_worker.engines.ocr.lines.runs import Row
from ocr_worker.engines.ocr.lines.two_tones import Packed, TwoTones

Band = tuple[int, int]
"""From this row on, up to that one."""
STRIPS = 12
"""Side by side: tilted lines are level within one."""
LEAST_PX = 2
"""Of a strip's row: fewer are a speck."""
LEAST_RUN_PX = 3
LEAST_RUNS = 12
"""Of ink from top to bottom within the strips: fewer tell of no print."""
LOW, TALL, TALLEST = 0.45, 1.5, 3.0
"""Of the usual run: stops, rules and accents; what is no single line; a picture, or a rule that stands upright."""
MOST_LOW, MOST_TALL = 0.35, 0.08
"""Of the runs."""
SOLID = 0.92
"""Of a strip's row: so much ink is a rule or a picture."""
LINE = 2.0
"""Usual runs: a line with its highest and deepest letters is no higher."""
TOGETHER = 3
"""Lines, whose spaces do not lie above each other."""
WIDE = 0.6
"""Usual runs: two figures. A speck is narrower."""
GUTTER, GAP = 1.1, 1.6
"""Usual runs, of white between ink on both sides: in so many lines, and in one."""
BETWEEN_BLOCKS = 0.35
"""Of a usual line: by so much the white above a block is higher than between lines."""
HUGE = 3
"""Times as high as the usual letter: none of plain print is."""
_BITS = np.array([byte.bit_count() for byte in range(256)], np.uint8)


def are_plain(rows: Sequence[Row]) -> bool:
    """Whether what was found in them is lines of letters."""
    heights = [box[3] - box[1] for row in rows for run in row.runs for box in run.letters]
    return (
        bool(heights)
        and max(heights) <= HUGE * statistics.median(heights)
        and not any(row.turns for row in rows)
    )


@dataclass(frozen=True, slots=True)
class _Strips:
    """How much ink the rows of each strip hold."""

    on: NDArray[np.bool_]
    """(rows, strips)"""
    fullest: float
    runs: NDArray[np.intp]
    """How high unbroken ink is."""

    @property
    def usual(self) -> float:
        return float(np.median(self.runs))


def bands(page: TwoTones) -> list[Band] | None:
    """Those of a page of plain print in one column; None of any other."""
    strips = _strips(page)
    if not _is_print(strips) or _has_gaps(page.ink, strips):
        return None
    return _parted(strips)


def _strips(page: TwoTones) -> _Strips:
    width = page.ink.shape[1]
    starts = np.unique(np.linspace(0, width, STRIPS, endpoint=False).astype(np.intp))
    counts = np.add.reduceat(_BITS[page.ink], starts, axis=1, dtype=np.int32)
    widths = np.diff(np.append(8 * starts, page.width))
    on = counts >= LEAST_PX
    runs = np.concatenate([ends - begins for begins, ends in map(_runs, on.T)])
    return _Strips(on, float((counts / widths).max()), runs[runs >= LEAST_RUN_PX])


def _runs(on: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    edges = np.flatnonzero(np.diff(on, prepend=False, append=False))
    return edges[::2], edges[1::2]


def _is_print(strips: _Strips) -> bool:
    """Whether nearly all of the ink is as high as a line, and none of it solid."""
    runs, usual = strips.runs, strips.usual if len(strips.runs) else 0.0
    return (
        len(runs) >= LEAST_RUNS
        and strips.fullest < SOLID
        and bool(runs.max() <= TALLEST * usual)
        and float((runs < LOW * usual).mean()) <= MOST_LOW
        and float((runs > TALL * usual).mean()) <= MOST_TALL
    )


def _has_gaps(ink: Packed, strips: _Strips) -> bool:
    """Whether there is white between ink on the left and on the right that is too wide for the space between two words."""
    usual = strips.usual
    tops, bottoms = _stretches(strips)
    joined = np.array(
        [np.bitwise_or.reduce(ink[top:bottom]) for top, bottom in zip(tops, bottoms, strict=True)]
    )
    if any(_has_gap(row, GAP * usual, WIDE * usual) for row in joined[bottoms - tops <= LINE * usual]):
        return True
    several = joined.copy()
    for number in range(1, TOGETHER):
        several[:-number] |= joined[number:]
    return any(_has_gap(row, GUTTER * usual, math.inf) for row in several[: 1 - TOGETHER])


def _stretches(strips: _Strips) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where lines begin and end; those that run together, as tilted ones do, are cut anywhere."""
    begins, ends = _runs(strips.on.any(axis=1))
    is_line = ends - begins >= LOW * strips.usual
    parts = [
        np.linspace(begin, end, max(1, round((end - begin) / (LINE * strips.usual))) + 1).astype(np.intp)
        for begin, end in zip(begins[is_line], ends[is_line], strict=True)
    ]
    return np.concatenate([part[:-1] for part in parts]), np.concatenate([part[1:] for part in parts])


def _has_gap(row: Packed, most: float, least: float) -> bool:
    """Whether white is wider than that, unless what it parts is wide as well, as a page's number is beside its title."""
    at = np.flatnonzero(np.unpackbits(row))
    wide = np.flatnonzero(np.diff(at) > most)
    if not len(wide):
        return False
    parts = at[np.append(wide, len(at) - 1)] - at[np.append(0, wide + 1)]
    return bool(parts.min() < least)


def _parted(strips: _Strips) -> list[Band]:
    begins, ends = _runs(strips.on.any(axis=1))
    white = begins[1:] - ends[:-1]
    least = np.median(white) + BETWEEN_BLOCKS * np.median(ends - begins) if len(white) else 0
    cuts = ((begins[1:] + ends[:-1]) // 2)[white > least].tolist()
    return list(zip([0, *cuts], [*cuts, len(strips.on)], strict=True))
