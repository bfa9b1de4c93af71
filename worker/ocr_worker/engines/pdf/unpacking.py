"""The filters of a PDF's streams, undone one after the other, each telling whether it came to its end.

qpdf and PDFium give what they get of a torn stream, and don't say that it was not all. Pictures' own filters (JPEG, JPEG
2000, JBIG2, CCITT) are left to those who know them. Source: ISO 32000-1, 7.4.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple

import pikepdf
from pikepdf import Array, Dictionary, Name

MOST_BYTES = 32 << 20
"""Of a stream no more is looked at: it may be a bomb."""
MOST_CODES_BYTES = 8 << 20
"""Of LZW, which takes a step of ours for each code: 0.3 s a MiB."""
_LONG_BYTES = 1 << 14
"""From here on qpdf is faster than Python, though it says less."""
_MOST_FILTERS = 16
_PIECE_BYTES = 1 << 18
_DEFLATED = 8
_FLUSHED, _TAIL_BYTES = b"\0\0\xff\xff", 16
_FULL = {
    "/Fl": "/FlateDecode", "/AHx": "/ASCIIHexDecode", "/A85": "/ASCII85Decode", "/LZW": "/LZWDecode",
    "/RL": "/RunLengthDecode", "/CCF": "/CCITTFaxDecode", "/DCT": "/DCTDecode",
}  # fmt: skip
"""What viewers take short names for, in any stream."""
_BLANKS = re.compile(rb"[\0\t\n\f\r ]+")
_HEX = re.compile(rb"[0-9A-Fa-f]*")
_A85 = re.compile(rb"[!-uz]*")
_END_OF_RUNS = 128
_CLEAR, _STOP = 256, 257
_LEAST_BITS, _MOST_BITS = 9, 12
_LITERALS = [*(bytes([value]) for value in range(256)), b"", b""]


class TornError(Exception):
    """A stream that can't be unpacked, or is not there."""


class Filter(NamedTuple):
    """One that a stream was packed by."""

    name: str
    """In full, as it is written in a PDF."""
    settings: Any
    """A dictionary; None without."""


class Unpacked(NamedTuple):
    """What filters leave."""

    content: bytes
    rest: tuple[Filter, ...] = ()
    """Those that are not known here, and all behind them."""
    is_ended: bool = True
    """Whether the last filter that has an end came to it."""
    left: int = 0
    """Packed bytes behind the place that could not be read on from."""
    is_beginning: bool = False
    """There is more of it, whole or not."""


def unpacked(stream: Any, most: int = MOST_BYTES) -> Unpacked:
    """What is in a stream, as far as it can be had. Raises TornError when that is nothing."""
    return undone(raw(stream), filters(stream), most)


def undone(packed: bytes, left: list[Filter], most: int = MOST_BYTES) -> Unpacked:
    """Raises TornError."""
    if len(left) > _MOST_FILTERS:
        raise TornError
    state = Unpacked(packed)
    for number, one in enumerate(left):
        undo = _UNDOING.get(one.name)
        if undo is None:
            return Unpacked(state.content, tuple(left[number:]), is_ended=state.is_ended, left=state.left)
        before, state = state, undo(state.content, one.settings, most)
        if before.left and not state.is_ended:
            state = Unpacked(state.content, is_ended=False, left=max(before.left, state.left))
        if state.is_beginning:
            return Unpacked(state.content, tuple(left[number + 1 :]), is_beginning=True)
    return state


def raw(stream: Any) -> bytes:
    """The packed bytes. Raises TornError."""
    try:
        packed: bytes = stream.read_raw_bytes()
    except (pikepdf.PdfError, RuntimeError, ValueError) as error:
        raise TornError from error
    return packed


def filters(stream: Any) -> list[Filter]:
    """Those of a stream in order, with their settings."""
    names, settings = _listed(stream.get("/Filter")), _listed(_settings(stream))
    found = [_FULL.get(name := spelled(one), name) for one in names]
    padded = [*settings, *([None] * len(found))]
    return [
        Filter(name, padded[n] if isinstance(padded[n], Dictionary) else None) for n, name in enumerate(found)
    ]


def is_known(one: Filter) -> bool:
    """Whether it is one of those that are undone here."""
    return one.name in _UNDOING


def _settings(stream: Any) -> Any:
    found = stream.get("/DecodeParms")
    return stream.get("/DP") if found is None else found


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value[n] for n in range(len(value))] if isinstance(value, Array) else [value]


def spelled(name: Any) -> str:
    """As it is written in a PDF: a name that is not UTF-8 can't be had as text."""
    return name.unparse(resolved=True).decode("latin-1") if isinstance(name, pikepdf.Object) else str(name)


def number(settings: Any, key: str, default: int) -> int:
    """A whole number among a filter's settings."""
    value = settings.get(key) if settings is not None else None
    try:
        return default if value is None else int(value)
    except (TypeError, ValueError, OverflowError):
        return default


class Inflation:
    """What was deflated, piece by piece; afterwards it is known whether that was all. Raises TornError at the start."""

    def __init__(self, packed: bytes, _settings: Any = None) -> None:
        if len(packed) < 2 or packed[0] & 15 != _DEFLATED or int.from_bytes(packed[:2], "big") % 31:
            raise TornError
        self._packed = packed
        self.is_ended = False
        self.left = 0

    def __iter__(self) -> Iterator[bytes]:
        # From behind the header: viewers mind neither a wrong checksum nor none.
        unpacker, rest = zlib.decompressobj(-zlib.MAX_WBITS), memoryview(self._packed)[2:]
        while rest and not unpacker.eof:
            piece, rest = rest[:_PIECE_BYTES], rest[_PIECE_BYTES:]
            spare = unpacker.copy()
            try:
                yield from _pieces(unpacker, piece)
            except zlib.error:
                bytes_read = yield from _to_the_break(spare, piece)
                self.left = len(piece) - bytes_read + len(rest)
                return
        # Some writers never end what they flush.
        self.is_ended = unpacker.eof or self._packed[-_TAIL_BYTES:].rstrip().endswith(_FLUSHED)


def _pieces(unpacker: Any, packed: Any) -> Iterator[bytes]:
    piece = None
    # Full pieces may leave some behind in the unpacker, even when all of its food is eaten.
    while piece is None or (not unpacker.eof and (packed or len(piece) == _PIECE_BYTES)):
        piece = unpacker.decompress(packed, _PIECE_BYTES)
        yield piece
        packed = unpacker.unconsumed_tail


def _to_the_break(unpacker: Any, packed: Any) -> Generator[bytes, None, int]:
    """What comes before the byte that stands for nothing, and the number of bytes before it."""
    for at in range(len(packed)):
        try:
            yield from _pieces(unpacker, packed[at : at + 1])
        except zlib.error:
            return at
    return len(packed)


def _inflate(packed: bytes, _settings: Any, most: int) -> Unpacked:
    if not packed:
        return Unpacked(b"")
    return _gathered(Inflation(packed), most)


def _from_hex(packed: bytes, _settings: Any, _most: int) -> Unpacked:
    digits, mark, _ = packed.partition(b">")
    digits = _BLANKS.sub(b"", digits)
    good = _matching(_HEX, digits)
    content = bytes.fromhex((good + b"0" * (len(good) % 2)).decode("ascii"))
    return Unpacked(content, is_ended=bool(mark) and good == digits, left=len(digits) - len(good))


def _from_ascii85(packed: bytes, _settings: Any, _most: int) -> Unpacked:
    # Some begin as Adobe's programs do outside of PDFs.
    digits, mark, _ = _BLANKS.sub(b"", packed).removeprefix(b"<~").partition(b"~")
    good = _matching(_A85, digits)
    try:
        content = _by_qpdf(good) if len(good) > _LONG_BYTES else base64.a85decode(good)
    except (ValueError, RuntimeError, pikepdf.PdfError):
        good = _sound_groups(good)
        content = base64.a85decode(good)
    return Unpacked(content, is_ended=bool(mark) and good == digits, left=len(digits) - len(good))


def _by_qpdf(digits: bytes) -> bytes:
    with pikepdf.new() as pdf:
        content: bytes = pikepdf.Stream(pdf, digits + b"~>", Filter=Name.ASCII85Decode).read_bytes()
    return content


def _sound_groups(digits: bytes) -> bytes:
    """As many of them as stand for numbers."""
    at = 0
    while at < len(digits):
        width = 1 if digits[at] == ord("z") else 5
        try:
            base64.a85decode(digits[at : at + width])
        except ValueError:
            break
        at += width
    return digits[:at]


def _matching(pattern: re.Pattern[bytes], digits: bytes) -> bytes:
    found = pattern.match(digits)
    return found[0] if found else b""


class Runs:
    """Runs, piece by piece, as Inflation."""

    def __init__(self, packed: bytes, _settings: Any = None) -> None:
        self._packed = packed
        self.is_ended = False
        self.left = 0

    def __iter__(self) -> Iterator[bytes]:
        packed, at = self._packed, 0
        while at < len(packed):
            length = packed[at]
            if length == _END_OF_RUNS:
                self.is_ended = True
                return
            if length < _END_OF_RUNS:
                yield packed[at + 1 : at + 2 + length]
                at += 2 + length
            else:
                yield packed[at + 1 : at + 2] * (257 - length)
                at += 2


class Codes:
    """What LZW's codes stand for, piece by piece, as Inflation."""

    def __init__(self, packed: bytes, settings: Any = None) -> None:
        self._packed, self._early = packed, number(settings, "/EarlyChange", 1)
        self.is_ended = False
        self.left = 0

    def __iter__(self) -> Iterator[bytes]:
        # So that the last code can be cut out of four bytes as well.
        packed, end = self._packed + bytes(4), 8 * len(self._packed)
        table, before, at, width = _LITERALS[:], b"", 0, _LEAST_BITS
        while at + width <= end:
            four = int.from_bytes(packed[at >> 3 : (at >> 3) + 4], "big")
            code = four >> (32 - width - (at & 7)) & ((1 << width) - 1)
            at += width
            if code == _STOP:
                self.is_ended = True
                return
            if code == _CLEAR:
                table, before, width = _LITERALS[:], b"", _LEAST_BITS
                continue
            piece = table[code] if code < len(table) else before + before[:1]
            if not piece or code > len(table):
                # It stands for nothing.
                self.left = (end - at) // 8 + 1
                return
            yield piece
            if before and len(table) < 1 << _MOST_BITS:
                table.append(before + piece[:1])
            # A code is added only once the one after it is read.
            width, before = min(_MOST_BITS, (len(table) + self._early).bit_length()), piece


def _gathered(pieces: Inflation | Runs | Codes, most: int) -> Unpacked:
    found, size = [], 0
    for piece in pieces:
        found.append(piece)
        size += len(piece)
        if size >= most:
            return Unpacked(b"".join(found)[:most], is_beginning=True)
    return Unpacked(b"".join(found), is_ended=pieces.is_ended, left=pieces.left)


def _from_runs(packed: bytes, settings: Any, most: int) -> Unpacked:
    return _gathered(Runs(packed, settings), most)


def _from_lzw(packed: bytes, settings: Any, most: int) -> Unpacked:
    if len(packed) > MOST_CODES_BYTES:
        return Unpacked(b"", is_beginning=True)
    return _gathered(Codes(packed, settings), most)


def _nothing(packed: bytes, _settings: Any, _most: int) -> Unpacked:
    """Encrypted streams come decrypted."""
    return Unpacked(packed)


PIECEMEAL: dict[str, type[Inflation | Runs | Codes]] = {
    "/FlateDecode": Inflation,
    "/RunLengthDecode": Runs,
    "/LZWDecode": Codes,
}
"""What need not be kept to be measured."""
_UNDOING: dict[str, Callable[[bytes, Any, int], Unpacked]] = {
    "/FlateDecode": _inflate,
    "/ASCIIHexDecode": _from_hex,
    "/ASCII85Decode": _from_ascii85,
    "/RunLengthDecode": _from_runs,
    "/LZWDecode": _from_lzw,
    "/Crypt": _nothing,
}
