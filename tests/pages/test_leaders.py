"""Leaders are no words, and what stands on both sides of them is one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.images.leaders import find_leaders, without
from ocr_worker.model.page import Box, Line, Word
from ocr_worker.pages.led import joined
from samples import Sample
from tests.pages.desk import Desk

HEADINGS = (
    "The first winter", "Letters from home", "On the road again", "Bread and salt", "What the neighbours said",
    "A broken window", "Summer guests", "The long way round", "Music in the garden", "An old promise",
    "Rain on the roof", "The last harvest",
)  # fmt: skip
NUMBERS = (12, 27, 31, 43, 59, 64, 72, 85, 93, 104, 117, 129)
CONTENTS = [f"{heading} {number}" for heading, number in zip(HEADINGS, NUMBERS, strict=True)]
SIZE, LEFT, RIGHT = 46, 250, 2100


def contents(mark: str, step: float) -> Image.Image:
    """A table of contents on A4 at 300 dpi, its leaders so many pixels from mark to mark, ending before the numbers."""
    page = Image.new("L", (2480, 3508), 255)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(SIZE)
    for row, (heading, number) in enumerate(zip(HEADINGS, NUMBERS, strict=True)):
        y = 300 + 90 * row
        draw.text((LEFT, y), heading, 0, font)
        draw.text((RIGHT, y), str(number), 0, font)
        at = RIGHT - 2 * step
        while at > LEFT + font.getlength(heading) + SIZE / 2:
            draw.text((at, y), mark, 0, font)
            at -= step
    return page


def grey(picture: Image.Image, dpi: float = 300) -> GreyImage:
    return GreyImage(picture, dpi)


@pytest.mark.parametrize(
    ("mark", "step", "dpi"),
    [
        (".", 16, 300),
        (".", 24, 200),
        (".", 40, 300),
        (".", 24, 150),
        ("·", 26, 300),
        ("-", 28, 300),
        ("_", 34, 300),
    ],
)
def test_a_table_of_contents_is_its_headings_and_numbers(
    desk: Desk, tmp_path: Path, mark: str, step: float, dpi: int
) -> None:
    page = contents(mark, step).resize((2480 * dpi // 300, 3508 * dpi // 300), Image.Resampling.LANCZOS)
    page.save(path := tmp_path / "contents.png", dpi=(dpi, dpi))

    text = desk.process(path).text

    assert [line for line in text.splitlines() if line] == CONTENTS


def test_it_may_lie_on_its_side(desk: Desk, tmp_path: Path) -> None:
    contents(".", 24).rotate(90, expand=True).save(path := tmp_path / "contents.png", dpi=(300, 300))

    text = desk.process(path).text

    assert [line for line in text.splitlines() if line] == CONTENTS


@pytest.mark.parametrize("degrees", [0, 1.5, -2.5])
def test_leaders_are_found_on_a_tilted_page_and_taken_out(degrees: float) -> None:
    page = contents(".", 24).rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)

    leaders = find_leaders(grey(page))

    assert len(leaders) == len(HEADINGS)
    assert find_leaders(grey(without(page, leaders))) == []


def test_a_short_leader_counts_beside_long_ones() -> None:
    page = contents(".", 24)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(SIZE)
    for at in range(4):
        draw.text((LEFT + 24 * at, 2000), ".", 0, font)
        draw.text((LEFT + 36 * at, 2200), ".", 0, font)

    shortest, *others = sorted(find_leaders(grey(page)), key=len)

    assert len(shortest) == 4
    assert len(others) == len(HEADINGS), "other dots, as of an ellipsis, are left alone"


def test_print_has_none(sample: Callable[[str], Sample]) -> None:
    with Image.open(sample("clean").path) as page:
        assert find_leaders(grey(page.convert("L"))) == []


def test_a_grey_of_dots_has_none() -> None:
    page = contents(" ", 24).point([225] * 256).convert("1").convert("L")
    page.paste(contents(" ", 24), mask=contents(" ", 24).point([255] * 128 + [0] * 128))

    assert find_leaders(grey(page)) == []


def test_the_dashes_of_a_listings_table_are_its_own() -> None:
    page = Image.new("L", (2480, 3508), 255)
    draw = ImageDraw.Draw(page)
    for row in range(8):
        for column, sign in enumerate("+------------+------------+------------+"):
            left, y = 300 + 22 * column, 400 + 60 * row
            if sign == "+":
                draw.rectangle((left + 9, y - 8, left + 13, y + 12), fill=0)
            draw.rectangle(
                (left + 1, y, left + 20, y + 4) if sign == "+" else (left + 5, y, left + 16, y + 4), fill=0
            )

    assert find_leaders(grey(page)) == []


DOTS = tuple((300 + 24 * number, 130, 306 + 24 * number, 136) for number in range(20))


def line(text: str, box: Box, block: int) -> Line:
    left, _, right, foot = box
    parts = text.split()
    width = (right - left) // len(parts)
    words = tuple(
        Word(part, (left + at * width, box[1], left + (at + 1) * width, foot), 95.0)
        for at, part in enumerate(parts)
    )
    return Line(words, box, (left, foot, right, foot), block, block)


def test_columns_on_both_sides_of_a_leader_are_joined() -> None:
    heading, other = line("Bread and", (100, 100, 290, 136), 0), line("Salt", (100, 200, 290, 236), 0)
    number, next_number = line("12", (780, 100, 820, 136), 1), line("31", (780, 200, 820, 236), 1)

    lines = joined((heading, other, number, next_number), [DOTS])

    assert [one.text for one in lines] == ["Bread and 12", "Salt", "31"]
    assert lines[0].box == (100, 100, 820, 136)
    assert lines[0].baseline == (100, 136, 820, 136)


def test_a_space_parts_both_sides_whatever_an_engine_says_of_the_first_word_of_a_line() -> None:
    number = line("12", (780, 100, 820, 136), 1)
    number = replace(number, words=(replace(number.words[0], space_before=False),))

    (joint,) = joined((line("Bread and", (100, 100, 290, 136), 0), number), [DOTS])

    assert joint.text == "Bread and 12"


def test_hebrew_is_joined_from_right_to_left() -> None:
    heading = line("לחם ומלח", (780, 100, 980, 136), 0)
    heading = Line(heading.words[::-1], heading.box, heading.baseline, 0, 0)

    (joint,) = joined((heading, line("12", (250, 100, 290, 136), 1)), [DOTS])

    assert joint.text == f"{heading.text} 12"


def test_what_is_one_line_stays_one_and_a_row_of_dots_alone_is_a_word() -> None:
    name, place = line("Name:", (100, 100, 290, 136), 0), line("Place:", (780, 100, 900, 136), 0)
    form = Line((*name.words, *place.words), (100, 100, 900, 136), (100, 136, 900, 136), 0, 0)
    alone = tuple((left, top + 200, right, foot + 200) for left, top, right, foot in DOTS)

    lines = joined((form,), [DOTS, alone])

    assert [one.text for one in lines] == ["Name: Place:", "." * 20]
