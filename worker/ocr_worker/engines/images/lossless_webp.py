"""A lossless WebP that is cut short: walked code by code as far as it goes, and filled up so that a decoder takes it.

Source: RFC 9649, WebP Image Format, section 3.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from ocr_worker.engines.images.chunks import Right
from ocr_worker.engines.images.cut_short import TORN_SHARE

_SIGNATURE = 0x2F
_BY_BLOCKS, _PALETTE = (0, 1), 3
"""Transforms that have a picture of their own."""
_ORDER = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
_LITERALS, _LENGTHS, _DISTANCES = 256, 24, 40
_NEAR = bytes.fromhex(
    "1807171928062729161a262a38053739151b363a252b48044749141c353b464a242c58454b343c03"
    "5759131d565a232d444c555b333d68026769121e666a222e545c434d656b323e78017779535d111f"
    "646c424e767a212f757b313f636d525e00747c414f1020626e30737d515f40727e616f50717f6070"
)
"""Where pixels lie that the least distances mean: rows above, and 8 less what lies to the right."""
_PACKED = ((3, 2), (2, 4), (1, 16), (0, 256))
"""Of so few colours at most, so many pixels are one: as a power of two."""
_MOST_BYTES, _MOST_STEPS, _MOST_PIXELS, _MOST_BLOCKS = 1 << 20, 1 << 22, 1 << 26, 1 << 20
"""More take too long, or too much memory; blocks are the pixels of a picture that the main one needs."""


class _EndedError(Exception):
    """The data are."""


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._data, self._end = data, 8 * len(data)
        self.at = 0

    def read(self, count: int) -> int:
        if self.at + count > self._end:
            raise _EndedError
        first = self.at >> 3
        value = int.from_bytes(self._data[first : first + 5], "little") >> (self.at & 7)
        self.at += count
        return value & ((1 << count) - 1)

    def up_to(self, at: int) -> int:
        """As one number."""
        return int.from_bytes(self._data[: (at + 7) // 8], "little") & ((1 << at) - 1)


class _Code:
    """Of a symbol by the bits that are read for it, the first one lowest."""

    def __init__(self, lengths: dict[int, int]) -> None:
        self._sole = next(iter(lengths), 0) if len(lengths) < 2 else None
        self._symbols: dict[tuple[int, int], int] = {}
        self.bits: dict[int, tuple[int, int]] = {}
        """Number and count of the bits of each symbol."""
        code = before = 0
        for symbol, length in sorted(lengths.items(), key=lambda one: (one[1], one[0])):
            code <<= length - before
            bits = int(f"{code:0{length}b}"[::-1], 2)
            self._symbols[length, bits] = symbol
            self.bits[symbol] = (bits, length)
            code, before = code + 1, length
        if self._sole is not None:
            self.bits = {self._sole: (0, 0)}

    def read(self, stream: _Bits) -> int:
        if self._sole is not None:
            return self._sole
        bits = 0
        for length in range(1, 16):
            bits |= stream.read(1) << (length - 1)
            if (found := self._symbols.get((length, bits))) is not None:
                return found
        raise ValueError("no such code")


@dataclass(frozen=True, slots=True)
class _Codes:
    green: _Code
    others: tuple[_Code, _Code, _Code]
    distance: _Code

    def filler(self) -> str:
        """The bits of a pixel, the first one first. Raises ValueError where there is none without another."""
        literal = min(one for one in self.green.bits if one < _LITERALS)
        parts = [self.green.bits[literal], *(next(iter(code.bits.values())) for code in self.others)]
        return "".join(f"{bits:0{length}b}"[::-1] for bits, length in parts if length)


@dataclass(frozen=True, slots=True)
class _Walked:
    """A picture as far as its codes go."""

    size: tuple[int, int]
    """Of its codes: of few colours several pixels are one."""
    codes: list[_Codes]
    groups: Callable[[int], int]
    """Which of them a pixel has."""
    held: int
    """Pixels."""
    at: int
    """Bits of these."""


@lru_cache(maxsize=1)
def completed(content: bytes, start: int) -> Right | None:
    """The whole picture, with paper in place of what is missing; `start` is that of its chunk. None where it can't be done."""
    if len(content) - start > _MOST_BYTES:
        return None
    stream = _Bits(content[start + 8 :])
    try:
        found = _walked(stream)
        width, height = found.size
        if found.held < TORN_SHARE * width * height:
            return None
        rest = _filling(found)
    except (_EndedError, ValueError, IndexError):
        return None
    whole = stream.up_to(found.at) | (int(rest[::-1] or "0", 2) << found.at)
    packed = whole.to_bytes((found.at + len(rest) + 7) // 8 + 8, "little")
    packed += bytes(len(packed) % 2)
    chunk = b"VP8L" + struct.pack("<I", len(packed)) + packed
    made, rows = b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk, found.held // width
    target = io.BytesIO()
    with Image.open(io.BytesIO(made), formats=["WEBP"]) as picture:
        paper = picture.convert("RGBA" if "A" in picture.getbands() else "RGB")
    paper.paste("white", (0, rows, *paper.size))
    paper.save(target, "WEBP", lossless=True, quality=0, method=0)
    return Right(target.getvalue(), share=rows / height)


def _filling(found: _Walked) -> str:
    fillers: dict[int, str] = {}
    parts = []
    for pixel in range(found.held, found.size[0] * found.size[1]):
        group = found.groups(pixel)
        if group not in fillers:
            fillers[group] = found.codes[group].filler()
        parts.append(fillers[group])
    return "".join(parts)


def _walked(stream: _Bits) -> _Walked:
    if stream.read(8) != _SIGNATURE:
        raise ValueError("no lossless picture")
    width, height, _ = stream.read(14) + 1, stream.read(14) + 1, stream.read(4)
    if width * height > _MOST_PIXELS:
        raise ValueError("too large")
    width = _past_transforms(stream, width, height)
    cache = stream.read(4) if stream.read(1) else 0
    numbers, block = [0], 14
    if stream.read(1):
        block = stream.read(3) + 2
        pixels = _pixels(stream, _blocks(width, block), _blocks(height, block))
        numbers = [pixel >> 8 & 0xFFFF for pixel in pixels]
    across = _blocks(width, block)
    codes = [_read_codes(stream, cache) for _ in range(max(numbers) + 1)]

    def group(pixel: int) -> int:
        return numbers[(pixel // width >> block) * across + (pixel % width >> block)]

    held, at = 0, stream.at
    # A symbol may take no bit at all.
    with suppress(_EndedError):
        for _ in range(_MOST_STEPS):
            if held >= width * height:
                break
            held += _step(stream, codes[group(held)])
            at = stream.at
    return _Walked((width, height), codes, group, held, at)


def _past_transforms(stream: _Bits, width: int, height: int) -> int:
    """How wide the codes make the picture."""
    while stream.read(1):
        kind = stream.read(2)
        if kind in _BY_BLOCKS:
            block = stream.read(3) + 2
            _pixels(stream, _blocks(width, block), _blocks(height, block))
        elif kind == _PALETTE:
            count = stream.read(8) + 1
            _pixels(stream, count, 1)
            width = _blocks(width, next(bits for bits, most in _PACKED if count <= most))
    return width


def _blocks(length: int, bits: int) -> int:
    return -(-length >> bits)


def _step(stream: _Bits, codes: _Codes) -> int:
    """So many pixels come of the next symbols."""
    symbol = codes.green.read(stream)
    if symbol < _LITERALS:
        for code in codes.others:
            code.read(stream)
    elif symbol < _LITERALS + _LENGTHS:
        count = _prefixed(stream, symbol - _LITERALS)
        _prefixed(stream, codes.distance.read(stream))
        return count
    return 1


def _pixels(stream: _Bits, width: int, height: int) -> list[int]:
    """Of a picture that the main one needs."""
    if width * height > _MOST_BLOCKS:
        raise ValueError("too many blocks")
    bits = stream.read(4) if stream.read(1) else 0
    codes, cache = _read_codes(stream, bits), [0] * (1 << bits)
    found: list[int] = []
    while len(found) < width * height:
        symbol = codes.green.read(stream)
        if symbol < _LITERALS:
            red, blue, alpha = (code.read(stream) for code in codes.others)
            new = [alpha << 24 | red << 16 | symbol << 8 | blue]
        elif symbol < _LITERALS + _LENGTHS:
            count = _prefixed(stream, symbol - _LITERALS)
            back = _distance(_prefixed(stream, codes.distance.read(stream)), width)
            if back > len(found):
                raise ValueError("nothing to repeat")
            new = [found[len(found) - back + number % back] for number in range(count)]
        else:
            new = [cache[symbol - _LITERALS - _LENGTHS]]
        found += new
        for pixel in new if bits else ():
            cache[(0x1E35A7BD * pixel & 0xFFFFFFFF) >> (32 - bits)] = pixel
    return found


def _prefixed(stream: _Bits, symbol: int) -> int:
    if symbol < 4:
        return symbol + 1
    extra = symbol - 2 >> 1
    return (2 + (symbol & 1) << extra) + stream.read(extra) + 1


def _distance(number: int, width: int) -> int:
    if number > len(_NEAR):
        return number - len(_NEAR)
    place = _NEAR[number - 1]
    return max(1, (place >> 4) * width + 8 - (place & 15))


def _read_codes(stream: _Bits, cache: int) -> _Codes:
    green = _read_code(stream, _LITERALS + _LENGTHS + (1 << cache if cache else 0))
    red, blue, alpha = (_read_code(stream, _LITERALS) for _ in range(3))
    return _Codes(green, (red, blue, alpha), _read_code(stream, _DISTANCES))


def _read_code(stream: _Bits, alphabet: int) -> _Code:
    if stream.read(1):
        count = stream.read(1) + 1
        symbols = [stream.read(8 if stream.read(1) else 1), *(stream.read(8) for _ in range(count - 1))]
        return _Code(dict.fromkeys(symbols, 1))
    of_lengths = {_ORDER[number]: stream.read(3) for number in range(4 + stream.read(4))}
    code = _Code({symbol: length for symbol, length in of_lengths.items() if length})
    most = 2 + stream.read(2 + 2 * stream.read(3)) if stream.read(1) else alphabet
    lengths: list[int] = []
    before = 8
    while len(lengths) < alphabet and most:
        most -= 1
        symbol = code.read(stream)
        if symbol < 16:
            lengths.append(symbol)
            before = symbol or before
        else:
            bits, least, value = {16: (2, 3, before), 17: (3, 3, 0), 18: (7, 11, 0)}[symbol]
            lengths += [value] * (least + stream.read(bits))
    return _Code({symbol: length for symbol, length in enumerate(lengths[:alphabet]) if length})
