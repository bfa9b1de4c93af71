"""Plain print in one column is cut into the blocks that Tesseract finds, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

pytest.importorskip("onnxruntime", reason="needs onnxruntime", exc_type=ImportError)

from PIL import Image, ImageDraw

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.lines import engine as lines
from ocr_worker.engines.ocr.lines.bands import Band, are_plain, plain_print
from ocr_worker.engines.ocr.lines.engine import LinesEngine
from ocr_worker.engines.ocr.lines.model import read_model
from ocr_worker.engines.ocr.lines.runs import Row
from ocr_worker.engines.ocr.lines.two_tones import TwoTones, in_two_tones
from ocr_worker.engines.ocr.tesserocr_engine import TesserocrEngine
from ocr_worker.model.page import Box
from samples import drawing, layouts
from samples.sheets import Sheet

DPI = 150


def drawn(layout: Callable[[Random], Sheet], seed: int = 1) -> Image.Image:
    return drawing.render(layout(Random(seed)), DPI)


def tilted(degrees: float) -> Image.Image:
    return drawn(layouts.prose).rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)


def with_(draw: Callable[[ImageDraw.ImageDraw], object]) -> Image.Image:
    page = drawn(layouts.large_print)
    draw(ImageDraw.Draw(page))
    return page


PLAIN = {
    "prose": lambda: drawn(layouts.prose),
    "large print": lambda: drawn(layouts.large_print),
    "German": lambda: drawn(layouts.german),
    "tilted by 0.4°": lambda: tilted(0.4),
    "a speck beside a line": lambda: with_(lambda draw: draw.rectangle((20, 309, 24, 313), fill=0)),
}
OTHERS = {
    "two columns": lambda: drawn(layouts.two_columns),
    "an invoice": lambda: drawn(layouts.invoice),
    "a form": lambda: drawn(layouts.form),
    "nothing": lambda: drawn(layouts.empty),
    "on its side": lambda: drawn(layouts.prose).transpose(Image.Transpose.ROTATE_90),
    "a picture": lambda: with_(lambda draw: draw.rectangle((600, 800, 900, 1100), fill=90)),
    "an upright rule": lambda: with_(lambda draw: draw.line((1150, 300, 1150, 900), fill=0)),
    "a level rule": lambda: with_(lambda draw: draw.line((150, 60, 1000, 60), fill=0, width=2)),
}


@pytest.fixture(scope="module")
def engine(english: Path) -> LinesEngine:
    return LinesEngine((read_model(english / "eng.traineddata"),), lambda: TesserocrEngine(("eng",), english))


@contextmanager
def without_it(patch: pytest.MonkeyPatch) -> Iterator[None]:
    with patch.context() as patched:
        patched.setattr(lines, "plain_print", lambda _: None)
        yield


def looked_at(engine: LinesEngine, page: Image.Image) -> tuple[Row, ...]:
    return engine._look(GreyImage(page, DPI))


@pytest.mark.parametrize("made", PLAIN.values(), ids=PLAIN)
def test_rows_of_plain_print_are_those_that_tesseract_finds_by_itself(
    made: Callable[[], Image.Image], engine: LinesEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = made()
    with without_it(monkeypatch):
        known = [row for row in looked_at(engine, page) if row.runs]

    found = looked_at(engine, page)

    assert plain_print(in_two_tones(page))
    assert [crops(row) for row in found] == [crops(row) for row in known]
    assert [(row.block, row.paragraph) for row in found] == numbered(known)


def crops(row: Row) -> list[tuple[Box, Box, Box | None]]:
    return [(run.box, run.crop, run.other_crop) for run in row.runs]


def numbered(rows: list[Row]) -> list[tuple[int, int]]:
    """Blocks and paragraphs, as if there were none without runs."""
    blocks, paragraphs = (sorted({one(row) for row in rows}) for one in (block_of, paragraph_of))
    return [(blocks.index(row.block), paragraphs.index(row.paragraph)) for row in rows]


def block_of(row: Row) -> int:
    return row.block


def paragraph_of(row: Row) -> int:
    return row.paragraph


@pytest.mark.parametrize("made", OTHERS.values(), ids=OTHERS)
def test_a_page_with_anything_else_is_left_to_tesseract(made: Callable[[], Image.Image]) -> None:
    assert plain_print(in_two_tones(made())) is None


def test_bands_part_a_page_where_white_is_high() -> None:
    page = in_two_tones(drawn(layouts.large_print))

    known = plain_print(page)

    assert known
    _, found = known
    assert len(found) > 1
    assert [found[0][0], *(bottom for _, bottom in found)] == [*(top for top, _ in found), page.height]
    assert not any(page.ink[top - 2 : top + 2].any() for top, _ in found[1:])


def test_where_rows_are_no_lines_after_all_tesseract_looks_at_the_whole_page(
    engine: LinesEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, asked = drawn(layouts.large_print), list[list[Band]]()
    rows = LinesEngine._rows

    def seen(self: LinesEngine, page: TwoTones, parts: list[Band], dpi: int, mode: int) -> tuple[Row, ...]:
        asked.append(parts)
        return rows(self, page, parts, dpi, mode)

    monkeypatch.setattr(LinesEngine, "_rows", seen)
    monkeypatch.setattr(lines, "are_plain", lambda _: False)

    looked_at(engine, page)

    assert len(asked) == 2
    assert asked[1] == [(0, page.height)]


def test_rows_with_something_huge_and_upright_ones_are_not_plain(engine: LinesEngine) -> None:
    first, *others = looked_at(engine, drawn(layouts.large_print))
    run = replace(first.runs[0], letters=(*first.runs[0].letters, (100, 100, 200, 200)))

    assert are_plain([first, *others])
    assert not are_plain([replace(first, runs=(run,)), *others])
    assert not are_plain([replace(first, turns=1), *others])
    assert not are_plain([])
