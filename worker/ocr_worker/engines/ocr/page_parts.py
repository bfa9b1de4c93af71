"""Cut a page into parts that can be read side by side: through white space only, in reading order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ocr_worker.engines.ocr.layout import Layout, LayoutRow
from ocr_worker.model.page import Box

LEAST_SHARE = 0.25
"""Of the text, in the smaller part: a more uneven cut saves little and costs a second look at the page."""


@dataclass(frozen=True, slots=True)
class Part:
    box: Box
    """In the bitmap's pixels."""
    begins_paragraph: bool
    """Or goes on with the last one of the part before."""


@dataclass(frozen=True, slots=True)
class _Cut:
    row: int
    """The first of the second part."""
    first: Box
    second: Box


def cut(layout: Layout, area: Box, count: int) -> list[Part]:
    """The area as at most so many parts."""
    return _cut(layout.rows, area, count)


def _cut(rows: Sequence[LayoutRow], area: Box, count: int) -> list[Part]:
    best = _best([row.box for row in rows], area) if count > 1 else None
    if best is None:
        return [Part(area, rows[0].begins_paragraph if rows else True)]
    before = _cut(rows[: best.row], best.first, count // 2)
    return before + _cut(rows[best.row :], best.second, count - count // 2)


def _best(rows: Sequence[Box], area: Box) -> _Cut | None:
    """The cut that parts the text most evenly."""
    widths = list(accumulate((row[2] - row[0] for row in rows), initial=0))

    def share(found: _Cut) -> float:
        return min(widths[found.row], widths[-1] - widths[found.row]) / widths[-1]

    even = [found for found in _cuts(rows, area) if share(found) >= LEAST_SHARE]
    return max(even, key=share, default=None)


def _cuts(rows: Sequence[Box], area: Box) -> Iterator[_Cut]:
    """All straight cuts with the rows before one on its first side and the others on its second."""
    heads = list(accumulate(rows, _around))
    tails = list(accumulate(reversed(rows), _around))[::-1]
    left, top, right, bottom = area
    for row, (head, tail) in enumerate(zip(heads, tails[1:], strict=False), 1):
        if head[3] < tail[1]:
            y = (head[3] + tail[1]) // 2
            yield _Cut(row, (left, top, right, y), (left, y, right, bottom))
        elif head[2] < tail[0]:
            x = (head[2] + tail[0]) // 2
            yield _Cut(row, (left, top, x, bottom), (x, top, right, bottom))
        elif tail[2] < head[0]:
            x = (tail[2] + head[0]) // 2
            yield _Cut(row, (x, top, right, bottom), (left, top, x, bottom))


def _around(one: Box, other: Box) -> Box:
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )
