"""From a map of how likely each pixel is text to the rectangles that text lies in, tilted as it is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ocr_worker.engines.ocr.ppocr.runtime import Floats

Points = NDArray[np.float64]
Point = tuple[float, float]

TEXT = 0.3
"""A pixel that is likelier than this is text."""
SURE = 0.5
"""What is less likely on an average is none."""
LEAST_PX = 3
GROWN = 1.6
"""The network sees the core of a line: what a rectangle grows by on all sides, times its area over its girth."""
MOST = 1000


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Three corners of it; its top is the side that leans least."""

    top_left: Point
    top_right: Point
    bottom_left: Point

    @property
    def width(self) -> float:
        return math.dist(self.top_left, self.top_right)

    @property
    def height(self) -> float:
        return math.dist(self.top_left, self.bottom_left)

    @property
    def lean(self) -> float:
        """The angle of its top, clockwise, in radians."""
        (x, y), (x1, y1) = self.top_left, self.top_right
        return math.atan2(y1 - y, x1 - x)

    def at(self, across: float, down: float) -> Point:
        """The point at these shares of its width and height."""
        (x, y), (x1, y1), (x2, y2) = self.top_left, self.top_right, self.bottom_left
        return x + across * (x1 - x) + down * (x2 - x), y + across * (y1 - y) + down * (y2 - y)

    def scaled(self, across: float, down: float) -> Rectangle:
        corners = (self.top_left, self.top_right, self.bottom_left)
        return Rectangle(*((x * across, y * down) for x, y in corners))


def rectangles(likelihood: Floats) -> list[Rectangle]:
    """In pixels of the map, the likeliest text that there is room for."""
    found = [(sure, _grown(_around(points))) for sure, points in _spots(likelihood) if sure >= SURE]
    large = [(sure, one) for sure, one in found if one is not None]
    return [one for _, one in sorted(large, key=lambda pair: -pair[0])[:MOST]]


def _spots(likelihood: Floats) -> Iterator[tuple[float, Points]]:
    """Each connected piece of text: how likely it is, and points of its outline."""
    rows, begins, ends = _runs(likelihood > TEXT)
    pieces = _joined(rows.tolist(), begins.tolist(), ends.tolist())
    sums = np.pad(np.cumsum(likelihood, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    inside = sums[rows, ends] - sums[rows, begins]
    for piece in pieces:
        top, left, right = rows[piece], begins[piece], ends[piece]
        corners = [(left, top), (right, top), (left, top + 1), (right, top + 1)]
        points = np.concatenate([np.stack(corner, axis=1) for corner in corners]).astype(np.float64)
        yield float(inside[piece].sum() / (right - left).sum()), points


def _runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Rows, begins and ends of what is set, row by row."""
    steps = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, begins = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    return rows, begins, ends


def _joined(rows: list[int], begins: list[int], ends: list[int]) -> list[list[int]]:
    """Numbers of the runs that touch, corners included, piece by piece."""
    leader = list(range(len(rows)))

    def lead(one: int) -> int:
        while leader[one] != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    above = 0
    for here in range(len(rows)):
        while rows[above] < rows[here] - 1 or (rows[above] == rows[here] - 1 and ends[above] < begins[here]):
            above += 1
        other = above
        while rows[other] == rows[here] - 1 and begins[other] <= ends[here]:
            leader[lead(other)] = lead(here)
            other += 1
    pieces: dict[int, list[int]] = {}
    for one in range(len(rows)):
        pieces.setdefault(lead(one), []).append(one)
    return list(pieces.values())


def _around(points: Points) -> Points:
    """The smallest rectangle around all of them: its corners, clockwise from the top left."""
    hull = _hull(points)
    sides = np.diff(np.concatenate([hull, hull[:1]]), axis=0)
    quarter = np.pi / 2
    angles = np.unique(np.round((np.arctan2(sides[:, 1], sides[:, 0]) + np.pi / 4) % quarter - np.pi / 4, 6))
    along, down = (
        np.stack([np.cos(angles), np.sin(angles)]),
        np.stack([-np.sin(angles), np.cos(angles)]),
    )
    across, below = hull @ along, hull @ down
    areas = np.ptp(across, axis=0) * np.ptp(below, axis=0)
    best = int(areas.argmin())
    left, right = across[:, best].min(), across[:, best].max()
    top, bottom = below[:, best].min(), below[:, best].max()
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    turned: Points = corners @ np.stack([along[:, best], down[:, best]])
    return turned


def _hull(points: Points) -> Points:
    """The convex hull. Source: Andrew's monotone chain."""
    ordered = sorted(set(map(tuple, points.tolist())))
    half = [_chain(ordered), _chain(ordered[::-1])]
    return np.array([point for chain in half for point in chain[:-1]])


def _chain(points: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    chain: list[tuple[float, ...]] = []
    for x, y in points:
        while len(chain) > 1 and not _turns(chain[-2], chain[-1], (x, y)):
            chain.pop()
        chain.append((x, y))
    return chain


def _turns(one: tuple[float, ...], two: tuple[float, ...], three: tuple[float, ...]) -> bool:
    return (two[0] - one[0]) * (three[1] - one[1]) > (two[1] - one[1]) * (three[0] - one[0])


def _grown(corners: Points) -> Rectangle | None:
    """None for what is too small to be text."""
    top_left, top_right, _, bottom_left = corners
    across, down = top_right - top_left, bottom_left - top_left
    width, height = float(np.hypot(*across)), float(np.hypot(*down))
    if min(width, height) < LEAST_PX:
        return None
    by = width * height * GROWN / (2 * (width + height))
    out, below = across / width * by, down / height * by
    begin, end, foot = top_left - out - below, top_right + out - below, bottom_left - out + below
    return Rectangle(*((float(x), float(y)) for x, y in (begin, end, foot)))
