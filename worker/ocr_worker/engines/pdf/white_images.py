"""Whether a PDF's image is white throughout: told from its stream, unpacked once and to its end, with nothing drawn.

Only plain images are told so: DeviceGray or DeviceRGB, deflated, with PNG's row filters or none.
Source of the filters: PNG specification, section 9.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from pikepdf import Array, Dictionary, Name

PLAIN_KEYS = {
    "/Type", "/Subtype", "/Width", "/Height", "/BitsPerComponent", "/ColorSpace", "/Filter", "/DecodeParms", "/Length",
    "/Name", "/Interpolate", "/Intent",
}  # fmt: skip
"""Any other may change what is shown: a mask, another meaning of the samples."""
_COLOURS = ((Name.DeviceGray, 1), (Name.DeviceRGB, 3))
_DEPTHS = (1, 2, 4, 8)
_NO_PREDICTOR, _PNG_PREDICTORS = 1, range(10, 16)
_PIECE_BYTES = 1 << 16


class _Rows(NamedTuple):
    """How an image's samples lie in its stream."""

    height: int
    bits: int
    pixel_bits: int
    filtered: bool


def is_white(image: Any) -> bool:
    """Whether all of its samples are there, and white; also False for an image of another kind."""
    rows = _rows(image)
    if rows is None:
        return False
    packed = image.read_raw_bytes()
    return any(_holds_alone(packed, rows, white) for white in _white_rows(rows.bits))


def _rows(image: Any) -> _Rows | None:
    """None for anything that is not plain."""
    space, depth = image.get("/ColorSpace"), image.get("/BitsPerComponent")
    colours = next((count for name, count in _COLOURS if space == name), None)
    settings = _sole(image.get("/DecodeParms", Dictionary()))
    if colours is None or depth not in _DEPTHS or not set(image.keys()) <= PLAIN_KEYS:
        return None
    if _sole(image.get("/Filter")) != Name.FlateDecode or not isinstance(settings, Dictionary):
        return None
    predictor = settings.get("/Predictor", _NO_PREDICTOR)
    sizes = settings.get("/Colors", 1), settings.get("/BitsPerComponent", 8), settings.get("/Columns", 1)
    filtered = predictor in _PNG_PREDICTORS and sizes == (colours, depth, image.Width)
    if not filtered and predictor != _NO_PREDICTOR:
        return None
    return _Rows(int(image.Height), int(image.Width) * colours * depth, colours * depth, filtered)


def _sole(value: Any) -> Any:
    """A list of one stands for what is in it."""
    return value[0] if isinstance(value, Array) and len(value) == 1 else value


def _holds_alone(packed: bytes, rows: _Rows, row: bytes) -> bool:
    """Whether a zlib stream is whole and holds this row, so many times, and nothing else.

    It is unpacked as far as that is so, in pieces that stay in the processor's cache.
    """
    unpacker, length, above = zlib.decompressobj(), len(row) + rows.filtered, bytes(len(row))
    try:
        for count in _portions(rows.height, length):
            piece, packed = unpacker.decompress(packed, count * length), unpacker.unconsumed_tail
            if len(piece) < count * length or not _is_repeated(piece, rows, row, above):
                return False
            above = row
        more = unpacker.decompress(packed, 1)
    except zlib.error:
        return False
    return not more and unpacker.eof


def _portions(rows: int, length: int) -> Iterator[int]:
    """How many are looked at at once: the first, above which there is none, by itself."""
    most = max(1, _PIECE_BYTES // length)
    if rows > 0:
        yield 1
    yield from (min(most, rows - at) for at in range(1, rows, most))


def _white_rows(row_bits: int) -> tuple[bytes, ...]:
    """Encoders leave the bits beyond a row's end all set or all clear."""
    whole, rest = b"\xff" * (row_bits // 8), row_bits % 8
    return (whole + b"\xff", whole + bytes([0xFF << (8 - rest) & 0xFF])) if rest else (whole,)


def _is_repeated(piece: bytes, rows: _Rows, row: bytes, above: bytes) -> bool:
    """Whether this is the same row again and again, each through a filter that its first byte names where rows are filtered."""
    if not rows.filtered:
        return piece == row * (len(piece) // len(row))
    length, pixel_bytes = len(row) + 1, max(1, rows.pixel_bits // 8)
    first = piece[:length]
    if piece == first * (len(piece) // length):
        piece = first
    starts = range(0, len(piece), length)
    return all(piece[at : at + length] == _filtered(piece[at], row, above, pixel_bytes) for at in starts)


@lru_cache(maxsize=64)
def _filtered(kind: int, row: bytes, above: bytes, pixel_bytes: int) -> bytes:
    """A row as PNG's filter of this number leaves it; nothing for a number that there is not."""
    left, corner = (bytes(pixel_bytes) + other[:-pixel_bytes] for other in (row, above))
    predicted = {0: bytes(len(row)), 1: left, 2: above}.get(kind)
    if kind == 3:
        predicted = bytes((a + b) // 2 for a, b in zip(left, above, strict=True))
    elif kind == 4:
        predicted = bytes(map(_paeth, left, above, corner))
    if predicted is None:
        return b""
    return bytes([kind, *((sample - guess) & 0xFF for sample, guess in zip(row, predicted, strict=True))])


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda near: abs(guess - near))
