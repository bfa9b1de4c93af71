"""White text in a dark bar or banner is read beside black text. From OCRmyPDF #1061 and #624, and surya #112."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from samples import build
from samples.scores import score
from tests.cases.plain import plain_text, words_found
from tests.cases.shown import LINES, sheet, words_of
from tests.long_rows import first
from tests.pages.desk import Desk


@pytest.mark.parametrize("kind", first(1, ["banner", "side_bar_dim", "side_bar", "barred", "striped"]))
def test_words_of_both_kinds_are_read(desk: Desk, tmp_path: Path, kind: str) -> None:
    [page] = build(kind, tmp_path)
    plain = words_found(page.truth, plain_text(page.path, tmp_path / "cache"))

    found = words_found(page.truth, desk.process(page.path).text)

    assert found >= 0.99 * plain
    assert plain > 50


def test_under_a_shadow_too(desk: Desk, tmp_path: Path) -> None:
    """Plain Tesseract loses half of such a page: one threshold parts neither kind of ink from its ground."""
    [page] = build("half_shadow_bar", tmp_path)

    assert score(page.truth, desk.process(page.path).text).cer < 2


def test_a_side_bar_that_takes_a_third_of_the_page_is_read(desk: Desk, tmp_path: Path) -> None:
    picture, path = sheet(LINES[:3], (1240, 900)), tmp_path / "cv.png"
    side = Image.new("L", (400, 900), 30)
    pen, letters = ImageDraw.Draw(side), ImageFont.load_default(34)
    words = ["Skills", "French", "German", "Piano", "Contact", "Cardiff"]
    for row, word in enumerate(words):
        pen.text((60, 100 + 90 * row), word, 240, letters)
    page = Image.new("L", (1640, 900), 255)
    page.paste(side, (0, 0))
    page.paste(picture, (400, 0))
    page.save(path, dpi=(150, 150))

    found = desk.process(path).text.split()

    assert set(found) == {*words, *words_of(LINES[:3])}


@pytest.mark.parametrize("grey", [150, 170])
def test_a_faint_heading_beside_black_print_is_read(desk: Desk, tmp_path: Path, grey: int) -> None:
    picture, path = sheet(), tmp_path / "faint.png"
    ImageDraw.Draw(picture).text((90, 800), "Quarterly summary", grey, ImageFont.load_default(60))
    picture.save(path, dpi=(150, 150))

    found = desk.process(path).text.split()

    assert found == [*words_of(), "Quarterly", "summary"]
