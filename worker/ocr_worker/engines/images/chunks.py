"""PNG and WebP as they lie in their bytes: put right where viewers make do with what Pillow refuses.

Of a PNG these are chunks beside the picture that are damaged or too large, and a wrong checksum of the picture; of a WebP
a wrong length of the file, and an end that is not there.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_PNG = b"\x89PNG\r\n\x1a\n"
_ANCILLARY = 0x20
"""This bit of a chunk's first letter says that the picture can be shown without it."""
_CHECKSUM_BYTES = 4
_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
_MOST_TEXT_BYTES = 1 << 18
_SIZES = {b"pHYs": {9}, b"gAMA": {4}, b"cHRM": {32}, b"sRGB": {1}, b"tRNS": {2, 6}}
_WEBP_CHUNK = re.compile(rb"[A-Z0-9]{3}[A-Z0-9 ]")
_FRAME_BYTES = 16
"""Of an animated WebP's frame, before its picture."""
_SPARE_BYTES = 1 << 17
"""What was never written may take more bytes than what was."""
_PALETTE = 3
"""Kind of colours."""


@dataclass(frozen=True, slots=True)
class Chunk:
    kind: bytes
    body: bytes
    is_sound: bool
    """By its checksum."""

    @property
    def is_ancillary(self) -> bool:
        return bool(self.kind[0] & _ANCILLARY)

    def packed(self) -> bytes:
        checksum = zlib.crc32(self.kind + self.body)
        return struct.pack(">I", len(self.body)) + self.kind + self.body + struct.pack(">I", checksum)


@dataclass(frozen=True, slots=True)
class Right:
    content: bytes
    is_damaged: bool = False
    """A part of the picture is not what was written."""
    share: float = 1.0
    """Of the picture that was there."""
    is_filled: bool = False
    """What is missing was filled up with anything: how much that is, a decoder has to tell."""


def png(content: bytes) -> Right | None:
    """What Pillow can read; None where nothing is to be put right."""
    found = list(pieces(content))
    if found and found[-1].kind != b"IEND" and not found[-1].is_sound:
        found.pop()
    kept = [chunk for chunk in found if not chunk.is_ancillary or _is_usable(chunk, found)]
    is_damaged = any(chunk.kind == b"IDAT" and not chunk.is_sound for chunk in found)
    if len(kept) == len(found) and not is_damaged:
        return None
    # Checksums of the header and of the palette are not put right: no viewer shows such a picture.
    if any(chunk.kind != b"IDAT" and not chunk.is_sound for chunk in kept if chunk.kind != b"IEND"):
        return None
    if is_damaged:
        _leave_checksum_out(kept)
    return Right(written(kept), is_damaged)


def pieces(content: bytes) -> Iterator[Chunk]:
    """The chunks of a PNG; of a torn one the last is what there is of it."""
    at = len(_PNG)
    while at + 8 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        at += 12 + length
        yield Chunk(kind, body, content[at - 4 : at] == struct.pack(">I", zlib.crc32(kind + body)))
        if kind == b"IEND":
            return


def written(all_chunks: Iterable[Chunk]) -> bytes:
    return _PNG + b"".join(chunk.packed() for chunk in all_chunks)


def _is_usable(chunk: Chunk, all_chunks: list[Chunk]) -> bool:
    if not chunk.is_sound:
        return False
    if chunk.kind in _TEXTS:
        return len(chunk.body) <= _MOST_TEXT_BYTES and not _grows(chunk)
    if chunk.kind == b"tRNS" and all_chunks[0].body[9:10] == bytes([_PALETTE]):
        return True
    return len(chunk.body) in _SIZES.get(chunk.kind, {len(chunk.body)})


def _grows(chunk: Chunk) -> bool:
    """Whether it is packed, and large or broken when unpacked."""
    if chunk.kind == b"tEXt":
        return False
    _, _, text = chunk.body.partition(b"\0")
    if chunk.kind == b"iTXt":
        if text[:1] != b"\1":
            return False
        text = text[2:].split(b"\0", 2)[-1]
    else:
        text = text[1:]
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(text, _MOST_TEXT_BYTES)
    except zlib.error:
        return True
    return bool(unpacking.unconsumed_tail)


def _leave_checksum_out(kept: list[Chunk]) -> None:
    """That of all data: decoders that find it wrong give nothing."""
    due = _CHECKSUM_BYTES
    for at in range(len(kept) - 1, -1, -1):
        if kept[at].kind == b"IDAT" and due:
            body = kept[at].body
            kept[at] = Chunk(b"IDAT", body[: max(0, len(body) - due)], is_sound=True)
            due -= len(body) - len(kept[at].body)


def webp(content: bytes) -> Right | None:
    """With the length that its chunks have, and all of them; None where nothing is to be put right."""
    at = 12
    while at + 8 <= len(content) and _WEBP_CHUNK.fullmatch(content, at, at + 4):
        (length,) = struct.unpack_from("<I", content, at + 4)
        if at + 8 + length > len(content):
            filled = filled_webp(content, b"\0")
            return Right(filled, is_filled=True) if filled else _lossless(content, at)
        at += 8 + length + length % 2
    due = struct.pack("<I", at - 8)
    if content[4:8] == due:
        return None
    return Right(content[:4] + due + content[8:at].ljust(at - 8, b"\0"))


def _lossless(content: bytes, at: int) -> Right | None:
    # Late, as few files need it.
    from ocr_worker.engines.images import lossless_webp

    return lossless_webp.completed(content, at) if content[at : at + 4] == b"VP8L" else None


def filled_webp(content: bytes, filling: bytes) -> bytes | None:
    """One that is cut short within its picture, with something behind its end; None of any other.

    Only a lossy one: in that a decoder goes on through whatever there is.
    """
    opened = list(_open_chunks(content))
    if not opened or content[opened[-1] : opened[-1] + 4] != b"VP8 ":
        return None
    (length,) = struct.unpack_from("<I", content, opened[-1] + 4)
    missing = opened[-1] + 8 + length - len(content)
    if missing > len(content):
        return None
    more = missing + missing % 2 + _SPARE_BYTES
    made = bytearray(content + (filling * (more // len(filling) + 1))[:more])
    made[len(made) - len(made) % 2 :] = b""
    for at in opened:
        struct.pack_into("<I", made, at + 4, len(made) - at - 8)
    return bytes(made)


def _open_chunks(content: bytes) -> Iterator[int]:
    """Where the file begins, and each chunk within another that is longer than what there is."""
    at, end = 12, len(content)
    yield 0
    while at + 8 <= end:
        (length,) = struct.unpack_from("<I", content, at + 4)
        if at + 8 + length > end:
            yield at
            at += 8 + (_FRAME_BYTES if content[at : at + 4] == b"ANMF" else length)
        else:
            at += 8 + length + length % 2
