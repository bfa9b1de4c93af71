"""A lossless JPEG (ITU-T T.81, annex H), which medical devices and old scanners write and no library here does."""

from __future__ import annotations

import struct

from PIL import Image

_START, _END = b"\xff\xd8", b"\xff\xd9"


def lossless_jpeg(picture: Image.Image) -> bytes:
    """Of 8-bit grey, each pixel told by its difference from the one before it."""
    width, height = picture.size
    # Seventeen lengths of differences, all with codes of five bits.
    table = bytes([0, 0, 0, 0, 17, *[0] * 11]) + bytes(range(17))
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    scan = b"\x01\x01\x00" + b"\x01\x00\x00"
    head = (
        _segment(0xE0, b"JFIF\0\1\1\1\0\xc8\0\xc8\0\0")
        + _segment(0xC4, b"\0" + table)
        + _segment(0xC3, frame)
    )
    data = _stuffed("".join(_codes(picture)))
    return _START + head + _segment(0xDA, scan) + data + _END


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _codes(picture: Image.Image) -> list[str]:
    (width, height), samples, codes = picture.size, picture.tobytes(), []
    for at in range(width * height):
        # The first of a row is told by the one above it.
        before = samples[at - 1] if at % width else samples[at - width] if at else 128
        codes.append(_code(samples[at] - before))
    return codes


def _code(difference: int) -> str:
    length = abs(difference).bit_length()
    if not length:
        return f"{0:05b}"
    value = difference if difference > 0 else difference + (1 << length) - 1
    return f"{length:05b}{value:0{length}b}"


def _stuffed(bits: str) -> bytes:
    bits = bits.ljust(-(-len(bits) // 8) * 8, "1")
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
