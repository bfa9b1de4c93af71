"""What a picture's ink tells before anything is read: its polarity, whether one threshold parts it, its tilt, and where it is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from random import Random

import pytest
from PIL import Image, ImageChops, ImageDraw

from ocr_worker.engines.images.ink import BLOCK, MOST_SINGLY, STRETCH, Ink, _like_print, _may_be_print
from ocr_worker.engines.images.tilt import ink_tilt
from ocr_worker.engines.images.tones import Tones, look, otsu
from samples import Sample, build
from tests.long_rows import first

Build = Callable[[str], Sample]


def picture(kind: str, folder: Path) -> Image.Image:
    return Image.open(build(kind, folder)[0].path).convert("L")


@pytest.mark.parametrize("kind", ["dim", "night", "pale", "receipt_on_black", "half_shadow"])
def test_dark_ink_is_dark_however_dark_the_picture_is(tmp_path: Path, kind: str) -> None:
    assert look(picture(kind, tmp_path)).light < 0.5


@pytest.mark.parametrize("kind", ["white_on_black", "white_on_grey", "white_askew"])
def test_light_ink_is_light(tmp_path: Path, kind: str) -> None:
    assert look(picture(kind, tmp_path)).light > 0.9


@pytest.mark.parametrize("kind", ["side_bar", "banner"])
def test_a_page_of_both_kinds_of_ink_is_told(tmp_path: Path, kind: str) -> None:
    assert 0.1 < look(picture(kind, tmp_path)).light < 0.5


@pytest.mark.parametrize(
    ("kind", "is_lost"),
    [
        ("half_shadow", True),
        ("dim_vignette", True),
        ("dim", False),
        ("side_bar", False),
        ("receipt_on_black", False),
        ("receipt_on_grain", False),
    ],
)
def test_ink_that_one_threshold_loses_is_told_and_dark_bars_and_beds_are_no_shadow(
    *, tmp_path: Path, kind: str, is_lost: bool
) -> None:
    assert (look(picture(kind, tmp_path)).lost > 0.1) is is_lost


def test_a_picture_of_next_to_no_size_has_no_tones() -> None:
    assert look(Image.new("L", (20, 5000), 255)) == Tones()


def test_the_threshold_of_two_greys_lies_between_them() -> None:
    counts = [0] * 256
    counts[40], counts[200] = 100, 900

    assert otsu(counts) == 119


@pytest.mark.parametrize("kind", ["clean", "small_print", "cards", "inverted"])
@pytest.mark.parametrize("degrees", first(2, [-20, 6.4, -9, 0, 15]))
def test_the_tilt_of_a_page_is_told_by_its_ink(sample: Build, kind: str, degrees: float) -> None:
    with Image.open(sample(kind).path) as image:
        level = image.convert("L")
    paper = 0 if kind == "inverted" else 255
    tilted = level.rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=paper)

    assert ink_tilt(tilted) == pytest.approx(degrees, abs=0.5)


def test_a_page_without_rows_has_no_tilt(sample: Build) -> None:
    assert ink_tilt(Image.open(sample("blank").path).convert("L")) == 0


def test_a_short_word_is_ink_and_specks_and_dust_are_none(sample: Build) -> None:
    with Image.open(sample("clean").path) as image:
        page = image.convert("L")
    word, specks, random = Image.new("L", page.size, 255), Image.new("L", page.size, 255), Random("specks")
    word.paste(page.crop((280, 300, 480, 380)), (900, 1700))
    for _ in range(60):
        x, y = random.randrange(2400), random.randrange(3400)
        specks.paste(0, (x, y, x + 4, y + 4))

    assert Ink(word).is_there
    assert not Ink(specks).is_there
    assert not Ink(Image.open(sample("blank").path).convert("L")).is_there


def test_ink_outside_of_the_words_is_told_by_its_share(sample: Build) -> None:
    with Image.open(sample("clean").path) as image:
        page = image.convert("L")
    width, height = page.size

    ink = Ink(page)

    assert ink.share_outside([]) == 1
    assert ink.share_outside([(0, 0, width, height)]) == 0
    assert 0.3 < ink.share_outside([(0, 0, width, height // 2)]) < 0.7


def test_ink_that_counts_no_longer_is_outside_of_no_words_either(sample: Build) -> None:
    with Image.open(sample("clean").path) as image:
        ink = Ink(image.convert("L"))
    assert ink.has_print_outside([])

    ink.keep_within([])

    assert not ink.has_print_outside([])


@pytest.mark.parametrize("kind", ["clean", "small_print", "large_print", "typed_10", "white_on_black"])
def test_a_line_of_print_outside_of_what_was_found_is_seen(tmp_path: Path, kind: str) -> None:
    page = picture(kind, tmp_path)
    ink = Ink(page)
    step, line = page.height // 200, range(page.height // 3, page.height // 3 + page.height // 40)
    rows = [(0, top, page.width, top + step) for top in range(0, page.height, step)]

    assert ink.has_print_outside([row for row in rows if not set(range(row[1], row[3])).intersection(line)])
    assert not ink.has_print_outside(rows)


def test_rules_blots_specks_and_greys_are_no_print() -> None:
    page = Image.new("L", (2480, 3508), 255)
    draw = ImageDraw.Draw(page)
    for top in range(300, 1200, 100):
        draw.line((200, top, 2280, top), fill=0, width=5)
    for left in range(200, 2300, 400):
        draw.line((left, 300, left, 1100), fill=0, width=5)
    draw.ellipse((300, 1400, 500, 1600), fill=0)
    draw.ellipse((700, 1300, 1300, 1900), outline=60, width=14)
    page.paste(Image.linear_gradient("L").resize((900, 900)), (1400, 1300))
    random = Random(3)
    for _ in range(4000):
        x, y = random.randrange(2480), random.randrange(2400, 3508)
        draw.rectangle((x, y, x + 3, y + 3), fill=0)

    assert not Ink(page).has_print_outside([])


def like_print(ink: Image.Image) -> set[tuple[int, int]]:
    """Where a stretch begins that is black by 0.15 of it, and which a line across it meets three times in its whole width."""
    (width, height), cells = ink.size, ink.load()
    assert cells
    found = set()
    for left, top in product(range(0, width, STRETCH // 2), range(0, height, BLOCK // 2)):
        across, down = range(left, min(left + STRETCH, width)), range(top, min(top + BLOCK, height))
        black = [(x, y) for x, y in product(across, down) if cells[x, y]]
        begun = [(x, y) for x, y in black if not cells[(x - 1) % width, y]]
        share, strokes = (255 * len(one) / (len(across) * len(down)) for one in (black, begun))
        if share >= 37.5 and strokes >= 11.5:
            found.add((left, top))
    return found


@pytest.mark.parametrize("words", [0, 1, 3, 60, 600])
@pytest.mark.parametrize("size", [(150, 45), (600, 203), (24, 20), (9, 3), (33, 5)])
def test_print_is_found_wherever_it_is(size: tuple[int, int], words: int) -> None:
    random, ink = Random(words), Image.new("L", size)
    for _ in range(words):
        left, top, height = random.randrange(size[0]), random.randrange(size[1]), random.randrange(3, 9)
        for x in range(left, left + random.randrange(6, 60), random.randrange(3, 9)):
            ink.paste(255, (x, top, x + 2, top + height))

    assert {(x, y) for x, y, *_ in _like_print(ink)} == like_print(ink)
    if words == 600 and size[0] == 600:
        begun = ImageChops.darker(ink, ImageChops.invert(ImageChops.offset(ink, 1, 0)))
        assert len(list(_may_be_print(ink, begun))) > MOST_SINGLY
        assert like_print(ink)


def test_a_picture_may_be_smaller_than_a_word() -> None:
    paper = Image.new("L", (20, 24), 255)
    letter = paper.copy()
    letter.paste(0, (9, 4, 12, 20))

    assert Ink(letter).has_print_outside([])
    assert not Ink(letter).has_print_outside([(8, 3, 13, 21)])
    assert not Ink(paper).has_print_outside([])
