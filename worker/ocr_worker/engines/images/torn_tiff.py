"""A TIFF whose strips or tiles break off, or are said to be of false lengths, with paper in place of what is missing.

What can be unpacked, if only in part, is packed anew, behind the file; its directory is told where. libtiff gives nothing
of such a part, and nothing of the picture behind it. A part that is said to be too short is taken up to the next one.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ocr_worker.engines.images import fax, jpeg_stream, palettes, tiff, tiff_parts
from ocr_worker.engines.images.chunks import Right
from ocr_worker.engines.images.cut_short import TORN_SHARE
from ocr_worker.engines.images.tiff_parts import Part
from ocr_worker.engines.images.torn import Inflating

_BITS, _COMPRESSION, _PHOTOMETRIC, _PLANAR, _PREDICTOR, _COLOUR_MAP = 258, 259, 262, 284, 317, 320
_FILL_ORDER, _ROWS_PER_STRIP, _SHARED = 266, 278, 530
_OFFSETS, _LENGTHS = (273, 324), (279, 325)
_MIN_IS_WHITE, _PALETTE, _INKS, _YCBCR, _IN_PLANES = 0, 3, 5, 6, 2
_SHORT, _LONG = 3, 4
_PLAIN, _JPEG, _DEFLATE = 1, 7, 8


def completed(tags: Any, number: int, content: bytes) -> Right | None:
    """None where it can't be done, or too much of the picture is missing."""
    stream, compression, is_fax = io.BytesIO(content), tags.get(_COMPRESSION, 1), tiff_parts.is_fax(tags)
    place, parts = tiff.directory(stream, number), list(tiff_parts.parts_of(tags))
    if place is None or not parts or not (is_fax or compression in {_JPEG, *_UNPACKING}):
        return None
    content = _with_rows(content, place, parts[0].size[1])
    data = [tiff_parts.packed(stream, part) if part.offset is not None else b"" for part in parts]
    beyond = tiff_parts.packed_at_most(content, parts, [place.at])
    if compression == _JPEG:
        # Of which decoders give what there is.
        chosen = [
            max((all_of_it, one), key=partial(tiff_parts.jpeg_rows, tags, part))
            for one, all_of_it, part in zip(data, beyond, parts, strict=True)
        ]
        data = [one or _grey_jpeg(chosen[0], part.rows) for one, part in zip(chosen, parts, strict=True)]
        rows = [tiff_parts.jpeg_rows(tags, part, one) for one, part in zip(chosen, parts, strict=True)]
        share = sum(rows) / sum(part.rows for part in parts)
        return Right(_with_parts(content, place, data, compression), share=share)
    if compression == _PLAIN and tags.get(_PHOTOMETRIC) == _YCBCR:
        # Pillow does not know that its pixels share their colours; libtiff does, and looks at what is packed alone.
        due = sum(_shared_bytes(part, tags.get(_SHARED, (2, 2))) for part in parts)
        packed_anew = [zlib.compress(one, 1) for one in data]
        made = _with_parts(content, place, packed_anew, _DEFLATE)
        return Right(made, share=1.0) if sum(map(len, data)) >= due else None
    paper, rows = _Paper(tags), []
    for at, part in enumerate(parts):
        due = len(paper.row(part)) * part.size[1]
        # What is not packed has a length of its own, whatever the file says.
        packed = content[part.offset or 0 : (part.offset or 0) + due] if compression == _PLAIN else data[at]
        data[at], held = paper.behind(_unpacked(packed, part, tags, due), part)
        rows.append(_rows(held, part, is_fax=is_fax))
    lacking = [at for at, part in enumerate(parts) if rows[at] < part.rows]
    # Where most are too short that is not for want of data: what follows the one that is may be anything, and unpacked too.
    for at in lacking if 2 * len(lacking) >= len(parts) and compression != _PLAIN else ():
        part, due = parts[at], len(paper.row(parts[at])) * parts[at].size[1]
        # A fax goes on through whatever follows it, as if that were more of it.
        whole = fax.with_its_end(beyond[at], tiff_parts.fax_coding(tags)) if is_fax else beyond[at]
        longer, held = paper.behind(_unpacked(whole, part, tags, due), part)
        if _rows(held, part, is_fax=is_fax) == part.rows:
            data[at], rows[at] = longer, part.rows
    share = sum(rows) / sum(part.rows for part in parts)
    if share < TORN_SHARE:
        return None
    return Right(_with_parts(content, place, data, _DEFLATE, is_fax=is_fax), share=share)


def _rows(held: int, part: Part, *, is_fax: bool) -> int:
    """All of them, where so few are missing that nobody misses them."""
    least = tiff_parts.least_rows(part) if is_fax else part.rows
    return part.rows if held >= least else held


def _unpacked(packed: bytes, part: Part, tags: Any, due: int) -> bytes:
    if tiff_parts.is_fax(tags):
        return fax.unpacked(packed, part.size, tiff_parts.fax_coding(tags))
    return b"".join(_UNPACKING[tags.get(_COMPRESSION, 1)](packed, due))


def _grey_jpeg(like: bytes, rows: int) -> bytes:
    """With nothing in it: libtiff refuses the whole picture for a part that is not there."""
    found = jpeg_stream.layout(like)
    right = found and found.with_height(rows)
    return right.content[: right.scans[0].start] + b"\xff\xd9" if right else b""


def _shared_bytes(part: Part, shared: tuple[int, int]) -> int:
    """Of a part whose pixels have two colours for so many of them across and down."""
    across, down = shared
    return -(-part.size[0] // across) * -(-part.size[1] // down) * (across * down + 2)


class _Paper:
    def __init__(self, tags: Any) -> None:
        bits = tags.get(_BITS, (1,))
        self._a_pixel: int = bits[0] if tags.get(_PLANAR) == _IN_PLANES else sum(bits)
        self._is_predicted = tags.get(_PREDICTOR, 1) != 1
        self._fill = _fill(tags, bits[0])

    def row(self, part: Part) -> bytes:
        width = (part.size[0] * self._a_pixel + 7) // 8
        first = -(-self._a_pixel // 8) if self._is_predicted else width
        # What is told by the pixel before it is like that.
        return bytes([self._fill]) * first + bytes(width - first)

    def behind(self, unpacked: bytes, part: Part) -> tuple[bytes, int]:
        """Packed, and how many rows there were."""
        row, rows = self.row(part), part.size[1]
        held = len(unpacked) // len(row)
        return zlib.compress(unpacked[: held * len(row)] + row * (rows - held), 1), held


def _fill(tags: Any, bits: int) -> int:
    """A byte of pixels that are paper."""
    photometric, colours = tags.get(_PHOTOMETRIC, 1), tags.get(_COLOUR_MAP, ())
    if photometric == _PALETTE and colours:
        count = len(colours) // 3
        planes = (colours[at : at + count] for at in (0, count, 2 * count))
        return palettes.filled(palettes.lightest(zip(*planes, strict=True)) or 0, bits)
    return 0 if photometric in (_MIN_IS_WHITE, _INKS) else 255


def _with_parts(
    content: bytes, place: tiff.Place, data: list[bytes], compression: int, *, is_fax: bool = False
) -> bytes:
    """The file, of which one picture lies in these parts; bits of what was a fax come in their plain order."""
    order, made, offsets = place.order, bytearray(content + bytes(len(content) % 2)), []
    at = _with_room_for_lengths(made, place)
    for part in data:
        offsets.append(len(made))
        made += part
    (count,) = struct.unpack_from(order + "H", made, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from(order + "H", made, entry)
        if tag == _COMPRESSION:
            struct.pack_into(order + "HHIHH", made, entry, tag, _SHORT, 1, compression, 0)
        elif tag == _FILL_ORDER and is_fax:
            struct.pack_into(order + "HHIHH", made, entry, tag, _SHORT, 1, 1, 0)
        elif tag in (*_OFFSETS, *_LENGTHS):
            values = offsets if tag in _OFFSETS else list(map(len, data))
            written = struct.pack(f"{order}{len(values)}I", *values)
            if len(values) > 1:
                made += written
                written = struct.pack(order + "I", len(made) - len(written))
            struct.pack_into(order + "HHI4s", made, entry, tag, _LONG, len(values), written)
    return bytes(made)


def _with_rows(content: bytes, place: tiff.Place, rows: int) -> bytes:
    """The file, of which the strips of one picture have so many rows; tiles do not say that."""
    made = bytearray(content)
    (count,) = struct.unpack_from(place.order + "H", made, place.at)
    for entry in range(place.at + 2, place.at + 2 + 12 * count, 12):
        if struct.unpack_from(place.order + "H", made, entry) == (_ROWS_PER_STRIP,):
            struct.pack_into(place.order + "HHII", made, entry, _ROWS_PER_STRIP, _LONG, 1, rows)
    return bytes(made)


def _with_room_for_lengths(made: bytearray, place: tiff.Place) -> int:
    """Where the directory lies, which has an entry for the lengths of parts from now on."""
    order, at, named_at = place
    (count,) = struct.unpack_from(order + "H", made, at)
    entries = [bytes(made[entry : entry + 12]) for entry in range(at + 2, at + 2 + 12 * count, 12)]
    tags = [struct.unpack_from(order + "H", entry)[0] for entry in entries]
    if not set(_LENGTHS).isdisjoint(tags):
        return at
    behind = bytes(made[at + 2 + 12 * count : at + 6 + 12 * count])
    tag = _LENGTHS[_OFFSETS[1] in tags]
    entries.append(struct.pack(order + "HHII", tag, _LONG, 1, 0))
    entries.sort(key=lambda entry: int(struct.unpack_from(order + "H", entry)[0]))
    moved = len(made)
    made += struct.pack(order + "H", count + 1) + b"".join(entries) + behind
    struct.pack_into(order + "I", made, named_at, moved)
    return moved


def _plain(packed: bytes, most: int) -> Iterator[bytes]:
    yield packed[:most]


def _deflated(packed: bytes, most: int) -> Iterator[bytes]:
    return Inflating(packed, most).pieces()


def _runs(packed: bytes, most: int) -> Iterator[bytes]:
    # Late, as it brings in what reads PDFs.
    from ocr_worker.engines.pdf.unpacking import Runs

    return _up_to(most, Runs(packed))


def _codes(packed: bytes, most: int) -> Iterator[bytes]:
    from ocr_worker.engines.pdf.unpacking import Codes

    return _up_to(most, Codes(packed))


def _up_to(most: int, pieces: Any) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[:most]
        most -= len(piece)
        if most <= 0:
            return


_UNPACKING: dict[int, Callable[[bytes, int], Iterator[bytes]]] = {
    _PLAIN: _plain,
    5: _codes,
    _DEFLATE: _deflated,
    32946: _deflated,
    32773: _runs,
}
