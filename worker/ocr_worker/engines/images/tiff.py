"""What is in a TIFF: which of its pictures are pages, and the JPEG that one is packed as.

Pillow takes every directory for a page, and gives no packed data.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from PIL import Image

from ocr_worker.engines.images import jpeg_stream
from ocr_worker.errors import TooLargeError

MAX_FRAMES = 10_000
"""To find a frame takes a walk along all before it."""
_NEW_SUBFILE, _SUBFILE = 254, 255
_REDUCED_OR_MASK, _OLD_REDUCED = 1 | 4, 2
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_OFFSETS, _ORIENTATION, _ROWS_PER_STRIP, _LENGTHS, _PLANAR = 273, 274, 278, 279, 284
_TILE_OFFSETS, _TILE_LENGTHS, _JPEG_TABLES, _PROFILE = 324, 325, 347, 34675
_OLD_JPEG, _JPEG, _LONG = 6, 7, 4
_OLD_JPEG_AT = 513
_TRANSFORMS = {1: None, 2: 0, 6: 1}
"""Photometric interpretation to Adobe's mark: grey, RGB, YCbCr."""
_MOST_IN_SEGMENT = 65_519
_MOST_MCUS = 65_535
_MOST_ENTRIES = 65_535
_FIRST_NAMED_AT = 4
_OF_TAGS = ("TIFFReadDirectory", "TIFFFetch", "TIFFAdvanceDirectory", "_TIFFVGetField", "_TIFFVSetField")


@dataclass(frozen=True, slots=True)
class Frames:
    pages: tuple[int, ...]
    """Numbers of the pictures that are pages: neither thumbnails nor masks, if there are any others."""
    breaks_off: bool
    """There were more, and the file ends before them."""


def frames(stream: BinaryIO) -> Frames:
    """Raises TooLargeError above MAX_FRAMES."""
    walk = _Directories(stream)
    found, count = [], 0
    for count, kind in enumerate(walk, 1):
        if count > MAX_FRAMES:
            raise TooLargeError(f"The file has more than {MAX_FRAMES:,} frames; split it")
        if not (kind.get(_NEW_SUBFILE, 0) & _REDUCED_OR_MASK or kind.get(_SUBFILE) == _OLD_REDUCED):
            found.append(count - 1)
    return Frames(tuple(found or range(count)), walk.breaks_off)


class Place(NamedTuple):
    """Of a directory."""

    order: str
    """Of bytes."""
    at: int
    named_at: int
    """Where the file says so."""


def directory(stream: BinaryIO, number: int) -> Place | None:
    """Where the picture with this number, from 0 on, has its tags; None in a BigTIFF."""
    order, is_big, at = _head(stream)
    if is_big:
        return None
    named_at = _FIRST_NAMED_AT
    for _ in range(number):
        stream.seek(at)
        (count,) = struct.unpack(order + "H", stream.read(2))
        named_at = at + 2 + 12 * count
        stream.seek(named_at)
        (at,) = struct.unpack(order + "I", stream.read(4))
    return Place(order, at, named_at)


def with_first_put_by(content: bytes) -> bytes | None:
    """With another picture of one pixel in place of the first, so that those behind it can be read; None where none are."""
    order, is_big, at = _head(io.BytesIO(content[:16]))
    if not at:
        return None
    (count,) = struct.unpack_from(order + "H", content, at) if at + 2 <= len(content) else (0,)
    end = at + 2 + 12 * count
    behind = content[end : end + 4]
    if is_big or not count or len(behind) < 4 or not any(behind):
        return None
    pixel = len(content) + len(content) % 2
    stand_in = {
        _WIDTH: 1,
        _HEIGHT: 1,
        _BITS: 8,
        _COMPRESSION: 1,
        _PHOTOMETRIC: 1,
        _OFFSETS: pixel,
        _LENGTHS: 1,
    }
    entries = b"".join(struct.pack(order + "HHII", tag, _LONG, 1, value) for tag, value in stand_in.items())
    directory = struct.pack(order + "H", len(stand_in)) + entries + behind
    head = content[:4] + struct.pack(order + "I", pixel + 2)
    return head + content[8:].ljust(pixel - 8, b"\0") + bytes(2) + directory


class _Directories:
    """What each says of its picture's kind, one after the other."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.breaks_off = False

    def __iter__(self) -> Iterator[dict[int, int]]:
        order, is_big, at = _head(self._stream)
        entry, count_format, next_format = (20, "Q", "Q") if is_big else (12, "H", "I")
        seen: set[int] = set()
        # Further out no system looks for anything.
        size = self._stream.seek(0, io.SEEK_END)
        while at and at not in seen:
            seen.add(at)
            if at >= size:
                self.breaks_off = True
                return
            self._stream.seek(at)
            count = self._number(order + count_format)
            entries = self._stream.read(min(count or 0, _MOST_ENTRIES) * entry)
            self.breaks_off = len(entries) < (count or 1) * entry
            if not entries:
                return
            yield dict(_kind_tags(entries, order, entry))
            at = self._number(order + next_format) or 0

    def _number(self, kind: str) -> int | None:
        read = self._stream.read(struct.calcsize(kind))
        return int(struct.unpack(kind, read)[0]) if len(read) == struct.calcsize(kind) else None


def _head(stream: BinaryIO) -> tuple[str, bool, int]:
    stream.seek(0)
    head = stream.read(16)
    order = ">" if head.startswith(b"MM") else "<"
    is_big = head[2:4] in (b"+\0", b"\0+")
    place = head[8:16] if is_big else head[4:8]
    return order, is_big, int.from_bytes(place, "big" if order == ">" else "little")


def _kind_tags(entries: bytes, order: str, size: int) -> Iterator[tuple[int, int]]:
    for at in range(0, len(entries) - size + 1, size):
        tag, kind = struct.unpack_from(order + "HH", entries, at)
        if tag in (_NEW_SUBFILE, _SUBFILE):
            value = entries[at + (8 if size == 12 else 12) : at + size]
            yield tag, struct.unpack_from(order + ("H" if kind == 3 else "I"), value)[0]


def _packed(tags: Any, stream: BinaryIO) -> Iterator[bytes]:
    """The data of strips or tiles."""
    offsets, lengths = (_OFFSETS, _LENGTHS) if _OFFSETS in tags else (_TILE_OFFSETS, _TILE_LENGTHS)
    for offset, length in zip(tags[offsets], tags.get(lengths, ()), strict=False):
        stream.seek(offset)
        yield stream.read(length)


def packed_jpeg(image: Image.Image, path: Path) -> bytes | None:
    """The JPEG that the selected picture is, in one piece; None where it is another kind, or can't be put together."""
    tags: Any = getattr(image, "tag_v2", {})
    if tags.get(_COMPRESSION) != _JPEG or _TILE_OFFSETS in tags or _OFFSETS not in tags:
        return None
    if (
        tags.get(_PHOTOMETRIC) not in _TRANSFORMS
        or tags.get(_ORIENTATION, 1) != 1
        or tags.get(_PLANAR, 1) != 1
    ):
        return None
    with path.open("rb") as stream:
        joined = _joined(_parts(tags, stream), tags)
    if joined is None:
        return None
    return b"\xff\xd8" + _marks(_TRANSFORMS[tags[_PHOTOMETRIC]], tags.get(_PROFILE)) + joined[2:]


def jpegs(tags: Any, stream: BinaryIO) -> list[bytes]:
    """Those that a picture is packed as: one, where its strips can be put together."""
    if tags.get(_COMPRESSION) != _JPEG:
        return []
    parts = _parts(tags, stream)
    joined = _joined(parts, tags) if _OFFSETS in tags else None
    return [joined] if joined else parts


def is_jpeg(tags: Any) -> bool:
    return bool(tags.get(_COMPRESSION) == _JPEG)


def is_old_jpeg(tags: Any) -> bool:
    """Whether it is packed as programs packed JPEGs before TIFF 6.0 was mended, of which libtiff here knows nothing."""
    return bool(tags.get(_COMPRESSION) == _OLD_JPEG)


def old_jpeg(tags: Any, content: bytes) -> bytes | None:
    """The one that such a picture is, where it lies in the file in one piece."""
    for start in (tags.get(_OLD_JPEG_AT), *tags.get(_OFFSETS, ())[:1]):
        found = jpeg_stream.layout(content[start:]) if isinstance(start, int) else None
        if found is not None and found.size == (tags.get(_WIDTH), tags.get(_HEIGHT)):
            return found.whole()
    return None


def _parts(tags: Any, stream: BinaryIO) -> list[bytes]:
    """Of a JPEG: each with the tables that it shares with the others."""
    tables = bytes(tags.get(_JPEG_TABLES, b""))[2:-2]
    return [b"\xff\xd8" + tables + part[2:] for part in _packed(tags, stream)]


def _joined(parts: list[bytes], tags: Any) -> bytes | None:
    """Strips as one JPEG, with a restart marker where one strip followed the other."""
    size = tags[_WIDTH], tags[_HEIGHT]
    rows = tags.get(_ROWS_PER_STRIP, size[1])
    found = [jpeg_stream.layout(part) for part in parts]
    layouts = [one for one in found if one is not None and _is_joinable(one)]
    if not layouts or len(layouts) < len(found):
        return None
    first = layouts[0]
    interval = _interval(first, rows)
    if len(layouts) > 1 and (interval is None or len({_head_of(one) for one in layouts}) > 1):
        return None
    head = first.with_height(size[1])
    if head is None or head.size != size:
        return None
    start = head.content[: first.scans[0].start]
    if len(layouts) > 1:
        dri = struct.pack(">HHH", 0xFFDD, 4, interval)
        start = start[: first.frame_at] + dri + start[first.frame_at :]
    pieces = [one.content[one.scans[0].start : one.scans[0].end] for one in layouts]
    data = b"".join(piece + bytes([0xFF, 0xD0 + number % 8]) for number, piece in enumerate(pieces[:-1]))
    return start + data + pieces[-1] + b"\xff\xd9"


def _is_joinable(one: jpeg_stream.Layout) -> bool:
    return one.is_plain and len(one.scans) == 1 and not one.restart_interval and not one.is_progressive


def _head_of(one: jpeg_stream.Layout) -> bytes:
    """All but its height."""
    head = one.content[: one.scans[0].start]
    return head[: one.frame_at + 5] + head[one.frame_at + 7 :]


def _interval(one: jpeg_stream.Layout, rows: int) -> int | None:
    """Blocks of a strip, if it has whole rows of them."""
    across, down = one.mcu
    count = -(-one.size[0] // across) * (rows // down)
    return count if rows % down == 0 and 0 < count <= _MOST_MCUS else None


def _marks(transform: int | None, profile: Any) -> bytes:
    """How colours are stored, which only the TIFF says, and what they mean."""
    marks = b""
    if transform is not None:
        marks = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([transform])
    chunks = [profile[at : at + _MOST_IN_SEGMENT] for at in range(0, len(profile or b""), _MOST_IN_SEGMENT)]
    for number, chunk in enumerate(chunks, 1):
        body = b"ICC_PROFILE\0" + bytes([number, len(chunks)]) + chunk
        marks += b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body
    return marks


def of_pictures(complaints: list[str]) -> tuple[str, ...]:
    """Those that are of data; of tags many a sound file makes libtiff complain."""
    return tuple(line for line in complaints if line and not line.startswith(_OF_TAGS))
