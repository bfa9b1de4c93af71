"""CCITT fax codes: how many rows of a picture are in its coded data.

A decoder fills up what is missing and says nothing. So libtiff is given the data twice, with two ends: from the first row
on in which that makes a difference, the data are not the file's.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

from PIL import Image, ImageChops

from ocr_worker.engines.images import headers
from ocr_worker.engines.images.complaints import heard

_NOTHING, _ANYTHING = b"\0" * 64, b"\x5a\xa7\x3c\x99\x12\xe4\xd1\x0b" * 512
_END_OF_LINE, _TWO_WHITE, _64_BLACK, _NO_MORE_BLACK = "000000000001", "0111", "0000001111", "0000110111"
_2D = 1
_MOST_PIXELS = 1 << 27
"""Larger ones would take the memory of the page that they are on."""
RLE, GROUP_3, GROUP_4 = 2, 3, 4
_LOW_BIT_FIRST = 2
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class Coding:
    """As TIFF's tags say it: 259, 292 and 266."""

    compression: int
    options: int = 0
    fill_order: int = 1


def rows_held(data: bytes, size: tuple[int, int], coding: Coding) -> int:
    """Of the picture's rows those that are there; all where it is too large to tell."""
    if size[0] * size[1] > _MOST_PIXELS:
        return size[1]
    first, second = (_decoded(data + end, size, coding) for end in (_NOTHING, _lines(coding)))
    if first is None or second is None:
        return 0
    differing = ImageChops.logical_xor(first, second).getbbox()
    return size[1] if differing is None else differing[1]


def unpacked(data: bytes, size: tuple[int, int], coding: Coding) -> bytes:
    """Bits of the rows that are there, white as 0."""
    picture = _decoded(data, size, coding) if data else None
    if picture is None:
        return b""
    rows = rows_held(data, size, coding)
    return ImageChops.invert(picture.crop((0, 0, size[0], rows))).tobytes()


def with_its_end(data: bytes, coding: Coding) -> bytes:
    """Up to the mark that ends a fax of group 4, nothing where there is none; all of others, which have none for sure."""
    if coding.compression != GROUP_4:
        return data
    plain = data.translate(_REVERSED) if coding.fill_order == _LOW_BIT_FIRST else data
    bits = f"{int.from_bytes(plain, 'big'):0{8 * len(plain)}b}"
    at = bits.find(2 * _END_OF_LINE)
    return data[: (at + 2 * len(_END_OF_LINE) + 7) // 8] if at >= 0 else b""


def _lines(coding: Coding) -> bytes:
    """Codes that show. Where lines have marks, a decoder waits for the next one."""
    if coding.compression != GROUP_3:
        return _ANYTHING
    mark = _END_OF_LINE + ("1" if coding.options & _2D else "")
    bits = (mark + _TWO_WHITE + _64_BLACK + _NO_MORE_BLACK) * 64
    content = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    return content.translate(_REVERSED) if coding.fill_order == _LOW_BIT_FIRST else content


def _decoded(data: bytes, size: tuple[int, int], coding: Coding) -> Image.Image | None:
    with heard():
        try:
            with Image.open(io.BytesIO(_as_tiff(data, size, coding)), formats=["TIFF"]) as picture:
                decoded: Image.Image = picture.convert("1")
                return decoded
        except headers.BROKEN:
            return None


def _as_tiff(data: bytes, size: tuple[int, int], coding: Coding) -> bytes:
    tags = {
        256: size[0], 257: size[1], 258: 1, 259: coding.compression, 262: 0, 266: coding.fill_order, 277: 1,
        278: size[1], 279: len(data),
    }  # fmt: skip
    if coding.compression == GROUP_3:
        tags[292] = coding.options
    tags[273] = 8 + 2 + 12 * (len(tags) + 1) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data
