"""A page turned by as much as 20 degrees is read, and one that can't be read says so: never a silent blank.

From threads of docling and NAPS2 on skewed phone scans.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from PIL import Image, ImageDraw

from samples import Sample
from samples.scores import score
from tests.cases.shown import sheet, words_of
from tests.long_rows import first
from tests.pages.desk import Desk


@pytest.mark.parametrize(
    ("kind", "degrees"),
    first(
        3,
        [
            ("clean", -9),
            ("letters", 14),
            ("cards", -20),
            *(("clean", degrees) for degrees in (-20, 14)),
            *(("letters", degrees) for degrees in (-20, -9)),
            *(("cards", degrees) for degrees in (-9, 14)),
        ],
    ),
)
def test_a_tilted_page_is_read_as_well_as_a_level_one(
    desk: Desk, sample: Callable[[str], Sample], tmp_path: Path, kind: str, degrees: float
) -> None:
    level, path = sample(kind), tmp_path / "tilted.png"
    with Image.open(level.path) as image:
        dpi = image.info["dpi"]
        tilted = image.convert("L").rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    tilted.save(path, dpi=dpi)

    done = desk.process(path)

    assert score(level.truth, done.text).cer <= score(level.truth, desk.process(level.path).text).cer + 1
    inked = [
        _darkest(tilted, word["box_px"])
        for line in done.record["pages"][0]["lines"]
        for word in line["words"]
    ]
    assert max(inked) < 128, "each box lies where its word is"


def test_a_page_of_ink_without_a_word_says_so(desk: Desk, tmp_path: Path) -> None:
    random, page = Random("scribble"), Image.new("L", (1240, 1754), 255)
    draw, at = ImageDraw.Draw(page), (600.0, 800.0)
    for _ in range(60):
        to = at[0] + random.uniform(-250, 250), at[1] + random.uniform(-250, 250)
        draw.line((*at, *to), fill=0, width=7)
        at = min(1000, max(200, to[0])), min(1400, max(300, to[1]))
    path = tmp_path / "scribble.png"
    page.save(path, dpi=(150, 150))

    [done] = desk.process(path).pages

    assert done.status == "unread"
    assert "ink" in done.warnings[0]


@pytest.mark.parametrize("kind", ["white", "dust", "specks"])
def test_a_page_without_ink_is_blank(
    desk: Desk, sample: Callable[[str], Sample], tmp_path: Path, kind: str
) -> None:
    page, random = Image.new("L", (2480, 3508), 255), Random(kind)
    if kind == "dust":
        page = Image.open(sample("blank").path).convert("L")
    if kind == "specks":
        for _ in range(40):
            x, y = random.randrange(2400), random.randrange(3400)
            page.paste(0, (x, y, x + 4, y + 4))
    path = tmp_path / "empty.png"
    page.save(path, dpi=(300, 300))

    [done] = desk.process(path).pages

    assert (done.status, done.warnings) == ("blank", ())


def _darkest(picture: Image.Image, box: list[int]) -> float:
    lowest = picture.crop((box[0], box[1], box[2], box[3])).getextrema()[0]
    assert isinstance(lowest, (int, float))
    return lowest


@pytest.mark.parametrize(("turned", "degrees"), first(2, [(90, 12), (180, -17), (270, 8), (180, 12)]))
def test_a_page_that_is_tilted_and_turned_is_read(
    desk: Desk, tmp_path: Path, turned: int, degrees: float
) -> None:
    page = Image.new("L", (1240, 1240), 255)
    page.paste(sheet(size=(1000, 700)), (120, 250))
    path = tmp_path / "photo.png"
    tilted = page.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)
    tilted.rotate(turned, expand=True).save(path, dpi=(150, 150))

    done = desk.process(path)

    assert done.text.split() == words_of()


def test_a_black_page_is_not_blank(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "black.png"
    Image.new("L", (1240, 1754), 0).save(path, dpi=(150, 150))

    [done] = desk.process(path).pages

    assert done.status == "unread"
    assert "ink" in done.warnings[0]
