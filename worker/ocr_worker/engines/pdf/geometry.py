"""Where PDFium's objects lie on a page: boxes under all matrices, and what clips leave of them."""

from __future__ import annotations

import ctypes
import math
from itertools import pairwise
from typing import Any

from pypdfium2 import raw

Box = tuple[float, float, float, float]
"""Left, bottom, right, top in user units."""
Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def union_area(boxes: list[Box]) -> float:
    """Slab by slab between the edges, from left to right: what lies one over the other counts once."""
    waiting = sorted(boxes, reverse=True)
    within: list[Box] = []
    total = 0.0
    for left, right in pairwise(sorted({edge for box in boxes for edge in (box[0], box[2])})):
        while waiting and waiting[-1][0] <= left:
            within.append(waiting.pop())
        within = [box for box in within if box[2] > left]
        total += (right - left) * _height(within)
    return total


def _height(boxes: list[Box]) -> float:
    total, reached = 0.0, -math.inf
    for bottom, top in sorted((box[1], box[3]) for box in boxes):
        total += max(0.0, top - max(bottom, reached))
        reached = max(reached, top)
    return total


def lie_on_each_other(box: Box, other: Box) -> bool:
    """With more than half of the smaller one."""
    shared = max(box[0], other[0]), max(box[1], other[1]), min(box[2], other[2]), min(box[3], other[3])
    if shared[0] >= shared[2] or shared[1] >= shared[3]:
        return False
    return 2 * area(shared) > min(area(box), area(other))


def pixels(box: Box, page: Any, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Where a place of the page lies in its drawing of this size."""
    frame = page.get_bbox()
    wide, high = frame[2] - frame[0], frame[3] - frame[1]
    if not wide or not high:
        return 0, 0, 0, 0
    x0, x1 = (box[0] - frame[0]) / wide, (box[2] - frame[0]) / wide
    y0, y1 = (frame[3] - box[3]) / high, (frame[3] - box[1]) / high
    turned = {
        90: (1 - y1, x0, 1 - y0, x1),
        180: (1 - x1, 1 - y1, 1 - x0, 1 - y0),
        270: (y0, 1 - x1, y1, 1 - x0),
    }
    left, top, right, bottom = turned.get(page.get_rotation(), (x0, y0, x1, y1))
    width, height = size
    return (
        max(0, math.floor(left * width)), max(0, math.floor(top * height)),
        min(width, math.ceil(right * width)), min(height, math.ceil(bottom * height)),
    )  # fmt: skip


def bounds(part: Any) -> Box:
    left, bottom, right, top = places = ctypes.c_float(), ctypes.c_float(), ctypes.c_float(), ctypes.c_float()
    if not raw.FPDFPageObj_GetBounds(part, *places):
        return 0.0, 0.0, 0.0, 0.0
    return left.value, bottom.value, right.value, top.value


def matrix_of(part: Any) -> Matrix:
    found = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(part, found):
        return IDENTITY
    return found.a, found.b, found.c, found.d, found.e, found.f


def times(first: Matrix, then: Matrix) -> Matrix:
    if then == IDENTITY:
        return first
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def placed(box: Box, matrix: Matrix) -> Box:
    if matrix == IDENTITY:
        return box
    a, b, c, d, e, f = matrix
    corners = [(a * x + c * y + e, b * x + d * y + f) for x in (box[0], box[2]) for y in (box[1], box[3])]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def clipped(part: Any, matrix: Matrix, clip: Box) -> Box:
    """What the object's own clips leave of where it may draw: the boxes around them."""
    path = raw.FPDFPageObj_GetClipPath(part)
    for number in range(raw.FPDFClipPath_CountPaths(path)):
        xs, ys, x, y = [], [], ctypes.c_float(), ctypes.c_float()
        for place in range(raw.FPDFClipPath_CountPathSegments(path, number)):
            raw.FPDFPathSegment_GetPoint(raw.FPDFClipPath_GetPathSegment(path, number, place), x, y)
            xs.append(x.value)
            ys.append(y.value)
        if xs:
            clip = common(clip, placed((min(xs), min(ys), max(xs), max(ys)), matrix))
    return clip


def common(one: Box, other: Box) -> Box:
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def is_empty(box: Box) -> bool:
    return box[0] >= box[2] or box[1] >= box[3]


def points(box: Box) -> list[tuple[float, float]]:
    """Of a line of text: its middle, and near its ends."""
    middle, width = (box[1] + box[3]) / 2, box[2] - box[0]
    return [(box[0] + share * width, middle) for share in (0.5, 0.02, 0.98)]


def holds(point: tuple[float, float], box: Box) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def is_within(box: Box, around: Box, slack: float) -> bool:
    return (
        box[0] >= around[0] - slack
        and box[1] >= around[1] - slack
        and box[2] <= around[2] + slack
        and box[3] <= around[3] + slack
    )
