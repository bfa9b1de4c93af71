"""What lies in the streams of a PDF, and whether it is whole: viewers make do with what there is of a torn one.

Cheap enough for every page. Told for Flate, JPEG and unpacked streams; JPX, JBIG2 and CCITT only PDFium knows.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import pikepdf
from pikepdf import Array, Name

from ocr_worker.engines.pdf import jpeg

MOST_BYTES = 32 << 20
"""Of a content stream no more is looked at: it may be a bomb."""
_MOST_FOREIGN_BYTES = 1 << 20
"""What qpdf, which knows no limit, is given to unpack."""
_PIECE_BYTES = 1 << 18
_DEFLATED = 8
_FLUSHED, _TAIL_BYTES = b"\0\0\xff\xff", 16
_WHOLE_SHARE = 0.99
"""Of an image: viewers forgive a last row that is missing, and so do we."""
_COLOURS = {
    "/DeviceGray": 1, "/CalGray": 1, "/Indexed": 1, "/Separation": 1,
    "/DeviceRGB": 3, "/CalRGB": 3, "/Lab": 3, "/DeviceCMYK": 4,
}  # fmt: skip
_PNG_PREDICTORS = range(10, 16)


class TornError(Exception):
    """A stream ends before its time, or can't be unpacked."""


def content(stream: Any) -> bytes:
    """What a content stream holds, or the beginning of much. Raises TornError."""
    if not isinstance(stream, pikepdf.Stream):
        raise TornError
    packed, filters = _raw(stream), _filters(stream)
    if set(filters) - {Name.FlateDecode} or "/DecodeParms" in stream:
        return _unpacked_by_qpdf(stream) if len(packed) <= _MOST_FOREIGN_BYTES else b""
    for number, _ in enumerate(filters, 1):
        packed = _beginning(packed)
        if len(packed) >= MOST_BYTES and number < len(filters):
            return b""
    return packed[:MOST_BYTES]


def is_whole_image(image: Any) -> bool:
    """Whether an image's stream holds all of its rows; True also where that can't be told."""
    packed, filters = _raw(image), _filters(image)
    try:
        while filters[1:] and filters[0] == Name.FlateDecode:
            packed, filters = _beginning(packed), filters[1:]
            if len(packed) >= MOST_BYTES:
                return True
        match [_spelled(name) for name in filters]:
            case ["/DCTDecode"]:
                return jpeg.is_whole(packed, _pixels(image))
            case ["/FlateDecode"]:
                return _reaches(_inflated(packed), _due_bytes(image))
            case []:
                return _reaches(iter([packed]), _due_bytes(image))
            case _:
                return True
    except TornError:
        return False


def _raw(stream: Any) -> bytes:
    try:
        packed: bytes = stream.read_raw_bytes()
    except (pikepdf.PdfError, RuntimeError) as error:
        raise TornError from error
    return packed


def _filters(stream: Any) -> list[Any]:
    filters = stream.get("/Filter")
    return list(filters) if isinstance(filters, Array) else [] if filters is None else [filters]


def _unpacked_by_qpdf(stream: Any) -> bytes:
    try:
        unpacked: bytes = stream.read_bytes()
    except (pikepdf.PdfError, RuntimeError) as error:
        raise TornError from error
    return unpacked


def _beginning(packed: bytes) -> bytes:
    found, size = [], 0
    for piece in _inflated(packed):
        found.append(piece)
        size += len(piece)
        if size >= MOST_BYTES:
            break
    return b"".join(found)


def _inflated(packed: bytes) -> Iterator[bytes]:
    """What was deflated, piece by piece. Raises TornError at its end if that comes before the last block."""
    if not packed:
        return
    if len(packed) < 2 or packed[0] & 15 != _DEFLATED or int.from_bytes(packed[:2], "big") % 31:
        raise TornError
    # From behind the header: viewers mind neither a wrong checksum nor none.
    unpacker, rest = zlib.decompressobj(-zlib.MAX_WBITS), memoryview(packed)[2:]
    try:
        while rest and not unpacker.eof:
            piece, rest = rest[:_PIECE_BYTES], rest[_PIECE_BYTES:]
            yield from _pieces(unpacker, piece)
    except zlib.error as error:
        raise TornError from error
    # Some writers never end what they flush.
    if not unpacker.eof and not packed[-_TAIL_BYTES:].rstrip().endswith(_FLUSHED):
        raise TornError


def _pieces(unpacker: Any, packed: Any) -> Iterator[bytes]:
    piece = None
    # Full pieces may leave some behind in the unpacker, even when all of its food is eaten.
    while piece is None or (not unpacker.eof and (packed or len(piece) == _PIECE_BYTES)):
        piece = unpacker.decompress(packed, _PIECE_BYTES)
        yield piece
        packed = unpacker.unconsumed_tail


def _reaches(pieces: Iterator[bytes], due: int | None) -> bool:
    """Whether so many bytes come, or where nobody knows how many, whatever comes to its end."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if due is not None and size >= due:
            return True
    return due is None or size >= _WHOLE_SHARE * due


def _due_bytes(image: Any) -> int | None:
    """How much an image's rows take unpacked; None when that can't be told."""
    try:
        bits = 1 if image.get("/ImageMask", False) else int(image.BitsPerComponent)
        colours = 1 if image.get("/ImageMask", False) else _colours(image.ColorSpace)
        settings = image.get("/DecodeParms", pikepdf.Dictionary())
        settings = settings[-1] if isinstance(settings, Array) else settings
        filtered = (
            isinstance(settings, pikepdf.Dictionary) and settings.get("/Predictor", 1) in _PNG_PREDICTORS
        )
        return int(image.Height) * ((int(image.Width) * bits * colours + 7) // 8 + filtered)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return None


def _pixels(image: Any) -> int:
    try:
        return int(image.Width) * int(image.Height)
    except (AttributeError, KeyError, TypeError, ValueError):
        return 0


def _colours(space: Any) -> int:
    if not isinstance(space, Array):
        return _COLOURS[_spelled(space)]
    match _spelled(space[0]):
        case "/ICCBased":
            return int(space[1].N)
        case "/DeviceN":
            return len(space[1])
        case name:
            return _COLOURS[name]


def _spelled(name: Any) -> str:
    """As it is written in a PDF: a name that is not UTF-8 can't be had as text."""
    return name.unparse().decode("latin-1") if isinstance(name, pikepdf.Object) else str(name)
