"""Specks: a few pixels of ink with nothing about them, as dust, copiers and cheap sensors leave them."""

from __future__ import annotations

from PIL import Image, ImageChops

from ocr_worker.engines.images.filters import grey_level

MOST_PIXELS = 5
"""A full stop has twice as many at 200 dpi."""
RADIUS_PX = 3
"""A square that reaches so far holds no other ink: the dot of an i has its stem there."""
BANDS, BAND_PX = 3, 128
"""Looking at all of a page would take a twelfth of the time that reading it takes."""
ERASED_PX = 512
"""Rows at a time."""
_MARK = 64
"""What tells ink from its neighbours, of which a square has fewer."""
_add = ImageChops.add_modulo
"""Of small numbers; eight times as fast as the sum that is bounded."""


def speck_share(picture: Image.Image) -> float:
    """How much of a picture of dark ink is specks: told by bands across it."""
    parts = _bands(picture)
    counts = [_specks(part).histogram() for part in parts]
    return sum(count[255] for count in counts) / max(1, sum(map(sum, counts)))


def without_specks(picture: Image.Image) -> Image.Image:
    """Paper in their place; letters stay as they are, other than under a median filter."""
    level, clean = grey_level(picture, 0.5), Image.new("L", picture.size)
    # In bands: the whole of it would be held five times.
    for top in range(0, picture.height, ERASED_PX):
        first = max(0, top - RADIUS_PX)
        band = picture.crop((0, first, picture.width, min(picture.height, top + ERASED_PX + RADIUS_PX)))
        erased = ImageChops.lighter(band, _specks(band, level))
        clean.paste(
            erased.crop((0, top - first, picture.width, min(erased.height, top - first + ERASED_PX))),
            (0, top),
        )
    return clean


def _specks(picture: Image.Image, level: int = 255) -> Image.Image:
    """This grey at their pixels, and black elsewhere."""
    ink = picture.point([1] * 128 + [0] * 128)
    near = _sums(_sums(_framed(ink), 0, 1), 1, 0)
    for _ in range(_MARK.bit_length() - 1):
        ink = _add(ink, ink)
    return _add(near, ink).point([level * (_MARK < sum_ <= _MARK + MOST_PIXELS) for sum_ in range(256)])


def _sums(marks: Image.Image, across: int, down: int) -> Image.Image:
    """Of each seven pixels side by side, or one below the other. A box blur takes four times as long."""

    def of(one: Image.Image, other: Image.Image, steps: int) -> Image.Image:
        return _add(one, other.crop((steps * across, steps * down, other.width, other.height)))

    pairs = of(marks, marks, 1)
    return of(of(of(pairs, pairs, 2), pairs, 4), marks, 6)


def _framed(picture: Image.Image) -> Image.Image:
    """As far as the squares of its edges reach, with the pixels at its edges."""
    width, height = picture.size
    framed = picture.crop((-RADIUS_PX, -RADIUS_PX, width + RADIUS_PX, height + RADIUS_PX))
    for edge, to in ((0, 0), (width - 1, width + RADIUS_PX)):
        framed.paste(picture.crop((edge, 0, edge + 1, height)).resize((RADIUS_PX, height)), (to, RADIUS_PX))
    for edge, to in ((RADIUS_PX, 0), (height + RADIUS_PX - 1, height + RADIUS_PX)):
        framed.paste(
            framed.crop((0, edge, framed.width, edge + 1)).resize((framed.width, RADIUS_PX)), (0, to)
        )
    return framed


def _bands(picture: Image.Image) -> list[Image.Image]:
    width, height = picture.size
    if height <= BANDS * BAND_PX:
        return [picture]
    tops = [height * (2 * band + 1) // (2 * BANDS) - BAND_PX // 2 for band in range(BANDS)]
    return [picture.crop((0, top, width, top + BAND_PX)) for top in tops]
