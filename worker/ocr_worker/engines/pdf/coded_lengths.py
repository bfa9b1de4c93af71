"""How much of a JPEG 2000 or JBIG2 picture is there, by the lengths that its own parts state: nothing is decoded.

Sources: ITU-T T.800, annexes A and I; ITU-T T.88, chapter 7.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_CODESTREAM, _EOC = b"\xff\x4f", b"\xff\xd9"
_SIZ, _SOT = 0xFF51, 0xFF90
_FILE_ID = b"\x97JB2\r\n\x1a\n"
_REGIONS = {6, 7, 22, 23, 38, 39, 42, 43}
"""Segments that put something on the page at once."""
_UNKNOWN_LENGTH = 0xFFFFFFFF
_REGION_ENDS = (b"\xff\xac", b"\0\0")
_ROW_COUNT_BYTES = 4


def jpx_share(data: bytes) -> float:
    """Of the tiles, or of the bytes of the one that breaks off; 0 where nothing can be decoded."""
    at = _codestream_start(data)
    tiles, shares = 0, dict[int, float]()
    while at is not None and at + 4 <= len(data):
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == _SIZ:
            tiles = _tile_count(data[at + 6 : at + 38])
        elif marker == _SOT and at + 12 <= len(data):
            tile, length, _, parts = struct.unpack_from(">HIBB", data, at + 4)
            # A part without a length goes on to the end, which is marked.
            length = length or _to_end(data, at)
            there = min(1.0, (len(data) - at) / length) if length else 0.0
            shares[tile] = shares.get(tile, 0.0) + there / (parts or 1)
            at -= 2
        elif marker >> 8 != 0xFF or data[at : at + 2] == _EOC:
            break
        at += 2 + max(2, length)
    # Six sixths of a tile are less than 1 in floating point.
    there = sum(min(1.0, round(share, 6)) for share in shares.values())
    return min(1.0, there / tiles) if tiles else 0.0


def jpx_size(data: bytes) -> tuple[int, int] | None:
    """Of the picture, as its codestream says it."""
    at = _codestream_start(data)
    if at is None or data[at : at + 2] != _SIZ.to_bytes(2, "big") or len(data) < at + 22:
        return None
    right, lower, left, upper = struct.unpack_from(">4I", data, at + 6)
    return right - left, lower - upper


def _codestream_start(data: bytes) -> int | None:
    """Behind its start marker; pictures in PDFs may come with boxes around it or without."""
    if data.startswith(_CODESTREAM):
        return len(_CODESTREAM)
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        header = 16 if length == 1 else 8
        if kind == b"jp2c":
            start = at + header
            return start + len(_CODESTREAM) if data[start : start + 2] == _CODESTREAM else None
        length = int.from_bytes(data[at + 8 : at + 16], "big") if length == 1 else length
        if length < header:
            return None
        at += length
    return None


def _tile_count(siz: bytes) -> int:
    if len(siz) < 32:
        return 0
    width, height, _, _, tile_width, tile_height, left, top = struct.unpack(">8I", siz)
    if not tile_width or not tile_height:
        return 0
    return int(-(-(width - left) // tile_width) * -(-(height - top) // tile_height))


def _to_end(data: bytes, at: int) -> int:
    return len(data) - at if data.rstrip(b"\0\r\n").endswith(_EOC) else 0


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    there: int
    """Bytes of it that are there, its header included."""
    due: int


def jbig2_share(data: bytes) -> float:
    """Of the packed bytes that are due; 0 where nothing of the picture can be decoded."""
    segments = list(_segments(data))
    if not any(segment.kind in _REGIONS and segment.there > 0 for segment in segments):
        return 0.0
    due = sum(segment.due for segment in segments)
    return sum(segment.there for segment in segments) / due if due else 0.0


def _segments(data: bytes) -> Iterator[_Segment]:
    """To the end of the data, or to the first that is not whole."""
    at = len(_FILE_ID) + (5 if data[8:9] and not data[8] & 2 else 1) if data.startswith(_FILE_ID) else 0
    while at < len(data):
        header = _segment_header(data, at)
        if header is None:
            # What its header says is cut off.
            yield _Segment(0, len(data) - at, len(data) - at + 1)
            return
        kind, start, length = header
        there = min(length, len(data) - start)
        yield _Segment(kind, there + start - at, length + start - at)
        if there < length:
            return
        at = start + length


def _segment_header(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Kind of the segment, where its data begin and how long they are."""
    try:
        number, flags, counts = struct.unpack_from(">IBB", data, at)
        references, at = counts >> 5, at + 6
        if references == 7:
            (counts,) = struct.unpack_from(">I", data, at - 1)
            references = counts & 0x1FFFFFFF
            at += 3 + (references + 8) // 8
        at += references * (1 if number <= 256 else 2 if number <= 65_536 else 4)
        at += 4 if flags & 0x40 else 1
        (length,) = struct.unpack_from(">I", data, at)
    except struct.error:
        return None
    start = at + 4
    return flags & 63, start, _known_length(data, start) if length == _UNKNOWN_LENGTH else length


def _known_length(data: bytes, start: int) -> int:
    """Of a generic region that ends in a mark and the number of its rows; more than there is where it has none."""
    ends = [at for mark in _REGION_ENDS if (at := data.rfind(mark, start)) >= 0]
    length = max(ends, default=len(data)) + 2 + _ROW_COUNT_BYTES - start
    return length if length <= len(data) - start else len(data) - start + 1
