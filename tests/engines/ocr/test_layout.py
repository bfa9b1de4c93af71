"""How high the lines of a real layout are, level and tilted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.layout import TALL_LETTER, LayoutRow
from ocr_worker.engines.ocr.tesserocr_engine import TesserocrEngine
from samples import Sample, build


@pytest.fixture(scope="module")
def engine(english: Path) -> TesserocrEngine:
    return TesserocrEngine(("eng",), english)


@pytest.fixture(scope="module")
def half(sample: Callable[[str], Sample]) -> Image.Image:
    """A page of small print at half its size."""
    return Image.open(sample("small_print").path).convert("L").reduce(2)


def row_px(engine: TesserocrEngine, page: Image.Image, degrees: float = 0) -> float:
    tilted = page.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)
    return engine.find_layout(GreyImage(tilted, 150)).row_px


@pytest.mark.parametrize("degrees", [-0.9, 0.3, 0.9])
def test_lines_that_lie_a_little_askew_are_as_high_as_level_ones(
    engine: TesserocrEngine, half: Image.Image, degrees: float
) -> None:
    assert row_px(engine, half, degrees) == pytest.approx(row_px(engine, half), rel=0.15)


@pytest.mark.parametrize("degrees", [-6, 2, 3])
def test_lines_that_lie_far_askew_are_never_taken_for_higher_ones(
    engine: TesserocrEngine, half: Image.Image, degrees: float
) -> None:
    assert 0 < row_px(engine, half, degrees) <= 1.1 * row_px(engine, half)


def test_turned_lines_pass_for_tall_so_that_a_small_bitmap_tells_that_they_are_turned(
    engine: TesserocrEngine, half: Image.Image
) -> None:
    turned = half.transpose(Image.Transpose.ROTATE_90)

    assert row_px(engine, turned) > 10 * row_px(engine, half)


@pytest.mark.parametrize(
    ("kind", "least", "most"), [("clean", 20, 24), ("footnotes", 11, 15), ("mixed_words", 8, 14)]
)
def test_the_smallest_rows_that_hold_print_are_told(
    engine: TesserocrEngine, tmp_path: Path, kind: str, least: float, most: float
) -> None:
    page = Image.open(build(kind, tmp_path)[0].path).convert("L").reduce(2)

    assert least <= engine.find_layout(GreyImage(page, 150)).smallest_px <= most


@pytest.mark.parametrize(
    ("kind", "is_typed"), [("typed_12", True), ("typed_bold", True), ("clean", False), ("two_columns", False)]
)
def test_typewriting_is_known_by_its_pitch(
    *, engine: TesserocrEngine, tmp_path: Path, kind: str, is_typed: bool
) -> None:
    page = Image.open(build(kind, tmp_path)[0].path).convert("L").reduce(2)

    assert engine.find_layout(GreyImage(page, 150)).is_typed is is_typed


def row(*heights: int) -> LayoutRow:
    letters = tuple((10 * at, 40 - height, 10 * at + 8, 40) for at, height in enumerate(heights))
    return LayoutRow(
        (0, 10, 10 * len(heights), 40),
        (0.0, 40.0, 10.0 * len(heights), 40.0),
        begins_paragraph=True,
        words=(letters,),
    )


@pytest.mark.parametrize(
    ("heights", "tallest"),
    [
        ((3, 10, 11, 11, 11, 11, 11, 11, 11, 13, 16), 16),
        ((4, 6, 7, 14, 14, 14, 14, 17, 20, 20, 21), 21),
        ((8, 8, 8, 8, 14, 14, 14, 20, 20, 20), 8),
        ((*[11] * 20, 16), 11),
    ],
    ids=["one-tall-letter", "stops-and-quotation-marks", "small-print-beside-large", "a-speck-among-many"],
)
def test_a_short_line_is_as_high_as_its_tallest_letter_tells(heights: tuple[int, ...], tallest: int) -> None:
    assert row(*heights).print_px == pytest.approx(tallest / TALL_LETTER)
