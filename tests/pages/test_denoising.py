"""`denoise`: specks go where a page is full of them, and letters stay."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.images.specks import speck_share
from ocr_worker.model.options import PageSettings
from ocr_worker.pages.denoising import SPECKLED_SHARE, denoised
from samples import drawing, layouts, wear
from samples.scores import score
from samples.sheets import Sheet
from tests.pages.desk import Desk

DIRT = [wear.speckle, wear.salt_and_pepper]


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return layouts.card(Random(7))


@pytest.fixture(scope="module")
def clean(sheet: Sheet) -> Image.Image:
    return drawing.render(sheet, 300)


@pytest.mark.parametrize("dirt", DIRT)
def test_auto_erases_the_specks_of_a_dirty_page_and_no_letter(clean: Image.Image, dirt: wear.Wear) -> None:
    dirty = dirt(clean, Random(1))

    cleaned = denoised(GreyImage(dirty, 300), "auto").picture

    assert speck_share(dirty) > SPECKLED_SHARE
    assert speck_share(cleaned) < SPECKLED_SHARE / 10
    # What was ink and is paper now was no ink of the clean page, but for a full stop in a thousand pixels.
    lost = ImageChops.subtract(cleaned, dirty).point([0] * 128 + [255] * 128)
    letters = clean.point([255] * 128 + [0] * 128)
    of_letters = ImageChops.multiply(lost, letters).histogram()[255]
    assert of_letters < letters.histogram()[255] / 1000


@pytest.mark.parametrize("worn", [wear.untouched, wear.grain, wear.fade])
def test_auto_leaves_a_page_without_specks_as_it_is(clean: Image.Image, worn: wear.Wear) -> None:
    image = GreyImage(worn(clean, Random(1)), 300)

    assert denoised(image, "auto") is image


def test_auto_takes_no_full_stops_of_small_print_for_specks() -> None:
    page, font = Image.new("L", (420, 640), 255), ImageFont.load_default(15)
    for row in range(30):
        ImageDraw.Draw(page).text(
            (10, 20 + 20 * row), "J. R. Oyelaran . . . . . P. Vance . . . M. Abara", 0, font
        )
    image = GreyImage(page, 150)

    assert speck_share(page) > SPECKLED_SHARE
    assert denoised(image, "auto") is image


def test_off_leaves_a_dirty_page_as_it_is_and_on_smooths_a_clean_one(clean: Image.Image) -> None:
    dirty, spotless = GreyImage(wear.speckle(clean, Random(1)), 300), GreyImage(clean, 300)

    assert denoised(dirty, "off") is dirty
    assert denoised(spotless, "on").picture.tobytes() != clean.tobytes()


@pytest.mark.parametrize("dirt", DIRT)
def test_a_dirty_card_is_read_with_a_fraction_of_the_errors(
    desk: Desk, tmp_path: Path, sheet: Sheet, clean: Image.Image, dirt: wear.Wear
) -> None:
    path = tmp_path / "card.png"
    dirt(clean, Random(1)).save(path, dpi=(300, 300))

    errors = {
        mode: score(
            sheet.truth, desk.process(path, PageSettings(denoise=mode, second_reader="off")).text
        ).character_errors
        for mode in ("auto", "off")
    }

    assert errors["auto"] < errors["off"] / 2
