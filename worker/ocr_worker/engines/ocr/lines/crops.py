"""Make of a stretch of a page the line that the network reads: scaled to its height as Leptonica scales, in even light.

The whole numbers are Leptonica's and Tesseract's own (`pixScale`, `pixUnsharpMasking`, `Input::PreparePixInput`): a
network reads best what it has learned from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocr_worker.engines.ocr.lines.weights import Floats

BY_AREA_BELOW = 0.7
"""Of the size: what is made smaller than this is averaged; else it is taken from the four nearest pixels."""
SHARPENED_FROM, SHARPENED_BELOW = 0.2, 1.4
WIDEST_PX = 6000
"""Of a line as it is read: Tesseract reads none that is longer by much, and memory goes with it."""
_PARTS = 16
"""So many places are told apart within a pixel."""
Pixels = NDArray[np.uint8]


def scaled(pixels: Pixels, height: int) -> Pixels | None:
    """A line of this height, or None where nothing of it is left, or too much."""
    factor = np.float32(height) / np.float32(pixels.shape[0])
    width = int(factor * np.float32(pixels.shape[1]) + np.float32(0.5))
    if not 0 < width <= WIDEST_PX:
        return None
    if factor == 1:
        return pixels
    if factor < BY_AREA_BELOW:
        small = _by_area(pixels, width, height)
        return _sharpened(small, 1, 0.2) if factor >= SHARPENED_FROM else small
    made = _between(pixels, width, height)
    return _sharpened(made, 2, 0.4) if factor < SHARPENED_BELOW else made


def evened(line: Pixels) -> Floats:
    """From black (about -1) to white (about 1), as the turning points along the middle of the line say."""
    black, white = _black_and_white(line[line.shape[0] // 2])
    contrast = (white - black) / 2
    tones: Floats = (line - np.float32(black)) / np.float32(contrast if contrast > 0 else 1)
    tones -= 1
    return tones


def _between(pixels: Pixels, width: int, height: int) -> Pixels:
    """From the four nearest pixels, counted from the upper left corner."""
    rows, down = _places(pixels.shape[0], height)
    columns, across = _places(pixels.shape[1], width)
    known = pixels.astype(np.int32)
    lower = np.minimum(rows + 1, pixels.shape[0] - 1)
    known = known[rows] * (_PARTS - down)[:, None] + known[lower] * down[:, None]
    right = np.minimum(columns + 1, pixels.shape[1] - 1)
    known = known[:, columns] * (_PARTS - across) + known[:, right] * across
    made: Pixels = ((known + 128) >> 8).astype(np.uint8)
    return made


def _places(old: int, new: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """For each new pixel the old one that it begins in, and the part of it where."""
    at = (np.float32(_PARTS * np.float32(old) / np.float32(new)) * np.arange(new, dtype=np.float32)).astype(
        np.int32
    )
    return at >> 4, at & 15


def _by_area(pixels: Pixels, width: int, height: int) -> Pixels:
    """The mean of all that each new pixel covers; at the right and lower edge, one pixel of it."""
    tops, bottoms = _spans(pixels.shape[0], height)
    lefts, rights = _spans(pixels.shape[1], width)
    summed = _sums(_sums(pixels.astype(np.int64), tops, bottoms).T, lefts, rights).T
    made = (summed + 128) // ((bottoms - tops)[:, None] * (rights - lefts))
    outside = (bottoms >> 4 > pixels.shape[0] - 2)[:, None] | (rights >> 4 > pixels.shape[1] - 2)
    corners = pixels[(tops >> 4)[:, None], lefts >> 4]
    whole: Pixels = np.where(outside, corners, np.minimum(made, 255)).astype(np.uint8)
    return whole


def _spans(old: int, new: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each new pixel where it begins and ends, in parts of an old one, rounded as Leptonica rounds either."""
    step, numbers = np.float32(_PARTS * np.float32(old) / np.float32(new)), np.arange(new)
    begins = (step * numbers.astype(np.float32)).astype(np.int64)
    ends = (np.float64(step) * (numbers + 1)).astype(np.int64)
    return begins, np.minimum(ends, _PARTS * old)


def _sums(values: NDArray[np.int64], begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of all rows between each beginning and its end, in parts of a row."""
    before = np.zeros((len(values) + 1, values.shape[1]), np.int64)
    np.cumsum(values, axis=0, out=before[1:])

    def up_to(places: NDArray[np.int64]) -> NDArray[np.int64]:
        at, part = places >> 4, places & 15
        sums: NDArray[np.int64] = before[at] * _PARTS
        sums += values[np.minimum(at, len(values) - 1)] * part[:, None]
        return sums

    sums: NDArray[np.int64] = up_to(ends) - up_to(begins)
    return sums


def _sharpened(pixels: Pixels, reach: int, share: float) -> Pixels:
    """Each pixel moved away from the mean around it; those at the edge stay."""
    side = 2 * reach + 1
    if min(pixels.shape) < side:
        return pixels
    known = pixels.astype(np.int32)
    across = _moving_sum(known.T, side).T
    around = _moving_sum(across, side)
    inner = known[reach:-reach, reach:-reach]
    moved = inner + np.float32(share) * (inner - around * np.float32(1 / side**2)) + np.float32(0.5)
    made: Pixels = pixels.copy()
    made[reach:-reach, reach:-reach] = np.clip(moved.astype(np.int32), 0, 255)
    return made


def _moving_sum(rows: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """Of so many rows, from each one on for which there are as many."""
    left = len(rows) - count + 1
    sums: NDArray[np.int32] = rows[:left].copy()
    for at in range(1, count):
        sums += rows[at : at + left]
    return sums


def _black_and_white(row: Pixels) -> tuple[float, float]:
    """The lower quartile of its valleys, and the upper one of its peaks."""
    known = row.astype(np.int16)
    before, here, after = known[:-2], known[1:-1], known[2:]
    valleys = here[((here < before) & (here <= after)) | ((here <= before) & (here < after))]
    peaks = here[((here > before) & (here >= after)) | ((here >= before) & (here > after))]
    return _quantile(valleys, 0.25, 0), _quantile(peaks, 0.75, 255)


def _quantile(values: NDArray[np.int16], share: float, otherwise: int) -> float:
    """As of a histogram, whose levels reach from each whole number to the next."""
    counts = np.bincount(values if len(values) else np.array([otherwise]), minlength=256)
    total = int(counts.sum())
    wanted = min(max(share * total, 1.0), float(total))
    below = np.cumsum(counts)
    level = int(np.searchsorted(below, wanted))
    return level + 1 - (float(below[level]) - wanted) / float(counts[level])
