"""Print that a layout leaves out is read all the same, where it stands, and once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.model.page import Line, Word
from ocr_worker.pages.doubtful_text import LEFT_OUT
from ocr_worker.pages.left_out import with_what_was_left_out
from samples import Sample
from samples.scores import score
from tests.pages.desk import Desk


def stamped(sample: Sample, folder: Path) -> Path:
    """With the two rings of a stamp over the middle of its text."""
    with Image.open(sample.path) as page:
        picture = page.convert("L")
    draw = ImageDraw.Draw(picture)
    for inset, width in ((0, 16), (60, 8)):
        draw.ellipse((900 + inset, 900 + inset, 1500 - inset, 1500 - inset), outline=90, width=width)
    picture.save(path := folder / "stamped.png", dpi=(300, 300))
    return path


def test_lines_under_the_ring_of_a_stamp_are_read(
    sample: Callable[[str], Sample], desk: Desk, tmp_path: Path
) -> None:
    clean = sample("clean")

    done = desk.process(stamped(clean, tmp_path))

    found = score(clean.truth, done.text)
    assert found.f1 > 93
    assert found.cer < 10, "and in their order: plain Tesseract has 17"
    assert done.record["pages"][0]["warnings"] == [LEFT_OUT], "some words can't be read"


@pytest.mark.parametrize("number", ["7", "iv", "- 3 -"])
def test_the_number_of_a_page_is_read_wherever_it_stands(
    number: str, sample: Callable[[str], Sample], desk: Desk, tmp_path: Path
) -> None:
    with Image.open(sample("clean").path) as page:
        picture = page.convert("L")
    ImageDraw.Draw(picture).text((2200, 3380), number, 0, ImageFont.load_default(44))
    picture.save(path := tmp_path / "numbered.png", dpi=(300, 300))

    *_, last = desk.process(path).text.split("\n\n")

    assert last.replace(" ", "").strip() == number.replace(" ", "")


class Found:
    """Says of any strip what it was told, in the middle of it, and keeps their sizes."""

    def __init__(self, text: str, confidence: float) -> None:
        self.words, self.sizes = text.split(), list[tuple[int, int]]()
        self.confidence = confidence

    def __call__(self, image: GreyImage) -> tuple[Line, ...]:
        self.sizes.append(image.size)
        width, height = image.size
        box = (width // 4, height // 3, width // 2, 2 * height // 3)
        words = tuple(Word(word, box, self.confidence) for word in self.words)
        return (Line(words, box, (box[0], box[3], box[2], box[3]), 0, 0),)


def line(text: str, box: tuple[int, int, int, int]) -> Line:
    return Line((Word(text, box, 95.0),), box, (box[0], box[3], box[2], box[3]), 0, 0)


def page_with_a_row_between(rows: int = 1) -> GreyImage:
    """What looks like print, in so many rows between 600 and 3000 pixels from above."""
    picture = Image.new("L", (2480, 3508), 255)
    draw = ImageDraw.Draw(picture)
    for number in range(rows):
        top = 600 + number * 2400 // rows
        for left in range(300, 1500, 26):
            draw.rectangle((left, top, left + 12, top + 34), fill=0)
    return GreyImage(picture, 300)


ABOVE, BELOW = line("above", (300, 300, 800, 340)), line("below", (300, 3200, 800, 3240))


def texts(image: GreyImage, read: Found) -> list[str]:
    lines, _ = with_what_was_left_out(image, (ABOVE, BELOW), read)
    return [one.text for one in lines]


def test_a_line_that_is_sure_goes_where_it_stands() -> None:
    read = Found("left out", 90)

    assert texts(page_with_a_row_between(), read) == ["above", "left out", "below"]
    ((_, height),) = read.sizes
    assert height <= 160, "a row alone is shown, with some paper"


@pytest.mark.parametrize(("text", "confidence"), [("left out", 60), ("ab", 95), ("|| —", 95)])
def test_what_is_not_sure_or_next_to_nothing_is_left_out(text: str, confidence: float) -> None:
    assert texts(page_with_a_row_between(), Found(text, confidence)) == ["above", "below"]


def lone(picture: Image.Image) -> GreyImage:
    """A mark as large as a letter below all lines."""
    ImageDraw.Draw(picture).rectangle((1200, 3400, 1212, 3434), fill=0)
    return GreyImage(picture, 300)


@pytest.mark.parametrize(("text", "confidence"), [("162", 90), ("— 1 —", 90), ("xii", 90)])
def test_a_mark_alone_that_is_surely_a_number_is_the_pages(text: str, confidence: float) -> None:
    image = lone(Image.new("L", (2480, 3508), 255))

    assert texts(image, Found(text, confidence)) == ["above", "below", text]


@pytest.mark.parametrize(("text", "confidence"), [("162", 80), ("1", 95), ("ii", 95), ("e", 95)])
def test_another_mark_is_a_blot_or_a_stroke(text: str, confidence: float) -> None:
    image = lone(Image.new("L", (2480, 3508), 255))

    assert texts(image, Found(text, confidence)) == ["above", "below"]


def test_many_marks_alone_are_specks_and_not_read() -> None:
    picture = Image.new("L", (2480, 3508), 255)
    for at in range(400, 2000, 300):
        ImageDraw.Draw(picture).rectangle((at, 1200, at + 12, 1234), fill=0)
    read = Found("162", 90)

    assert texts(lone(picture), read) == ["above", "below"]
    assert read.sizes == []


def test_what_has_more_rows_than_print_under_a_stamp_is_a_picture_and_not_read() -> None:
    read = Found("left out", 90)

    assert texts(page_with_a_row_between(rows=30), read) == ["above", "below"]
    assert read.sizes == []


def test_where_nothing_looks_like_print_nothing_is_read_again() -> None:
    read = Found("left out", 90)

    assert texts(page_with_a_row_between(rows=0), read) == ["above", "below"]
    assert read.sizes == []
