"""BMPs that are packed as runs, which Pillow does not write."""

from __future__ import annotations

import struct
from typing import Any

from PIL import Image

_LONGEST, _ALONE = 255, 7


def bmp(picture: Image.Image, rows: int | None = None, *, halved: bool = False, alone: bool = False) -> bytes:
    """Of a grey picture.

    Args:
        rows: what its head says of its height: its runs may end by their mark before that.
        halved: in 16 greys, two pixels a byte.
        alone: pixels of no run are not packed.
    """
    pack = _halved if halved else bytes
    greys = picture.point([grey // 17 for grey in range(256)]) if halved else picture
    packed = b"".join(_row(greys, y, pack, alone=alone) for y in reversed(range(greys.height))) + b"\0\1"
    colours = 16 if halved else 256
    palette = b"".join(bytes((n * 255 // (colours - 1),) * 3 + (0,)) for n in range(colours))
    start = 54 + len(palette)
    return (
        b"BM"
        + struct.pack("<IHHI", start + len(packed), 0, 0, start)
        + struct.pack("<IiiHH", 40, picture.width, rows or picture.height, 1, 4 if halved else 8)
        + struct.pack("<IIiiII", 2 if halved else 1, len(packed), 7874, 7874, colours, 0)
        + palette
        + packed
    )


def _halved(pixels: list[int]) -> bytes:
    padded = [*pixels, *pixels[-1:]]
    return bytes(
        16 * one + other for one, other in zip(padded[: len(pixels) : 2], padded[1::2], strict=False)
    )


def _row(picture: Image.Image, y: int, pack: Any, *, alone: bool) -> bytes:
    pixels, x, packed = list(picture.crop((0, y, picture.width, y + 1)).tobytes()), 0, b""
    while x < len(pixels):
        run = 1
        while run < min(_LONGEST, len(pixels) - x) and pixels[x + run] == pixels[x]:
            run += 1
        if alone and run < _ALONE <= len(pixels) - x:
            body = pack(pixels[x : x + _ALONE])
            packed += bytes((0, _ALONE)) + body + bytes(len(body) % 2)
            x += _ALONE
        else:
            packed += bytes((run,)) + pack([pixels[x]] * 2)[:1]
            x += run
    return packed + b"\0\0"
