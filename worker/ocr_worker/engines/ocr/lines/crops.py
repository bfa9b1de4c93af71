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
_MOST_REDUCED = 250
"""Times: the square of it, of 16, and 255 make 32 bits."""
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
    rows, lower, down = _places(pixels.shape[0], height)
    columns, right, across = _places(pixels.shape[1], width)
    # 16 x 16 x 255 and a half of it just fit.
    known = pixels.astype(np.uint16)
    known = known[rows] * (_PARTS - down)[:, None] + known[lower] * down[:, None]
    known = known.take(columns, axis=1) * (_PARTS - across) + known.take(right, axis=1) * across
    made: Pixels = ((known + np.uint16(128)) >> np.uint16(8)).astype(np.uint8)
    return made


def _places(old: int, new: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.uint16]]:
    """For each new pixel the old one that it begins in, the one after that, and the part of it where."""
    step = np.float32(_PARTS * np.float32(old) / np.float32(new))
    at = (step * np.arange(new, dtype=np.float32)).astype(np.int32)
    first = at >> 4
    return first, np.minimum(first + 1, old - 1), (at & 15).astype(np.uint16)


def _by_area(pixels: Pixels, width: int, height: int) -> Pixels:
    """The mean of all that each new pixel covers; at the right and lower edge, one pixel of it."""
    tops, bottoms = _spans(pixels.shape[0], height)
    lefts, rights = _spans(pixels.shape[1], width)
    # What one pixel is the mean of is no more than fits in, but for the letters of posters.
    kind = np.uint32 if pixels.shape[0] < _MOST_REDUCED * height else np.uint64
    summed = _sums(_sums(pixels.astype(kind), tops, bottoms, 0), lefts, rights, 1)
    made = (summed + 128) // ((bottoms - tops)[:, None] * (rights - lefts)).astype(kind)
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


def _sums(
    values: NDArray[Any], begins: NDArray[np.int64], ends: NDArray[np.int64], axis: int
) -> NDArray[Any]:
    """Along an axis, of all between each beginning and its end, in parts of one. Sums may run over: their differences do not."""
    along = [1, 1]
    along[axis] = -1
    sums = np.cumsum(values, axis=axis, dtype=values.dtype)

    def up_to(places: NDArray[np.int64]) -> NDArray[Any]:
        at = np.minimum(places >> 4, values.shape[axis] - 1)
        left = (_PARTS * (at + 1) - places).astype(values.dtype).reshape(along)
        part: NDArray[Any] = sums.take(at, axis) * _PARTS
        part -= values.take(at, axis) * left
        return part

    summed: NDArray[Any] = up_to(ends) - up_to(begins)
    return summed


def _sharpened(pixels: Pixels, reach: int, share: float) -> Pixels:
    """Each pixel moved away from the mean around it; those at the edge stay."""
    side = 2 * reach + 1
    if min(pixels.shape) < side:
        return pixels
    known = pixels.astype(np.int16)
    width, height = known.shape[1] - 2 * reach, known.shape[0] - 2 * reach
    across = sum((known[:, at : at + width] for at in range(1, side)), start=known[:, :width])
    around = sum((across[at : at + height] for at in range(1, side)), start=across[:height])
    inner = known[reach:-reach, reach:-reach].astype(np.float32)
    moved = around * np.float32(-1 / side**2)
    moved += inner
    moved *= np.float32(share)
    moved += inner
    moved += np.float32(0.5)
    made: Pixels = pixels.copy()
    made[reach:-reach, reach:-reach] = np.clip(moved.astype(np.int16), 0, 255)
    return made


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
