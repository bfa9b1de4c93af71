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
ERASED_PX = 512
"""Rows at a time."""


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
