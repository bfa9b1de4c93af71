"""Specks are told pixel by pixel."""

from __future__ import annotations

from random import Random

import pytest
from PIL import Image

from ocr_worker.engines.images.specks import MOST_PIXELS, RADIUS_PX, speck_share, without_specks


def is_speck(picture: Image.Image, x: int, y: int) -> bool:
    """Ink, of little in the square about it; what lies beyond an edge is as its edge."""
    (width, height), greys = picture.size, picture.tobytes()
    reach = range(-RADIUS_PX, RADIUS_PX + 1)
    near = [
        greys[min(max(y + down, 0), height - 1) * width + min(max(x + across, 0), width - 1)]
        for across in reach
        for down in reach
    ]
    return greys[y * width + x] < 128 and sum(level < 128 for level in near) <= MOST_PIXELS


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3), (31, 17)])
@pytest.mark.parametrize("one_in", [60, 12, 4, 1])
def test_ink_of_few_pixels_with_nothing_about_it_becomes_paper(size: tuple[int, int], one_in: int) -> None:
    width, height = size
    random = Random(one_in * width + height)
    greys = (random.randrange(128) if random.randrange(one_in) == 0 else 200 for _ in range(width * height))
    picture = Image.frombytes("L", size, bytes(greys))
    places = [(x, y) for y in range(height) for x in range(width)]
    specks = {place for place in places if is_speck(picture, *place)}

    clean = without_specks(picture)

    assert speck_share(picture) == len(specks) / (width * height)
    paper = sorted(picture.tobytes())[-(-width * height // 2) - 1]
    assert all(
        clean.getpixel(place) == (paper if place in specks else picture.getpixel(place)) for place in places
    )
