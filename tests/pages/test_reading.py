"""What size a page is read at. The engine is a stand-in that says how it was asked; real ones read in test_pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import Image, ImageChops, ImageDraw

from ocr_worker.engines.images import filters
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.layout import TALL_LETTER, Layout, LayoutRow
from ocr_worker.engines.ocr.tesseract_factories import HINTS
from ocr_worker.model.page import Box, Line, Word
from ocr_worker.model.tasks import PageSettings
from ocr_worker.pages.recognition import Reader
from samples import Sample

WIDTH, HEIGHT = 2480, 3508


class Scripted:
    """Sees lines of one height on every page, and reads the size of the bitmap that it was given."""

    name, version = "scripted", "1"

    def __init__(self, row_px: float, confidence: float = 95.0) -> None:
        self.row_share, self.confidence = row_px / HEIGHT, confidence

    def find_layout(self, image: GreyImage) -> Layout:
        width, height = image.size
        row = self.row_share * height
        return Layout(tuple(_row(width, round(row * at), row) for at in range(round(1 / self.row_share))))

    def recognise(self, image: GreyImage) -> tuple[Line, ...]:
        width, height = image.size
        box, baseline = (0, 0, width, height), (0, height, width, height)
        return (Line((Word(f"{width} x {height}", box, self.confidence),), box, baseline, 0, 0),)


def _row(width: int, top: int, height: float) -> LayoutRow:
    """Of two words of a wide letter each, without descenders."""
    bottom = top + round(TALL_LETTER * height)
    halves = (0, top, width // 2, bottom), (width // 2, top, width, bottom)
    box, baseline = (0, top, width, round(top + height)), (0, bottom, width, bottom)
    return LayoutRow(box, baseline, begins_paragraph=True, words=tuple((half,) for half in halves))


class Blind(Scripted):
    """Tells no layout, as the command does."""

    def find_layout(self, image: GreyImage) -> None:  # type: ignore[override]
        pass


@pytest.fixture
def page() -> GreyImage:
    picture = Image.new("L", (WIDTH, HEIGHT), 255)
    ImageDraw.Draw(picture).rectangle((300, 300, 600, 340), fill=0)
    return GreyImage(picture, 300)


def read(page: GreyImage, engine: Scripted, **settings: object) -> Line:
    reader = Reader(engine, lambda: None, PageSettings(**settings), HINTS)  # type: ignore[arg-type]
    (line,) = reader.read(page).lines
    return line


@pytest.mark.parametrize(
    ("row_px", "languages", "size"),
    [
        (42, ("eng",), "1042 x 1754"),
        (38, ("eng",), "1240 x 1754"),
        (30, ("eng",), "2480 x 3508"),
        (60, ("deu",), "2480 x 3508"),
        (60, ("deu", "eng"), "2480 x 3508"),
        (60, ("jpn",), "2480 x 3508"),
    ],
)
def test_large_print_is_read_from_a_smaller_bitmap_and_small_print_from_the_whole(
    page: GreyImage, row_px: int, languages: tuple[str, ...], size: str
) -> None:
    line = read(page, Scripted(row_px), languages=languages)

    assert line.text == size
    assert line.box == (0, 0, WIDTH, HEIGHT), "boxes are in pixels of the page, whatever was read"


@pytest.mark.parametrize(
    ("kind", "size"),
    [("clean", "1042 x 1754"), ("small_print", "2480 x 3509"), ("large_print", "818 x 1333")],
)
def test_where_no_layout_is_told_the_ink_says_how_high_the_lines_are(
    sample: Callable[[str], Sample], kind: str, size: str
) -> None:
    page = GreyImage(Image.open(sample(kind).path).convert("L"), 300)

    assert read(page, Blind(0)).text == size


@pytest.mark.parametrize(
    ("row_px", "size"), [(54, "818 x 1333"), (48, "1042 x 1754"), (36, "1240 x 1754"), (30, "2480 x 3509")]
)
def test_what_looks_tall_by_its_ink_is_read_as_small_as_its_layout_allows(
    sample: Callable[[str], Sample], row_px: int, size: str
) -> None:
    page = GreyImage(Image.open(sample("large_print").path).convert("L"), 300)

    assert read(page, Scripted(row_px)).text == size


@pytest.mark.parametrize("confidence", [40, 90])
def test_what_reads_badly_when_small_is_read_from_the_whole(page: GreyImage, confidence: int) -> None:
    assert read(page, Scripted(42, confidence=confidence)).text == f"{WIDTH} x {HEIGHT}"


def test_a_small_picture_is_never_read_from_a_smaller_one() -> None:
    picture = Image.new("L", (1000, 630), 255)
    ImageDraw.Draw(picture).rectangle((300, 300, 600, 340), fill=0)

    assert read(GreyImage(picture, 300), Scripted(400)).text == "1000 x 630"


class Overlooking(Scripted):
    """Finds the uppermost line alone, and counts how often it looks."""

    looks = 0

    def find_layout(self, image: GreyImage) -> Layout:
        self.looks += 1
        return Layout(super().find_layout(image).rows[:1])


def test_where_a_small_bitmap_hides_much_of_the_ink_no_other_one_is_looked_at(page: GreyImage) -> None:
    engine = Overlooking(42)

    assert read(page, engine).text == f"{WIDTH} x {HEIGHT}"
    assert engine.looks == 2


class Typing(Scripted):
    """Finds lines of letters that are all as wide, and counts how often it looks."""

    looks = 0

    def find_layout(self, image: GreyImage) -> Layout:
        self.looks += 1
        return Layout(
            tuple(replace(row, words=(_letters(row.box),)) for row in super().find_layout(image).rows)
        )


def _letters(line: Box) -> tuple[Box, ...]:
    left, top, right, bottom = line
    wide = (right - left) // 20
    return tuple((left + at * wide, top, left + (at + 1) * wide - 2, bottom) for at in range(20))


def test_a_page_that_a_small_bitmap_tells_to_be_typed_is_looked_at_whole_at_once(page: GreyImage) -> None:
    engine = Typing(60)
    assert engine.find_layout(page).is_typed

    assert read(page, engine).text == f"{WIDTH} x {HEIGHT}"
    assert engine.looks == 1 + 2


class Skipping(Scripted):
    """Finds lines everywhere but in one place, which is less than a twentieth of the page, unless it sees the whole."""

    def find_layout(self, image: GreyImage) -> Layout:
        rows = super().find_layout(image).rows
        third = len(rows) // 3
        return Layout(rows if image.size[0] == WIDTH else rows[:third] + rows[third + 1 :])


def test_one_line_that_a_small_bitmap_hides_has_the_page_read_whole(sample: Callable[[str], Sample]) -> None:
    page = GreyImage(Image.open(sample("clean").path).convert("L"), 300)

    assert read(page, Scripted(60)).text == "1042 x 1754"
    assert read(page, Skipping(60)).text == f"{WIDTH} x {page.size[1]}"


class Watched(Scripted):
    """Remembers how light the paper was of what it read."""

    def __init__(self, row_px: float) -> None:
        super().__init__(row_px)
        self.papers: list[int] = []

    def recognise(self, image: GreyImage) -> tuple[Line, ...]:
        self.papers.append(filters.grey_level(image.picture, 0.75))
        return super().recognise(image)


def test_a_faded_page_in_fairly_even_light_is_made_black_on_white_before_it_is_read(
    sample: Callable[[str], Sample],
) -> None:
    clean = Image.open(sample("clean").path).convert("L")
    light = (
        Image.linear_gradient("L").resize(clean.size).point([180 + level * 40 // 255 for level in range(256)])
    )
    ink = clean.point([60 * (255 - level) // 255 for level in range(256)])
    engine = Watched(42)

    assert read(GreyImage(ImageChops.subtract(light, ink), 300), engine).text == "1042 x 1754"
    # Once: for its words are sure, and lie wherever it has ink.
    assert engine.papers == [255]


class Beside(Scripted):
    """Reads the left half of the page alone; of a second picture it sees either half."""

    def __init__(self, row_px: float, *, sees_more: bool) -> None:
        super().__init__(row_px)
        self.reads, self.sees_more = 0, sees_more

    def find_layout(self, image: GreyImage) -> Layout:
        rows = super().find_layout(image).rows
        if self.reads and self.sees_more:
            return Layout(rows)
        return Layout(tuple(replace(row, words=row.words[:1]) for row in rows))

    def recognise(self, image: GreyImage) -> tuple[Line, ...]:
        self.reads += 1
        (line,) = super().recognise(image)
        width, height = image.size
        word = replace(line.words[0], text="left" * 100, box=(0, 0, width // 2, height))
        return (replace(line, words=(word,)),)


@pytest.mark.parametrize(("sees_more", "reads"), [(False, 1), (True, 2)])
def test_a_page_is_read_once_more_only_where_its_layout_then_has_more(sees_more: bool, reads: int) -> None:  # noqa: FBT001
    picture = Image.new("L", (1200, 1200), 255)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((600, 0, 1200, 1200), fill=40)
    for at in range(40, 1160, 40):
        draw.rectangle((60, at, 540, at + 14), fill=0)
        draw.rectangle((660, at, 1140, at + 14), fill=200)
    engine = Beside(40, sees_more=sees_more)

    read(GreyImage(picture, 150), engine)

    assert engine.reads == reads


class Choosy(Scripted):
    """Makes sense of a page on one kind of paper alone, and remembers how each bitmap lay."""

    def __init__(self, row_px: float, makes_sense: Callable[[int], bool]) -> None:
        super().__init__(row_px)
        self.makes_sense = makes_sense
        self.lay: set[str] = set()

    def recognise(self, image: GreyImage) -> tuple[Line, ...]:
        width, height = image.size
        self.lay.add("wide" if width > height else "high")
        self.confidence = 95.0 if self.makes_sense(filters.grey_level(image.picture, 0.5)) else 40.0
        return super().recognise(image)


@pytest.mark.parametrize(
    ("makes_sense", "lay"),
    [
        pytest.param(lambda paper: paper > 200, {"wide"}, id="evened-out"),
        pytest.param(lambda paper: paper < 200, {"wide"}, id="as-it-came"),
        pytest.param(lambda paper: False, {"wide", "high"}, id="in-no-light"),
    ],
)
def test_only_what_makes_sense_in_no_light_is_turned(
    makes_sense: Callable[[int], bool], lay: set[str]
) -> None:
    light = (
        Image.linear_gradient("L")
        .rotate(90)
        .resize((1600, 1200))
        .point([60 + level // 2 for level in range(256)])
    )
    draw = ImageDraw.Draw(light)
    for top in range(100, 1100, 60):
        draw.rectangle((100, top, 1500, top + 20), fill=20)
    engine = Choosy(40, makes_sense)

    read(GreyImage(light, 150), engine)

    assert engine.lay == lay
