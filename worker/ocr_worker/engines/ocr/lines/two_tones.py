"""A page in black and white, as libtesseract makes it of greys before it looks for lines.

Shown that, it finds the same rows in nine tenths of the time: it need not look at greys once more for each edge.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_PALETTE = b"\xff\xff\xff\0\0\0\0\0"
_HEADERS = 54 + len(_PALETTE)
_ROWS_OF = 4
"""Bytes, that a row is made up of."""
Packed = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class TwoTones:
    """Ink by the threshold of all of the page."""

    ink: Packed
    """Rows of bits, eight of them a byte."""
    width: int

    @property
    def height(self) -> int:
        return len(self.ink)

    def bitmap(self, top: int, bottom: int) -> bytes:
        """A BMP of some rows. It has them upside down."""
        height = bottom - top
        rows = np.zeros((height, -(-self.ink.shape[1] // _ROWS_OF) * _ROWS_OF), np.uint8)
        rows[:, : self.ink.shape[1]] = self.ink[top:bottom][::-1]
        file = struct.pack("<2sIHHI", b"BM", _HEADERS + rows.size, 0, 0, _HEADERS)
        picture = struct.pack("<IiiHHIIiiII", 40, self.width, height, 1, 1, 0, rows.size, 0, 0, 2, 2)
        return b"".join((file, picture, _PALETTE, rows.tobytes()))


def in_two_tones(picture: Image.Image) -> TwoTones:
    greys = np.asarray(picture)
    level, light_is_ink = _threshold(np.array(picture.histogram(), np.float64))
    return TwoTones(np.packbits(greys > level if light_is_ink else greys <= level, axis=1), greys.shape[1])


def _threshold(counts: np.ndarray) -> tuple[int, bool]:
    """The darkest of what is not light, and whether that is most of the page: as `OtsuThreshold` tells them."""
    dark, sums = np.cumsum(counts)[:-1], np.cumsum(counts * np.arange(256))
    light = counts.sum() - dark
    found = np.flatnonzero((dark > 0) & (light > 0))
    if not len(found):
        return -1, False
    dark, light = dark[found], light[found]
    apart = (sums[-1] - sums[found]) / light - sums[found] / dark
    best = int(np.argmax(apart * (apart * dark * light)))
    return int(found[best]), bool(dark[best] >= 0.5 * counts.sum())
