"""The runs that a BMP is packed as, whose end is missing or comes before the last row: completed with paper."""

from __future__ import annotations

from dataclasses import dataclass

from ocr_worker.engines.images.chunks import Right
from ocr_worker.engines.images.cut_short import TORN_SHARE

_LONGEST = 255
_END_OF_ROW, _END, _MOVE = 0, 1, 2


def completed(size: tuple[int, int], content: bytes, at: int, is_halved: int, paper: int) -> Right | None:
    """None where nothing is missing, or too much; what ends by its own mark is all there.

    Args:
        size: of the picture.
        content: the file.
        at: where its runs begin.
        is_halved: two pixels are in a byte.
        paper: number of the colour that stands for paper.
    """
    width, height = size
    held = _held(content, at, width, is_halved=bool(is_halved))
    if held.y >= height or (not held.is_ended and held.y < TORN_SHARE * height):
        return None
    colour = paper * 17 if is_halved else paper
    rest = _run(width - held.x, colour) + bytes(2)
    rest += (_run(width, colour) + bytes(2)) * (height - held.y - 1)
    return Right(content[: held.at] + rest, share=1.0 if held.is_ended else held.y / height)


@dataclass(slots=True)
class _Held:
    at: int
    """Behind the last run that is whole."""
    x: int = 0
    y: int = 0
    is_ended: bool = False


def _held(content: bytes, at: int, width: int, *, is_halved: bool) -> _Held:
    held = _Held(at)
    while held.at + 2 <= len(content):
        count, kind = content[held.at], content[held.at + 1]
        length = _length(count, kind, is_halved=is_halved)
        if count == 0 and kind == _END:
            held.is_ended = True
            break
        if held.at + length > len(content):
            break
        if count:
            held.x = min(width, held.x + count)
        elif kind == _END_OF_ROW:
            held.x, held.y = 0, held.y + 1
        elif kind == _MOVE:
            held.x, held.y = held.x + content[held.at + 2], held.y + content[held.at + 3]
        else:
            held.x += kind
        held.at += length
    return held


def _length(count: int, kind: int, *, is_halved: bool) -> int:
    """Bytes of a run: what is no repetition ends on an even place."""
    if count or kind in (_END_OF_ROW, _END):
        return 2
    if kind == _MOVE:
        return 4
    pixels = (kind + 1) // 2 if is_halved else kind
    return 2 + pixels + pixels % 2


def _run(pixels: int, colour: int) -> bytes:
    whole, rest = divmod(pixels, _LONGEST)
    return bytes((_LONGEST, colour)) * whole + (bytes((rest, colour)) if rest else b"")
