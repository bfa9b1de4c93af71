"""Pictures whose decoder gives up or stops early, with paper in place of what is missing: how much is there is then told.

They are put right in their bytes, so that decoders need no leave to give half a picture. Of a JPEG and a TIFF other
modules know how much is there.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from PIL import Image, ImageChops, ImageFile

from ocr_worker.engines.images import bmp_runs, chunks, gif_codes, palettes
from ocr_worker.engines.images.chunks import Chunk, Right
from ocr_worker.engines.images.cut_short import TORN_SHARE

_PIECE_BYTES = 1 << 14
_MOST_AT_ONCE = 1 << 20
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Of a pixel of a PNG, by its kind of colours."""
_PALETTE = 3
_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"pHYs", b"iCCP", b"sRGB", b"eXIf"}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Passes of an interlaced PNG: the first pixel of each across and down, and the steps from one to the next."""
_ANYTHING = b"\x5a\xa7\x3c\x99\x12\xe4\xd1\x0b\x6d\xf3\x41"
_COMMENT = re.compile(rb"#[^\r\n]*")
_MORE = 1.5
_OLD_HEADER = 12
"""Of a BMP of OS/2."""


def completed(image: Image.Image, content: bytes) -> Right | None:
    """All of the picture in another file; None where nothing is missing, or too much of it."""
    match image.format:
        case "PNG":
            return _png(image, content)
        case "GIF":
            return _gif(content)
        case "WEBP":
            return _webp(image, content)
        case "BMP" | "PPM" if isinstance(image, ImageFile.ImageFile):
            return _samples(image, content)
        case _:
            return None


def may_lack_its_foot(image: Image.Image) -> bool:
    """Whether it may be one whose data end early and well-formed, of which no decoder complains: the rest is zeros."""
    foot = image.crop((0, image.height - 1, *image.size))
    return image.format in ("PNG", "GIF") and not any(foot.tobytes())


def _png(image: Image.Image, content: bytes) -> Right | None:
    found = list(chunks.pieces(content))
    passes, fill = _passes(image, found[0].body)
    due = sum(rows * row for row, rows in passes)
    stream = Inflating(b"".join(chunk.body for chunk in found if chunk.kind == b"IDAT"), due)
    packed = _packed_again(stream, passes, fill)
    if stream.held >= due and not stream.is_damaged:
        return None
    kept = [chunk for chunk in found if chunk.kind in _KEPT and chunk.is_sound]
    made = chunks.written([*kept, Chunk(b"IDAT", packed, is_sound=True), Chunk(b"IEND", b"", is_sound=True)])
    if len(passes) > 1:
        last_row, last_rows = passes[-1]
        made = _doubled(made, 1 - (due - stream.held) / (last_row * last_rows))
    # The last one may only be cut short.
    is_damaged = stream.is_damaged or not all(chunk.is_sound for chunk in found[:-1] if chunk.kind == b"IDAT")
    return Right(made, is_damaged, stream.held / due)


def _passes(image: Image.Image, header: bytes) -> tuple[list[tuple[int, int]], int]:
    """Bytes of a row and number of rows of each, and the byte that is paper."""
    width, height, depth, colours, _, _, is_interlaced = struct.unpack(">IIBBBBB", header)
    steps = _ADAM7 if is_interlaced else ((0, 0, 1, 1),)
    sides = [(-(-(width - x) // across), -(-(height - y) // down)) for x, y, across, down in steps]
    passes = [
        (1 + (columns * depth * _SAMPLES[colours] + 7) // 8, rows) for columns, rows in sides if columns > 0
    ]
    return passes, _paper(image, depth) if colours == _PALETTE else 255


class Inflating:
    """A zlib stream, as far as it can be unpacked, and no further than so many bytes."""

    def __init__(self, data: bytes, most: int) -> None:
        self._data, self._most = data, most
        self.held = 0
        self.is_damaged = False
        """It breaks, or its checksum is wrong. One that only ends is not."""

    def pieces(self) -> Iterator[bytes]:
        unpacking = zlib.decompressobj()
        for at in range(0, len(self._data), _PIECE_BYTES):
            left = self._data[at : at + _PIECE_BYTES]
            while left and not unpacking.eof:
                before = unpacking.copy()
                try:
                    # Also behind the last pixel, as the checksum comes there.
                    piece = unpacking.decompress(left, _MOST_AT_ONCE)
                except zlib.error:
                    self.is_damaged = True
                    yield from map(self._counted, _by_bytes(before, left))
                    return
                yield self._counted(piece)
                if self.held >= self._most and len(piece) == _MOST_AT_ONCE:
                    return
                left = unpacking.unconsumed_tail

    def _counted(self, piece: bytes) -> bytes:
        part = piece[: self._most - self.held]
        self.held += len(part)
        return part


def _by_bytes(unpacking: zlib._Decompress, left: bytes) -> Iterator[bytes]:
    """Up to the very byte that can't be right."""
    for at in range(len(left)):
        try:
            yield unpacking.decompress(left[at : at + 1], _MOST_AT_ONCE)
        except zlib.error:
            return


def _packed_again(stream: Inflating, passes: list[tuple[int, int]], fill: int) -> bytes:
    """With rows of paper behind the last one, which itself goes on as it was where it breaks off."""
    packing = zlib.compressobj(1)
    packed = [packing.compress(piece) for piece in stream.pieces()]
    held = stream.held
    for row, rows in passes:
        there, part = divmod(min(held, row * rows), row)
        held -= there * row + part
        if part:
            there += 1
            packed.append(packing.compress(bytes(row - part)))
        paper = b"\0" + bytes([fill]) * (row - 1)
        packed += [packing.compress(paper) for _ in range(rows - there)]
    return b"".join([*packed, packing.flush()])


def _doubled(content: bytes, share: float) -> bytes:
    """Of an interlaced picture each other row is missing behind this share of it: made like the one above."""
    target = io.BytesIO()
    with Image.open(io.BytesIO(content), formats=["PNG", "GIF"]) as picture:
        picture.load()
        for top in range(round(picture.height * max(0.0, share)) // 2 * 2, picture.height - 1, 2):
            picture.paste(picture.crop((0, top, picture.width, top + 1)), (0, top + 1))
        picture.save(target, "PNG", compress_level=1, **picture.info)
    return target.getvalue()


def _paper(image: Image.Image, depth: int) -> int:
    """A byte of it, by the colours that the pixels are numbers of."""
    found = palettes.lightest(palettes.colours_of(image.palette.getdata()[1])) if image.palette else None
    return palettes.filled(255 if found is None else found, depth)


def _gif(content: bytes) -> Right | None:
    found = gif_codes.first_picture(content)
    if found is None:
        return None
    held, due = gif_codes.walk(found), found.size[0] * found.size[1]
    share = held.pixels / due
    if share < TORN_SHARE:
        return None
    made = gif_codes.completed(found, held)
    return Right(_doubled(made, 2 * share - 1) if found.is_interlaced and share < 1 else made, share=share)


def _webp(image: Image.Image, content: bytes) -> Right | None:
    """By what differs where the end is filled up otherwise."""
    filled = chunks.filled_webp(content, _ANYTHING)
    if filled is None:
        return None
    with Image.open(io.BytesIO(filled), formats=["WEBP"]) as other:
        change = ImageChops.difference(image.convert("RGB"), other.convert("RGB")).getbbox()
    rows = change[1] if change else image.height
    made, paper = io.BytesIO(), image.convert("RGB")
    paper.paste("white", (0, rows, *image.size))
    if "A" in image.getbands():
        paper.putalpha(image.getchannel("A"))
    paper.save(made, "WEBP", lossless=True, quality=0, method=0, exif=image.info.get("exif", b""))
    return Right(made.getvalue(), share=rows / image.height)


def holds_more(image: Image.Image, size: int) -> bool:
    """Whether a file of so many bytes has half as much again of a BMP or PNM as it says: more rows, or another picture. Ask before decoding."""
    if not isinstance(image, ImageFile.ImageFile) or not image.tile or image.format not in ("BMP", "PPM"):
        return False
    codec, at = image.tile[0].codec_name, image.tile[0].offset
    args: Any = image.tile[0].args
    if codec in ("ppm_plain", "bmp_rle"):
        return False
    row = args[1] if image.format == "BMP" else len(_pnm_row(image, codec, args)[0])
    return bool(size - at >= _MORE * row * image.height)


def _samples(image: ImageFile.ImageFile, content: bytes) -> Right | None:
    """Of a BMP or PNM, where they lie one after the other."""
    codec, at = image.tile[0].codec_name, image.tile[0].offset
    args: Any = image.tile[0].args
    if codec == "ppm_plain":
        return _numbers(image, content, at, 1 if image.mode == "1" else args[1])
    if codec == "bmp_rle":
        return bmp_runs.completed(image.size, content, at, args[1], _paper(image, 8))
    row, fill = _bmp_row(image, content, args[1]) if image.format == "BMP" else _pnm_row(image, codec, args)
    held, due = len(content) - at, len(row) * image.height
    if not TORN_SHARE * due <= held < due:
        return None
    there = held // len(row)
    # What only fills up the last row is not missed.
    is_whole = held >= due - len(row) + fill
    rest = content + row[held - there * len(row) :] + row * (image.height - there - 1)
    return Right(rest, share=1.0 if is_whole else there / image.height)


def _bmp_row(image: Image.Image, content: bytes, stride: int) -> tuple[bytes, int]:
    """One of paper, and how many of its bytes are pixels."""
    is_old = int.from_bytes(content[14:18], "little") == _OLD_HEADER
    bits = int.from_bytes(content[24:26] if is_old else content[28:30], "little")
    fill = _paper(image, bits) if image.mode == "P" else 255
    return bytes([fill]) * stride, (image.width * bits + 7) // 8


def _pnm_row(image: Image.Image, codec: str, args: Any) -> tuple[bytes, int]:
    if image.mode == "1":
        row = bytes((image.width + 7) // 8)
    else:
        top = args[1] if codec == "ppm" else 65535 if args == "I;16B" else 255
        row = int(top).to_bytes(1 + (top > 255), "big") * (image.width * len(image.getbands()))
    return row, len(row)


def _numbers(image: Image.Image, content: bytes, at: int, top: int) -> Right | None:
    """Of a plain PNM, where they are written out."""
    written = _COMMENT.sub(b"", content[at:])
    is_bits = content[:2] == b"P1"
    held = sum(map(len, written.split())) if is_bits else len(written.split())
    due = image.width * image.height * len(image.getbands())
    if not TORN_SHARE * due <= held < due:
        return None
    paper = b" 0" if is_bits else b" %d" % top
    return Right(content[:at] + written + b"\n" + paper * (due - held), share=held / due)
