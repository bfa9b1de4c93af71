"""How high lines are, told by ink alone, beside the layout that Tesseract finds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.row_height import row_height
from ocr_worker.engines.ocr.tesserocr_engine import TesserocrEngine
from samples import Sample, build
from tests.long_rows import first


@pytest.mark.parametrize("share", first(1, [2 / 3, 1 / 2]))
@pytest.mark.parametrize("kind", ["clean", "grainy", "noisy", "two_columns", "small_print"])
def test_ink_tells_the_height_that_the_layout_does_or_a_little_less(
    sample: Callable[[str], Sample], english: Path, kind: str, share: float
) -> None:
    picture = Image.open(sample(kind).path).convert("L")
    picture = picture.resize((round(picture.width * share), round(picture.height * share)))

    told = TesserocrEngine(("eng",), english).find_layout(GreyImage(picture, 300 * share)).row_px

    assert 0.75 * told <= row_height(picture) <= 1.05 * told


def test_a_tilted_page_has_the_rows_of_a_level_one(sample: Callable[[str], Sample]) -> None:
    level = Image.open(sample("clean").path).convert("L")
    tilted = level.rotate(2, Image.Resampling.BICUBIC, fillcolor=255)

    assert row_height(tilted) == pytest.approx(row_height(level), rel=0.35)


def test_a_page_with_next_to_nothing_on_it_tells_nothing(sample: Callable[[str], Sample]) -> None:
    page = Image.open(sample("clean").path).convert("L")
    heading = Image.new("L", page.size, 255)
    heading.paste(page.crop((0, 0, page.width, 400)))

    assert row_height(heading) == 0
    assert row_height(Image.open(sample("blank").path).convert("L")) == 0


@pytest.mark.parametrize("kind", ["big_and_small", "mixed_words", "labels"])
def test_small_print_beside_large_is_what_counts(tmp_path: Path, kind: str) -> None:
    page = Image.open(build(kind, tmp_path)[0].path).convert("L").reduce(2)

    assert 0 < row_height(page) < 17
