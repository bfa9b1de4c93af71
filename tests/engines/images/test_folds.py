"""Shadows of folds are told from bars, panels and rules, and taken out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image, ImageChops, ImageDraw

from ocr_worker.engines.images.folds import Fold, find_folds, without_folds
from ocr_worker.engines.images.ink import Ink

SIZE = WIDTH, HEIGHT = 1200, 1600
THRESHOLD = 128
DEEPEST = 0.35


def paper() -> Image.Image:
    """With rows of strokes."""
    page = Image.new("L", SIZE, 255)
    draw = ImageDraw.Draw(page)
    for top in range(100, 1500, 40):
        for left in range(100, 1100, 12):
            draw.rectangle((left, top, left + 4, top + 20), fill=0)
    return page


def found_in(picture: Image.Image, threshold: int = THRESHOLD) -> list[Fold]:
    return find_folds(Ink(picture).cells, threshold)


def shadow(length: int, at: int, fade: int) -> Image.Image:
    """A row of light, dark from `at` on, fading over so many pixels."""
    row = Image.new("L", (length, 1), 255)
    for x in range(at, length):
        row.putpixel((x, 0), round(255 * (1 - (1 - DEEPEST) * 2 ** (-(x - at) / fade))))
    return row


def upright(page: Image.Image, at: int = 500) -> Image.Image:
    return ImageChops.multiply(page, shadow(WIDTH, at, 30).resize(SIZE))


def level(page: Image.Image) -> Image.Image:
    turned = page.transpose(Image.Transpose.TRANSPOSE)
    folded = ImageChops.multiply(turned, shadow(HEIGHT, 800, 30).resize(turned.size))
    return folded.transpose(Image.Transpose.TRANSPOSE)


def aslant(page: Image.Image) -> Image.Image:
    """By a quarter of a degree."""
    light = shadow(WIDTH, 500, 30).resize((WIDTH, HEIGHT + 200)).rotate(0.25, Image.Resampling.BICUBIC)
    return ImageChops.multiply(page, light.crop((0, 100, WIDTH, HEIGHT + 100)))


@pytest.mark.parametrize(
    ("fold", "found"),
    [
        (upright, [True]),
        (level, [False]),
        (aslant, [True]),
        (lambda page: level(upright(page)), [True, False]),
    ],
    ids=["upright", "level", "aslant", "both"],
)
def test_a_fold_is_found_and_its_paper_is_made_as_light_as_the_page_s(
    fold: Callable[[Image.Image], Image.Image], found: list[bool]
) -> None:
    folded = fold(paper())

    folds = found_in(folded)
    smooth = without_folds(folded, folds)

    assert [one.is_upright for one in folds] == found
    # As black and white as before the page was folded, but for the edges of strokes.
    wrong = ImageChops.difference(*(one.point([0] * 160 + [255] * 96) for one in (smooth, paper())))
    assert sum(wrong.histogram()[1:]) < 0.002 * WIDTH * HEIGHT


def barred(page: Image.Image) -> Image.Image:
    page.paste(40, (0, 780, WIDTH, 860))
    return page


def beside_a_panel(page: Image.Image) -> Image.Image:
    page.paste(40, (0, 0, 300, HEIGHT))
    return page


def in_half_a_shadow(page: Image.Image) -> Image.Image:
    page.paste(page.crop((0, 0, 500, HEIGHT)).point([value * 3 // 8 for value in range(256)]), (0, 0))
    return page


def tabled(page: Image.Image) -> Image.Image:
    for top in range(100, 1500, 80):
        page.paste(60, (80, top, 1120, top + 40))
    return page


@pytest.mark.parametrize("other", [barred, beside_a_panel, in_half_a_shadow, tabled, lambda page: page])
def test_what_ends_or_does_not_fade_is_no_fold(other: Callable[[Image.Image], Image.Image]) -> None:
    assert found_in(other(paper())) == []


def test_a_shadow_above_the_threshold_is_left() -> None:
    assert found_in(upright(paper()), round(255 * DEEPEST) - 20) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (7, 3)])
def test_pictures_of_next_to_no_size_have_no_folds(size: tuple[int, int]) -> None:
    assert found_in(Image.new("L", size, 255)) == []
