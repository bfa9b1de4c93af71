"""Whether the coded data of a JPEG are what they were: a decoder goes on after damage, and Pillow's says nothing.

Sound data are used up: each interval, from one restart marker to the next, ends with its last block. Where bytes were
changed, the decoder goes astray, and is done with the blocks before the data end, or after. So of a single interval
more blocks are asked for than there are: a decoder makes one of what fills up the last byte, and then none. Of several
intervals a difference in the last bytes makes one in the picture, near the interval's end.

And each block's mean is coded by how much it differs from the one before: after damage all that follow are too light or
too dark, and paper is lighter than white, which no encoder writes. Bytes that were changed so that nothing of this
happens are not noticed.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial

from PIL import Image, ImageChops

from ocr_worker.engines.images import headers
from ocr_worker.engines.images.filters import grey_range, is_flat
from ocr_worker.engines.images.jpeg_stream import (
    MARKER,
    SMALLER,
    Layout,
    is_whole_but_lower,
    rows_held,
    share,
    share_without_drawing,
    small,
)

_RESTART = re.compile(rb"(\xff[\xd0-\xd7])")
_DQT, _APP14 = 0xDB, 0xEE
_MIDDLE, _WHITE = 128, 255
_ROUNDED = 2.0
"""Grey levels, by which a mean may be off."""
_CUT_BYTES = 2
_BLOCK = 8
"""Pixels each way, of a grey JPEG."""
_LATE_BLOCKS = 8
"""So many lie in the last bytes at most: no code is shorter than a bit, and a block has two."""
_LEAST_BYTES = 64
"""Of an interval that is looked at."""
_FEW_PROBES, _MOST_PROBES = 2, 6
"""Of a drawing that shows all; a small one shows it soon or not at all."""
_SCALES = SMALLER, 2, 1
_DENSE_BYTES = 8
"""A block, of which last bytes are too fine for a small drawing."""
_MOST_PIXELS = 1 << 26
"""Of one that is drawn larger, in its colours, where its last bytes may be too fine for a small drawing."""
_HIGHEST = 65_535
"""Pixels, that a JPEG can say."""
_SEQUENTIAL = {0xC0, 0xC1}
_PADDING = b"\0\xff"
"""What some programs fill up the last interval with."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Interval:
    data: bytes
    first: int
    """Of its blocks; counted from the picture's beginning."""
    blocks: int


def look(found: Layout, whole: Image.Image | None = None) -> tuple[float, bool]:
    """The share of its rows that are there, 1 for all, and whether what is not cut short is damaged.

    Each drawing reads all of the data, so none is made twice, and most that are sound are drawn once.

    Args:
        found: the JPEG; one that is progressive, or in several scans, is judged by its means alone.
        whole: what it shows, where that is grey and was drawn anyway.
    """
    if _goes_on(found):
        return 1.0, True
    drawings = _Drawings(found, whole)
    if drawings.halved and drawings.halved.is_used_up and share_without_drawing(found) >= 1:
        return 1.0, _has_odd_greys(found, drawings)
    if whole is not None and _has_its_last_block(whole) and _ends_with_its_data(found, drawings):
        return 1.0, _has_odd_greys(found, drawings)
    held = drawings.share()
    if held < 1 and is_whole_but_lower(found):
        return 1.0, True
    return held, held >= 1 and _is_damaged(found, drawings)


def is_damaged(found: Layout) -> bool:
    """Of one that is known not to be cut short."""
    drawings = _Drawings(found, None)
    if drawings.halved and drawings.halved.is_used_up:
        return _has_odd_greys(found, drawings)
    return _is_damaged(found, drawings)


def _is_damaged(found: Layout, drawings: _Drawings) -> bool:
    if _has_odd_greys(found, drawings):
        return True
    if not drawings.tell_ends:
        return False
    try:
        return _is_out_of_order(found) or bool(_suspects(found, drawings))
    except headers.BROKEN:
        return False


def _has_its_last_block(whole: Image.Image) -> bool:
    """Whether it has some grain: a decoder fills up what is missing with blocks of one grey."""
    width, height = whole.size
    left, top = (width - 1) // _BLOCK * _BLOCK, (height - 1) // _BLOCK * _BLOCK
    return not is_flat(whole.crop((left, top, width, height)), 0)


def _ends_with_its_data(found: Layout, drawings: _Drawings) -> bool:
    """Whether it is sure that the data end where the picture does: then nothing of it is missing."""
    is_told = drawings.tell_ends and drawings.across > _LATE_BLOCKS + 1 and share_without_drawing(found) >= 1
    if not is_told or _is_out_of_order(found):
        return False
    intervals = _intervals(found)
    if not intervals or not _is_looked_at(intervals[-1]) or _is_too_large(found):
        return False
    try:
        return not _suspects(found, drawings)
    except headers.BROKEN:
        return False


def _suspects(found: Layout, drawings: _Drawings) -> list[_Interval]:
    """Intervals that do not end with their data. Raises what a decoder raises."""
    suspects = _intervals(found)
    for scale in drawings.scales:
        # What is too fine for a small drawing may show in a larger one.
        if not suspects or (scale < SMALLER and _is_too_large(found)):
            return []
        suspects = _without_effect(suspects, drawings, scale)
    return suspects


def _is_too_large(found: Layout) -> bool:
    return found.size[0] * found.size[1] > _MOST_PIXELS


def _is_looked_at(one: _Interval) -> bool:
    return len(one.data) >= _LEAST_BYTES


def _has_odd_greys(found: Layout, drawings: _Drawings) -> bool:
    return _has_void_step(found) or _is_beyond_white(drawings)


def _has_void_step(found: Layout) -> bool:
    """Whether a table of its steps has a 0, which no encoder writes: what is multiplied by it is lost."""
    for start, end in _segments(found, _DQT):
        at = start
        while at < end:
            width = 1 + (found.content[at] >> 4)
            steps = found.content[at + 1 : at + 1 + 64 * width]
            if 0 in (steps if width == 1 else map(sum, zip(steps[::2], steps[1::2], strict=False))):
                return True
            at += 1 + 64 * width
    return False


def _is_beyond_white(drawings: _Drawings) -> bool:
    """Whether blocks are lighter than white or darker than black."""
    halved = drawings.halved
    if halved is None:
        return False
    low, high = grey_range(halved.picture)
    reach = _MIDDLE * halved.contrast + _ROUNDED
    return low < _MIDDLE - reach or high > _MIDDLE + reach


@dataclass(frozen=True, slots=True)
class _Halved:
    """A small drawing of half the contrast, in which nothing is beyond white: a block is a pixel."""

    picture: Image.Image
    contrast: float
    """Half, or a little more."""
    is_used_up: bool
    """Whether it is sure that the data end where the picture does, in one go."""


def _halved(found: Layout, *, tell_ends: bool) -> _Halved | None:
    """None where it can't be drawn so."""
    made = _with_half_contrast(found)
    if made is None:
        return None
    content, contrast = made
    across, down = (-(-side // block) for side, block in zip(found.size, found.mcu, strict=True))
    height = (down + 1) * found.mcu[1]
    is_taller = tell_ends and not found.restart_interval and across > 2 and height <= _HIGHEST
    if is_taller:
        content[found.frame_at + 5 : found.frame_at + 7] = height.to_bytes(2, "big")
    try:
        picture = small(bytes(content))
    except headers.BROKEN:
        return None
    if not is_taller:
        return _Halved(picture, contrast, is_used_up=False)
    wide, high = (side // SMALLER for side in found.mcu)
    foot = picture.height - high
    first, rest = (
        grey_range(picture.crop((left, foot, right, picture.height))) != (_MIDDLE, _MIDDLE)
        for left, right in ((0, wide), (wide, picture.width))
    )
    # Of its last block alone something is left.
    return _Halved(picture.crop((0, 0, picture.width, foot)), contrast, is_used_up=first and not rest)


def _with_half_contrast(found: Layout) -> tuple[bytearray, float] | None:
    """With means that count half as much, or a little less, and how much; None where they can't."""
    if len(found.sampling) not in (1, 3) or found.precision != 8 or _is_rgb(found):
        return None
    content, table = bytearray(found.up_to_means()), found.content[found.frame_at + 12]
    for start, end in _segments(found, _DQT):
        at = start
        while at < end:
            width = 1 + (content[at] >> 4)
            if content[at] & 15 == table:
                step = int.from_bytes(content[at + 1 : at + 1 + width], "big")
                content[at + 1 : at + 1 + width] = (step // 2).to_bytes(width, "big")
                return (content, (step // 2) / step) if step > 1 else None
            at += 1 + 64 * width
    return None


def _segments(found: Layout, kind: int) -> Iterator[tuple[int, int]]:
    """Where those before the picture begin and end; not those of a preview in another one."""
    at = 2
    while (marker := MARKER.search(found.content, at, found.scans[0].start)) is not None:
        at = marker.end() + int.from_bytes(found.content[marker.end() : marker.end() + 2], "big")
        if marker[1][0] == kind:
            yield marker.end() + 2, at


def _is_rgb(found: Layout) -> bool:
    """Whether it has three colours that are no luma and two others."""
    adobe = [found.content[start:end] for start, end in _segments(found, _APP14)]
    is_plain = any(body.startswith(b"Adobe") and body[11:12] == b"\0" for body in adobe)
    return len(found.sampling) == 3 and (is_plain or set(found.sampling) == set(b"RGB"))


def _is_out_of_order(found: Layout) -> bool:
    marks = _RESTART.findall(_data(found))
    return bool(found.restart_interval) and any(
        mark[1] != 0xD0 + number % 8 for number, mark in enumerate(marks)
    )


def _goes_on(found: Layout) -> bool:
    """Whether its data have more rows than it says, where that is told without a look at their end."""
    width, height = found.size
    across, down = found.mcu
    if found.restart_interval and len(found.scans) == 1:
        blocks = -(-width // across) * -(-height // down)
        return found.scans[0].restarts > -(-blocks // found.restart_interval)
    if not found.is_progressive or width * height > _MOST_PIXELS:
        return False
    higher = found.with_height(2 * height + down)
    return higher is not None and rows_held(higher) > height + down


def _data(found: Layout) -> bytes:
    scan = found.scans[0]
    return found.content[scan.start : scan.end]


def _intervals(found: Layout) -> list[_Interval]:
    """Those whose blocks are whole rows, or a part of one row."""
    across = -(-found.size[0] // found.mcu[0])
    down = -(-found.size[1] // found.mcu[1])
    count = found.restart_interval or across * down
    if count % across and across % count:
        return []
    pieces = _RESTART.split(_data(found))[::2] if found.restart_interval else [_data(found)]
    pieces[-1] = pieces[-1].rstrip(_PADDING)
    starts = range(0, across * down, count)
    return [
        _Interval(piece, start, min(count, across * down - start))
        for start, piece in zip(starts, pieces, strict=False)
    ]


class _Drawings:
    """Of one JPEG, each made once."""

    def __init__(self, found: Layout, whole: Image.Image | None) -> None:
        self._found = found
        self._plain = {} if whole is None else {1: whole}
        self.tell_ends = found.frame in _SEQUENTIAL and len(found.scans) == 1 and bool(found.sampling)
        """Whether the end of its data is the end of the picture."""
        self.across = -(-found.size[0] // found.mcu[0])
        """Blocks in a row."""
        blocks = self.across * -(-found.size[1] // found.mcu[1])
        is_dense = len(_data(found)) > _DENSE_BYTES * blocks
        self.scales = (1,) if is_dense and whole is not None else _SCALES[is_dense:]
        """In which its ends are looked for, one after the other."""

    def plain(self, scale: int) -> Image.Image:
        if scale not in self._plain:
            self._plain[scale] = _drawn(self._found.whole(), scale)
        return self._plain[scale]

    def share(self) -> float:
        """Of its rows that are there."""
        return share(self._found, partial(self.plain, SMALLER) if self.tell_ends else None)

    @cached_property
    def halved(self) -> _Halved | None:
        return _halved(self._found, tell_ends=self.tell_ends)

    def block(self, scale: int) -> tuple[int, int]:
        """Pixels of a drawing."""
        across, down = self._found.mcu
        return across // scale, down // scale

    def differences(self, changed: set[int], scale: int) -> Iterator[Image.Image]:
        """What comes of other last bytes of the intervals that begin with these blocks, time and again."""
        head = self._found.content[: self._found.scans[0].start]
        for probe in range(_FEW_PROBES if scale > 1 else _MOST_PROBES):
            other = _drawn(head + _changed(self._found, changed, probe) + b"\xff\xd9", scale)
            yield ImageChops.difference(self.plain(scale), other)


def _changed(found: Layout, changed: set[int], probe: int) -> bytes:
    parts = _RESTART.split(_data(found)) if found.restart_interval else [_data(found)]
    parts[-1] = parts[-1].rstrip(_PADDING)
    for number, part in enumerate(parts[::2]):
        if number * found.restart_interval in changed:
            parts[2 * number] = part[: -_cut(part)].rstrip(b"\xff") + _other_bytes(probe, number)
    return b"".join(parts)


def _other_bytes(probe: int, number: int) -> bytes:
    """None of them is FF, which would begin a marker."""
    return hashlib.sha256(b"%d %d" % (probe, number)).digest().replace(b"\xff", b"")


def _cut(part: bytes) -> int:
    """So many bytes that they hold more than the filling of the last one; of a stuffed FF two are one."""
    return 2 * _CUT_BYTES if b"\xff\0" in part[-_CUT_BYTES - 1 :] else _CUT_BYTES


def _without_effect(intervals: list[_Interval], drawings: _Drawings, scale: int) -> list[_Interval]:
    """Those of which other last bytes make no difference, or one too early."""
    rest, block = list(filter(_is_looked_at, intervals)), drawings.block(scale)
    for difference in drawings.differences({one.first for one in rest}, scale) if rest else ():
        rest = [one for one in rest if not _ends_with_data(one, difference, drawings.across, block)]
        if not rest:
            break
    return rest


def _ends_with_data(one: _Interval, difference: Image.Image, across: int, block: tuple[int, int]) -> bool:
    """Whether its last blocks, and none long before them, differ."""
    top, left = divmod(one.first, across)
    late_row, late_left = divmod(max(one.first, one.first + one.blocks - _LATE_BLOCKS), across)
    right = min(across, left + one.blocks)
    bottom = top + max(1, one.blocks // across)
    # Colours are smoothed across the borders of blocks.
    if one.blocks <= across:
        early, late = [(left + 1, top, late_left - 1, bottom)], (late_left, top, right, bottom)
    else:
        above = 0, top + 1, across, late_row - 1
        beside = 0, max(top, late_row - 1), late_left - 1, late_row + 1
        early, late = [above, beside], (0, late_row, across, bottom)
    return _differs(difference, late, block) and not any(_differs(difference, box, block) for box in early)


def _differs(difference: Image.Image, blocks: Box, block: tuple[int, int]) -> bool:
    width, height = block
    left, top, right, bottom = blocks
    box = (
        left * width,
        top * height,
        min(right * width, difference.width),
        min(bottom * height, difference.height),
    )
    return box[0] < box[2] and box[1] < box[3] and difference.crop(box).getbbox() is not None


def _drawn(content: bytes, scale: int) -> Image.Image:
    if scale == SMALLER:
        return small(content)
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
        picture.draft(None, (max(1, picture.width // scale), max(1, picture.height // scale)))
        picture.load()
    # Its memory outlives the file.
    drawn: Image.Image = picture
    return drawn
