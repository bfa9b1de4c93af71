"""How much of a TIFF's picture lies in its strips or tiles, where no decoder complains of what is missing.

That is so for faxes and JPEGs, which are filled up, and for samples that nothing packs, which Pillow takes from wherever
the offsets lead to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise, repeat
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from ocr_worker.engines.images import fax, jpeg_stream

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _FILL_ORDER, _COLOURS = 256, 257, 258, 259, 266, 277
_OFFSETS, _ROWS_PER_STRIP, _LENGTHS, _PLANAR, _T4_OPTIONS = 273, 278, 279, 284, 292
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_LENGTHS, _JPEG_TABLES = 322, 323, 324, 325, 347
_PHOTOMETRIC, _YCBCR = 262, 6
_PLAIN, _JPEG, _IN_PLANES = 1, 7, 2
FORGIVEN_ROWS = 2
"""Of a fax and a JPEG: viewers miss no more."""
_TO_THE_END = -1
"""Of the file: the length of each part where the file tells of none, as libtiff takes it."""
_MORE = 1.5


@dataclass(frozen=True, slots=True)
class Part:
    """A strip or tile."""

    size: tuple[int, int]
    """As it is packed: a tile is whole, though the picture ends within it."""
    rows: int
    """That the picture has of it."""
    offset: int | None
    """None where the file names no such part."""
    length: int


_Measure = Callable[[BinaryIO, Part], int]
"""How many rows of a part are there."""


def share(image: Image.Image, path: Path) -> float:
    """Of the selected picture's rows those that are there; 1 for what its decoder complains of."""
    with path.open("rb") as stream:
        return share_of(getattr(image, "tag_v2", {}), stream)


def share_of(tags: Any, stream: BinaryIO) -> float:
    """The same of the picture with these tags."""
    parts = list(parts_of(tags)) if tags.get(_COMPRESSION, _PLAIN) in _MEASURES else []
    if not parts:
        return 1.0
    measure = _MEASURES[tags.get(_COMPRESSION, _PLAIN)](tags, parts)
    held = sum(_held(part, measure, stream) for part in parts)
    return held / sum(part.rows for part in parts)


def _held(part: Part, measure: _Measure, stream: BinaryIO) -> int:
    if part.offset is None:
        return 0
    there = measure(stream, part)
    return part.rows if there >= least_rows(part) else there


def least_rows(part: Part) -> int:
    """Of a fax or a JPEG, with which nobody misses any."""
    return max(1, part.rows - FORGIVEN_ROWS)


def parts_of(tags: Any) -> Iterator[Part]:
    """In the order in which the file lists them."""
    width, height = tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0)
    if _TILE_OFFSETS in tags:
        size = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_HEIGHT, 0)
        offsets, lengths = tags[_TILE_OFFSETS], tags.get(_TILE_LENGTHS, ())
    else:
        offsets, lengths = tags.get(_OFFSETS, ()), tags.get(_LENGTHS, ())
        size = width, _rows_per_strip(tags, height, len(offsets))
    if not (offsets and all(size) and width and height):
        return
    planes = tags.get(_COLOURS, 1) if tags.get(_PLANAR) == _IN_PLANES else 1
    known = chain(lengths, repeat(0)) if any(lengths) else repeat(_TO_THE_END)
    places = chain(zip(offsets, known, strict=False), repeat((None, 0)))
    for _ in range(planes):
        for top in range(0, height, size[1]):
            rows = min(size[1], height - top)
            for _ in range(0, width, size[0]):
                offset, length = next(places)
                yield Part(size if _TILE_OFFSETS in tags else (width, rows), rows, offset, length)


def _rows_per_strip(tags: Any, height: int, strips: int) -> int:
    """As the file says; all of them in the one strip of a picture that has no more."""
    planes = tags.get(_COLOURS, 1) if tags.get(_PLANAR) == _IN_PLANES else 1
    said: int = min(tags.get(_ROWS_PER_STRIP, height) or height, height)
    return height if strips == planes else said


def holds_more(tags: Any, stream: BinaryIO) -> bool:
    """Whether the file has half as much again of the picture as it says: rows of it are not shown, or bits of each pixel."""
    parts = list(parts_of(tags))
    offsets = tags.get(_OFFSETS, ()) if _TILE_OFFSETS not in tags else tags[_TILE_OFFSETS]
    lengths = tags.get(_LENGTHS, ()) if _TILE_OFFSETS not in tags else tags.get(_TILE_LENGTHS, ())
    size = stream.seek(0, 2)
    there = {at: length for at, length in zip(offsets, lengths, strict=False) if at + length <= size}
    if not parts or any(part.offset not in there for part in parts):
        return False
    if len(there) >= _MORE * len(parts):
        return all(there.values())
    if is_fax(tags) and len(parts) == 1:
        data = packed(stream, parts[0])
        enough = data[: round(len(data) / _MORE)]
        return fax.rows_held(enough, parts[0].size, fax_coding(tags)) == parts[0].rows
    if tags.get(_COMPRESSION, _PLAIN) != _PLAIN or tags.get(_PHOTOMETRIC) == _YCBCR:
        return False
    due = sum(_row_bytes(part, tags) * part.size[1] for part in parts)
    return bool(sum(there.values()) >= _MORE * due)


def _row_bytes(part: Part, tags: Any) -> int:
    bits = tags.get(_BITS, (1,))
    a_pixel: int = bits[0] if tags.get(_PLANAR) == _IN_PLANES else sum(bits)
    return max(1, (part.size[0] * a_pixel + 7) // 8)


def is_fax(tags: Any) -> bool:
    return tags.get(_COMPRESSION) in (fax.RLE, fax.GROUP_3, fax.GROUP_4)


def fax_coding(tags: Any) -> fax.Coding:
    return fax.Coding(tags[_COMPRESSION], tags.get(_T4_OPTIONS, 0), tags.get(_FILL_ORDER, 1))


def _of_faxes(tags: Any, _: list[Part]) -> _Measure:
    coding = fax_coding(tags)
    return lambda stream, part: fax.rows_held(packed(stream, part), part.size, coding)


def _of_jpegs(tags: Any, _: list[Part]) -> _Measure:
    return lambda stream, part: jpeg_rows(tags, part, packed(stream, part))


def jpeg_rows(tags: Any, part: Part, content: bytes) -> int:
    """How many rows of a part that is a JPEG this has."""
    tables = bytes(tags.get(_JPEG_TABLES, b""))[2:-2]
    found = jpeg_stream.layout(b"\xff\xd8" + tables + content[2:])
    if found is None:
        return 0
    # Of other kinds nobody here can tell.
    there = int(jpeg_stream.share(found) * part.size[1]) if found.is_plain else part.rows
    return part.rows if there >= least_rows(part) else there


def _of_samples(tags: Any, parts: list[Part]) -> _Measure:
    """By where they lie: viewers pass over lengths that are wrong."""
    # Parts that are alike may lie in one place.
    nexts = dict(pairwise(sorted({part.offset for part in parts if part.offset is not None})))

    def measure(stream: BinaryIO, part: Part) -> int:
        assert part.offset is not None
        end = min(stream.seek(0, 2), nexts.get(part.offset) or 1 << 64)
        return (end - part.offset) // _row_bytes(part, tags)

    return measure


def packed(stream: BinaryIO, part: Part) -> bytes:
    """What the file has of it."""
    stream.seek(part.offset or 0)
    return stream.read(part.length)


def packed_at_most(content: bytes, parts: list[Part], ends: Iterable[int]) -> list[bytes]:
    """What the file may have of each part, whatever it says of its length: up to where something else begins."""
    starts = sorted({part.offset for part in parts if part.offset is not None} | {*ends, len(content)})
    after = dict(pairwise(starts))
    return [
        b"" if part.offset is None else content[part.offset : after.get(part.offset, len(content))]
        for part in parts
    ]


_MEASURES: dict[int, Callable[[Any, list[Part]], _Measure]] = {
    _PLAIN: _of_samples,
    fax.RLE: _of_faxes,
    fax.GROUP_3: _of_faxes,
    fax.GROUP_4: _of_faxes,
    _JPEG: _of_jpegs,
}
