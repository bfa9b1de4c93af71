"""The LZW codes of a GIF's first picture: how many of its pixels they give, and the same picture with paper for the rest.

Source: CompuServe, GIF89a, appendix F.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ocr_worker.engines.images import palettes

_EXTENSION, _PICTURE, _TRAILER = 0x21, 0x2C, b"\x3b"
_HEAD_BYTES = 13
_MOST_BITS = 12


@dataclass(frozen=True, slots=True)
class Picture:
    head: bytes
    """Of the file, up to the codes."""
    size: tuple[int, int]
    is_interlaced: bool
    colours: bytes
    least_bits: int
    codes: bytes

    @property
    def lightest(self) -> int:
        """Number of the colour that is most like paper."""
        return min(palettes.lightest(palettes.colours_of(self.colours)) or 0, (1 << self.least_bits) - 1)


@dataclass(frozen=True, slots=True)
class Held:
    pixels: int
    bits: int
    """Of the codes that give them."""
    width: int
    """Bits of the code that is to come."""


def first_picture(content: bytes) -> Picture | None:
    """None for a file that ends before it."""
    colours = _colours(content, _HEAD_BYTES, content[10])
    at = _HEAD_BYTES + len(colours)
    while content[at : at + 1] == bytes([_EXTENSION]):
        at += 2 + sum(1 + len(block) for block in _blocks(content, at + 2)) + 1
    if content[at : at + 1] != bytes([_PICTURE]) or at + 11 > len(content):
        return None
    width, height = (int.from_bytes(content[at + n : at + n + 2], "little") for n in (5, 7))
    flags = content[at + 9]
    own = _colours(content, at + 10, flags)
    start = at + 10 + len(own)
    least = int.from_bytes(content[start : start + 1], "little")
    if not (width and height and 1 <= least < _MOST_BITS):
        return None
    codes = b"".join(_blocks(content, start + 1))
    return Picture(content[: start + 1], (width, height), bool(flags & 64), own or colours, least, codes)


def _colours(content: bytes, at: int, flags: int) -> bytes:
    return content[at : at + 3 * (2 << (flags & 7))] if flags & 128 else b""


def _blocks(content: bytes, at: int) -> Iterator[bytes]:
    while at < len(content) and content[at]:
        yield content[at + 1 : at + 1 + content[at]]
        at += 1 + content[at]


def walk(picture: Picture) -> Held:
    """How far the codes lead, without drawing what they stand for."""
    clear, due = 1 << picture.least_bits, picture.size[0] * picture.size[1]
    width, lengths, before = picture.least_bits + 1, [1] * clear + [0, 0], 0
    pixels = at = 0
    while pixels < due and at + width <= 8 * len(picture.codes):
        near = int.from_bytes(picture.codes[at >> 3 : (at >> 3) + 3], "little")
        code, after = near >> (at & 7) & ((1 << width) - 1), at + width
        if code == clear:
            width, before = picture.least_bits + 1, 0
            del lengths[clear + 2 :]
        else:
            if before and len(lengths) < 1 << _MOST_BITS:
                lengths.append(before + 1)
                width += len(lengths) == 1 << width and width < _MOST_BITS
            # The end, or a code that stands for nothing yet.
            if code == clear + 1 or code >= len(lengths):
                break
            before = lengths[code]
            pixels += before
        at = after
    return Held(min(pixels, due), at, width)


def completed(picture: Picture, held: Held) -> bytes:
    """The file with this picture alone, its missing pixels as paper."""
    clear, width = 1 << picture.least_bits, picture.least_bits + 1
    # So few between two that say to begin anew that no code grows longer.
    run = max(1, clear - 3)
    start = _number([(clear, held.width)])
    block = _number([(clear, width)] + [(picture.lightest, width)] * run)
    missing = picture.size[0] * picture.size[1] - held.pixels
    bits = (
        f"{int.from_bytes(picture.codes, 'little') & ((1 << held.bits) - 1):0{held.bits}b}"
        if held.bits
        else ""
    )
    bits = block * -(-missing // run) + start + bits
    codes = int(_number([(clear + 1, width)]) + bits, 2).to_bytes((len(bits) + width + 7) // 8, "little")
    blocks = (codes[at : at + 255] for at in range(0, len(codes), 255))
    return picture.head + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0" + _TRAILER


def _number(codes: list[tuple[int, int]]) -> str:
    """Bits of codes one after the other, the first one last."""
    return "".join(f"{code:0{width}b}" for code, width in reversed(codes))
