"""How the boxes of words stand to a page's ink, told without reading it: whether they are those of its print."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from ocr_worker.engines.images.ink import Box, Ink, widened

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Marks = NDArray[np.bool_]

_STRIP, _LEAST_STRIP = 4, 20
"""Heights of a word that a strip of the page is wide, and cells at least."""
_LEAST_HEIGHT, _USUAL_HEIGHT, _MOST_HEIGHT = 5, 12.0, 40
"""Cells of a word's height, by which lines are looked for."""
_LOW, _HIGH, _DENSE, _INKED = 0.3, 2.2, 0.75, 0.05
"""Of a word's height, the least and most that a piece of a line has; and of a strip, what of its rows is ink."""
_NAMED = 0.35
"""Of a piece of a line lies in boxes, if it is told."""
_EMPTY = 0.02
"""Of a box is ink where there is a word."""
_NARROWEST, _WIDEST = 0.12, 3.0
"""Heights of a word that the gap between two of a line is wide."""


@dataclass(frozen=True, slots=True)
class Places:
    """All 0 where each word stands on its print, and all print has its word."""

    unnamed: int = 0
    """Pieces of lines, each some letters long, that lie in no box."""
    unnamed_share: float = 0.0
    """Of all pieces of lines."""
    empty_share: float = 0.0
    """Of the boxes, by their widths, have no ink in them."""
    flat_share: float = 0.0
    """Of the words have boxes without a size."""
    gaps: int = 0
    gap_ink: float = 0.0
    """How much of the ink that words have is between them: as much as in them, if they are another page's."""


def places(ink: Ink, lines: list[list[Box]]) -> Places:
    """Of words in the pixels of the picture whose ink it is."""
    import numpy as np

    marks: Marks = np.asarray(ink.marks) > 0
    scaled = [[tuple(side / ink.cell for side in box) for box in line] for line in lines]
    sized = [[(x0, y0, x1, y1) for x0, y0, x1, y1 in line if x0 < x1 and y0 < y1] for line in scaled]
    boxes = [box for line in sized for box in line]
    count = sum(map(len, lines))
    if not boxes and count:
        return Places(flat_share=1.0)
    height = float(np.median([bottom - top for _, top, _, bottom in boxes])) if boxes else _USUAL_HEIGHT
    pieces, named = list(_pieces(marks, min(max(height, _LEAST_HEIGHT), _MOST_HEIGHT))), _named(marks, boxes)
    unnamed = sum(marks[place][named[place]].sum() < _NAMED * marks[place].sum() for place in pieces)
    found = Places(unnamed=unnamed, unnamed_share=unnamed / max(1, len(pieces)))
    if not boxes:
        return found
    inked = [
        (right - left, _density(marks, (left, top, right, bottom))) for left, top, right, bottom in boxes
    ]
    mean = sum(density for _, density in inked) / len(inked)
    between = list(_gaps(marks, sized, height))
    return replace(
        found,
        empty_share=sum(width for width, density in inked if density < _EMPTY)
        / sum(width for width, _ in inked),
        flat_share=1 - len(boxes) / count,
        gaps=len(between),
        gap_ink=sum(between) / max(1, len(between)) / mean if mean else 0.0,
    )


def _cells(marks: Marks, box: tuple[float, float, float, float]) -> Marks:
    left, top, right, bottom = box
    return marks[max(0, int(top)) : max(0, int(bottom) + 1), max(0, int(left)) : max(0, int(right) + 1)]


def _density(marks: Marks, box: tuple[float, float, float, float]) -> float:
    cells = _cells(marks, box)
    return float(cells.mean()) if cells.size else 0.0


def _gaps(
    marks: Marks, lines: list[list[tuple[float, float, float, float]]], height: float
) -> Iterator[float]:
    """How much of each gap between two words of a line is ink."""
    for line in map(sorted, lines):
        for (_, top, left, bottom), (right, upper, _, lower) in pairwise(line):
            if _NARROWEST * height < right - left < _WIDEST * height:
                # Without the cells that both words have a part of.
                cells = _cells(marks, (left + 1, max(top, upper), right - 1, min(bottom, lower)))
                if cells.size:
                    yield float(cells.mean())


def _named(marks: Marks, boxes: list[tuple[float, float, float, float]]) -> Marks:
    """What lies in boxes of words."""
    import numpy as np

    named = np.zeros_like(marks)
    for box in boxes:
        _cells(named, widened(box))[:] = True
    return named


def _pieces(marks: Marks, height: float) -> Iterator[tuple[slice, slice]]:
    """Pieces of lines: what is as high as a word, with paper above and below it; neither rules nor photographs."""
    import numpy as np

    width = int(max(_LEAST_STRIP, _STRIP * height))
    for left in range(0, marks.shape[1] - width // 2, width):
        rows = marks[:, left : left + width].sum(axis=1)
        inked = np.concatenate(([0], rows >= max(2, _INKED * width), [0])).astype(np.int8)
        tops, bottoms = (np.flatnonzero(np.diff(inked) == step).tolist() for step in (1, -1))
        for top, bottom in zip(tops, bottoms, strict=True):
            if _LOW * height <= bottom - top <= _HIGH * height and rows[top:bottom].mean() < _DENSE * width:
                yield slice(top, bottom), slice(left, left + width)
