"""Pages photographed in poor light, small originals on a black scanner bed and white print on black are read as they are.

From threads of docling and paperless on phone photos.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from PIL import Image, ImageChops, ImageFilter

from ocr_worker.pages import doubtful_text
from samples import build
from samples.scores import score
from samples.wear import noise
from tests.cases.plain import plain_text
from tests.cases.shown import SIZE, sheet, words_of
from tests.long_rows import first
from tests.pages.desk import Desk


@pytest.mark.parametrize(
    "kind",
    first(
        2,
        [
            "dim_vignette",
            "half_shadow",
            "receipt_on_black",
            "white_on_grey",
            "dim",
            "dim_grainy",
            "night",
            "receipt_on_grain",
            "receipt_on_grey",
            "card_on_black",
            "white_on_black",
        ],
    ),
)
def test_a_dark_picture_is_read_no_worse_than_by_plain_tesseract(
    desk: Desk, tmp_path: Path, kind: str
) -> None:
    [page] = build(kind, tmp_path)
    plain = score(page.truth, plain_text(page.path, tmp_path / "cache"))

    ours = score(page.truth, desk.process(page.path).text)

    assert ours.cer <= plain.cer + 0.5
    assert ours.f1 >= plain.f1 - 0.5


def test_a_page_so_dim_that_the_engine_finds_nothing_is_read(desk: Desk, tmp_path: Path) -> None:
    """Plain Tesseract finds no word: its one threshold falls within the paper."""
    path, shade = tmp_path / "dim.png", Image.linear_gradient("L").resize(SIZE)
    page = ImageChops.multiply(sheet(), shade.point(lambda level: 140 - level // 6))
    ImageChops.add(page, _grain(Random(2)), 2, -44).save(path, dpi=(150, 150))
    assert plain_text(path, tmp_path / "cache").split() != words_of()

    assert desk.process(path).text.split() == words_of()


@pytest.mark.long
def test_a_page_so_dim_and_grainy_that_a_part_of_it_is_not_read_says_so(desk: Desk, tmp_path: Path) -> None:
    """What was read of it is right, so that confidence does not tell."""
    path, shade = tmp_path / "dim.png", Image.linear_gradient("L").resize(SIZE)
    page = ImageChops.multiply(sheet(), shade.point(lambda level: 140 - level // 6))
    ImageChops.add(page, _grain(Random(1), 0.6), 2, -44).save(path, dpi=(150, 150))

    done = desk.process(path)

    assert done.pages[0].status == "ok"
    assert 0 < len(done.text.split()) < len(words_of())
    assert done.pages[0].warnings == (doubtful_text.GRAINY,)


def test_a_page_that_is_read_to_be_nonsense_says_so(desk: Desk, tmp_path: Path) -> None:
    """Words that are smeared until none is right."""
    path = tmp_path / "smeared.png"
    sheet().filter(ImageFilter.GaussianBlur(4)).save(path, dpi=(150, 150))

    done = desk.process(path)

    assert not set(done.text.split()) & set(words_of())
    assert "makes little sense" in " ".join(done.pages[0].warnings)


def _grain(random: Random, strength: float = 0.32) -> Image.Image:
    """About 128, by 12 levels: the mean of four has the bell that a sensor's noise has."""
    one, two, three, four = (noise(SIZE, random) for _ in range(4))
    mean = Image.blend(Image.blend(one, two, 0.5), Image.blend(three, four, 0.5), 0.5)
    return Image.blend(Image.new("L", SIZE, 128), mean, strength)
