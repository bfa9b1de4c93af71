"""Print in shadows and in the light of a flash, whose edges are hard, is read as that beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from samples import Sample
from samples.scores import score
from tests.pages.desk import Desk


def page(sample: Sample, paper: int) -> Image.Image:
    with Image.open(sample.path) as picture:
        grey: Image.Image = picture.convert("L").point([level * paper // 255 for level in range(256)])
    return grey


def barred(picture: Image.Image) -> Image.Image:
    """As by the bars of a window."""
    for left in range(100, picture.width, 600):
        box = left, 0, min(left + 220, picture.width), picture.height
        picture.paste(picture.crop(box).point([level * 35 // 100 for level in range(256)]), box)
    return picture


def half_in_shadow(picture: Image.Image) -> Image.Image:
    shade = Image.new("L", picture.size, 255)
    width, height = picture.size
    ImageDraw.Draw(shade).polygon([(width // 3, height), (width, height // 3), (width, height)], fill=80)
    return ImageChops.multiply(picture, shade.filter(ImageFilter.GaussianBlur(25)))


def flashed(picture: Image.Image) -> Image.Image:
    light = Image.new("L", picture.size, 0)
    ImageDraw.Draw(light).ellipse((780, 580, 1620, 1420), fill=175)
    return ImageChops.add(picture, light).filter(ImageFilter.GaussianBlur(2))


@pytest.mark.parametrize(
    ("paper", "lit", "most_cer"),
    [(235, barred, 0.5), (225, half_in_shadow, 0.5), (200, flashed, 4)],
    ids=["bars", "a-shadow", "a-flash"],
)
def test_print_in_another_light_is_read(
    paper: int,
    lit: Callable[[Image.Image], Image.Image],
    most_cer: float,
    sample: Callable[[str], Sample],
    desk: Desk,
    tmp_path: Path,
) -> None:
    clean = sample("clean")
    lit(page(clean, paper)).save(path := tmp_path / "lit.png", dpi=(300, 300))

    assert score(clean.truth, desk.process(path).text).cer < most_cer
