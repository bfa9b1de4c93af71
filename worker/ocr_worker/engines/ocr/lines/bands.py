"""Plain print in one column, told by its ink: pages on which Tesseract need not search for columns, pictures and rules.

That search is half of a layout's time. On such a page it finds nothing but where one block of lines ends and the next
begins: at white that is higher than between the other lines. So the page is cut there, and Tesseract looks for the rows
of each band: it finds the same, and the same letters in them. See docs/decisions/0224.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

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
LOW, TALL, TALLEST = 0.45, 1.5, 3.5
"""Of the usual run: stops, rules and accents; what is no single line; a picture, or a rule that stands upright."""
MOST_LOW, MOST_TALL = 0.35, 0.08
"""Of the runs."""
SOLID = 0.92
"""Of a strip's row: so much ink is a rule or a picture."""
LINE = 2.0
"""Usual runs: a line with its highest and deepest letters is no higher."""
TOGETHER = 3
"""Lines, whose spaces do not lie above each other."""
SPECK = 0.4
"""Of a usual run: what is narrower and lower, and far from all other ink of its line."""
MOST_PARTED = 2
"""Lines: a page's number beside its title, or its foot."""
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
    def inked(self) -> NDArray[np.bool_]:
        """The rows with ink."""
        rows: NDArray[np.bool_] = np.logical_or.reduce(self.on, axis=1)
        return rows

    @property
    def usual(self) -> float:
        return float(np.median(self.runs))


def plain_print(page: TwoTones) -> tuple[TwoTones, list[Band]] | None:
    """A page of plain print in one column, without the specks beside its lines, and its bands; None for any other."""
    strips = _strips(page)
    if not _is_print(strips):
        return None
    clean = _Lines(page.ink.copy(), strips)
    return None if clean.have_gaps() else (replace(page, ink=clean.ink), _parted(strips))


def _strips(page: TwoTones) -> _Strips:
    width = page.ink.shape[1]
    # Not by `np.unique`: it imports masked arrays, 8 ms of each page process.
    starts = np.linspace(0, width, min(STRIPS, width), endpoint=False).astype(np.intp)
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


class _Lines:
    """The rows of bits that hold lines."""

    def __init__(self, ink: Packed, strips: _Strips) -> None:
        self.ink, self._usual = ink, strips.usual
        self._stretches = [ink[top:bottom] for top, bottom in zip(*_stretches(strips), strict=True)]

    def have_gaps(self) -> bool:
        """Whether white parts ink on the left from ink on the right in more than a page's head and foot; specks beside lines are erased."""
        for line in self._stretches:
            self._erase_specks(line)
        joined = np.array([np.bitwise_or.reduce(line) for line in self._stretches])
        if sum(len(self._parts(row, GAP)) > 1 for row in joined) > MOST_PARTED:
            return True
        several = joined.copy()
        for number in range(1, TOGETHER):
            several[:-number] |= joined[number:]
        return any(len(self._parts(row, GUTTER)) > 1 for row in several[: 1 - TOGETHER])

    def _erase_specks(self, line: Packed) -> None:
        parts = self._parts(np.bitwise_or.reduce(line), GAP)
        for begin, end in parts if len(parts) > 1 else ():
            if end - begin < SPECK * self._usual:
                # No other ink lies in the same bytes, so far is it away.
                stretch = line[:, begin // 8 : -(-end // 8)]
                if np.count_nonzero(stretch.any(axis=1)) < SPECK * self._usual:
                    stretch[:] = 0

    def _parts(self, row: Packed, gap: float) -> list[tuple[int, int]]:
        """Where ink begins and ends that so much white parts."""
        at = np.flatnonzero(np.unpackbits(row))
        wide = np.flatnonzero(np.diff(at) > gap * self._usual)
        ends = [*at[wide].tolist(), *at[-1:].tolist()]
        return [
            (begin, end + 1)
            for begin, end in zip([*at[:1].tolist(), *at[wide + 1].tolist()], ends, strict=True)
        ]


def _stretches(strips: _Strips) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where lines begin and end; those that run together, as tilted ones do, are cut anywhere."""
    begins, ends = _runs(strips.inked)
    is_line = ends - begins >= LOW * strips.usual
    parts = [
        np.linspace(begin, end, max(1, round((end - begin) / (LINE * strips.usual))) + 1).astype(np.intp)
        for begin, end in zip(begins[is_line], ends[is_line], strict=True)
    ]
    return np.concatenate([part[:-1] for part in parts]), np.concatenate([part[1:] for part in parts])


def _parted(strips: _Strips) -> list[Band]:
    begins, ends = _runs(strips.inked)
    white = begins[1:] - ends[:-1]
    least = np.median(white) + BETWEEN_BLOCKS * np.median(ends - begins) if len(white) else 0
    cuts = ((begins[1:] + ends[:-1]) // 2)[white > least].tolist()
    return list(zip([0, *cuts], [*cuts, len(strips.on)], strict=True))
