"""Specks: a few pixels of ink with nothing about them, as dust, copiers and cheap sensors leave them."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageFilter

from ocr_worker.engines.images.filters import grey_level

MOST_PIXELS = 5
"""A full stop has twice as many at 200 dpi."""
RADIUS_PX = 3
"""A square that reaches so far holds no other ink: the dot of an i has its stem there."""
BANDS, BAND_PX = 3, 128
"""Looking at all of a page would take a twelfth of the time that reading it takes."""


def speck_share(picture: Image.Image) -> float:
    """How much of a picture of dark ink is specks: told by bands across it."""
    parts = _bands(picture)
    counts = [_specks(part).histogram() for part in parts]
    return sum(count[255] for count in counts) / max(1, sum(map(sum, counts)))


def without_specks(picture: Image.Image) -> Image.Image:
    """Paper in their place; letters stay as they are, other than under a median filter."""
    return ImageChops.lighter(picture, _specks(picture, grey_level(picture, 0.5)))


def _specks(picture: Image.Image, level: int = 255) -> Image.Image:
    """This grey at their pixels, and black elsewhere."""
    ink = picture.point([255] * 128 + [0] * 128)
    most = 255 * MOST_PIXELS / (2 * RADIUS_PX + 1) ** 2
    is_lone = ink.filter(ImageFilter.BoxBlur(RADIUS_PX)).point(
        [level * (mean <= most + 0.5) for mean in range(256)]
    )
    return ImageChops.darker(ink, is_lone)


def _bands(picture: Image.Image) -> list[Image.Image]:
    width, height = picture.size
    if height <= BANDS * BAND_PX:
        return [picture]
    tops = [height * (2 * band + 1) // (2 * BANDS) - BAND_PX // 2 for band in range(BANDS)]
    return [picture.crop((0, top, width, top + BAND_PX)) for top in tops]
