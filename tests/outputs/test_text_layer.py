"""Where the invisible words lie, and what comes out when they are copied."""

from __future__ import annotations

import ctypes
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from pypdfium2 import raw

from ocr_worker.model.page import Box, Line, Page, Word
from ocr_worker.outputs.searchable_pdf import LayerGrafter
from ocr_worker.outputs.text_forms import glyphless_font
from tests.limits import HANG_SECONDS
from tests.pages.readers import pdfium_text, poppler_text, pypdf_text
from tools.make_glyphless import make_font

WIDTH, HEIGHT = 1240, 1754


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, (50, 100, 400, 600), (-90, -90, 5000, 5000)])
def test_words_lie_on_their_pixels_whatever_the_pages_frame(
    turn: int, crop: tuple[int, int, int, int] | None, tmp_path: Path
) -> None:
    word = Word("anywhere", (300, 500, 620, 548), 90.0)

    path = _grafted(_page([[word]]), tmp_path, turn, crop)

    left, top, right, bottom = _shown_box(path, "anywhere")
    assert (left, right) == pytest.approx((300, 620), abs=4)
    assert top < 524 < bottom


def test_words_of_a_tilted_line_follow_its_baseline(tmp_path: Path) -> None:
    first, last = Word("left", (100, 500, 200, 550), 90.0), Word("right", (900, 540, 1000, 590), 90.0)
    line = Line((first, last), (100, 500, 1000, 590), (100.0, 545.0, 1000.0, 590.0), 0, 0)

    path = _grafted(_page_of((line,)), tmp_path)

    assert _shown_box(path, "left")[3] == pytest.approx(547, abs=8)
    assert _shown_box(path, "right")[3] == pytest.approx(588, abs=8)
    assert _shown_box(path, "right")[0] == pytest.approx(900, abs=8)


def test_a_line_that_runs_down_the_page_keeps_its_place(tmp_path: Path) -> None:
    word = Word("downwards", (400, 300, 450, 700), 90.0)
    line = Line((word,), (400, 300, 450, 700), (410.0, 300.0, 410.0, 700.0), 0, 0)

    box = _shown_box(_grafted(_page_of((line,)), tmp_path), "downwards")

    assert (box[1], box[3]) == pytest.approx((300, 700), abs=8)
    assert (box[0], box[2]) == pytest.approx((410, 450), abs=20)


ROWS = {
    "latin": [["A", "lone", "letter", "a", "and", "(brackets)", "\\slashes"]],
    "beyond the BMP": [["smile", "\U0001f600x", "\U0001d4b3", "end"]],
    "ideographs": [["漢字", "仮名"]],
    "hebrew": [["שלום", "עולם", "טוב"], ["זהו", "מבחן"]],
    "arabic": [["هذا", "اختبار", "بسيط"]],
    "marks": [["מִבְחָן", "קָצָר"]],
}


@pytest.mark.parametrize("name", ROWS)
def test_copying_in_pdfium_gives_the_text_in_reading_order(name: str, tmp_path: Path) -> None:
    path = _grafted(_laid_out(ROWS[name]), tmp_path)

    assert _lines(pypdfium2.PdfDocument(path)[0].get_textpage().get_text_range()) == _expected(name)


@pytest.mark.needs("pdftotext")
@pytest.mark.parametrize("name", ROWS)
def test_copying_in_poppler_gives_the_text_in_reading_order(name: str, tmp_path: Path) -> None:
    path = _grafted(_laid_out(ROWS[name]), tmp_path)

    out = subprocess.run(
        ["pdftotext", str(path), "-"], capture_output=True, check=True, timeout=HANG_SECONDS
    ).stdout
    assert _lines(out.decode("utf-8")) == _expected(name)


COLUMNS = [((100, 200), "First"), ((100, 260), "column"), ((700, 200), "Second"), ((700, 260), "column")]
RAGGED = [((100, 200), "Total"), ((500, 210), "12.30"), ((100, 245), "To"), ((640, 262), "pay")]


@pytest.mark.parametrize("placed", [COLUMNS, RAGGED], ids=["columns", "ragged"])
@pytest.mark.parametrize("turn", [0, 90, 180])
@pytest.mark.parametrize("read", [pdfium_text, poppler_text, pypdf_text])
@pytest.mark.needs("pdftotext")
def test_the_end_of_a_line_parts_its_word_from_the_next(
    placed: list[tuple[tuple[int, int], str]], turn: int, read: Callable[[Path], str], tmp_path: Path
) -> None:
    rows = [[Word(text, (left, top, left + 24 * len(text), top + 48), 90.0)] for (left, top), text in placed]

    path = _grafted(_page(rows), tmp_path, turn)

    assert sorted(read(path).split()) == sorted(text for _, text in placed)


def test_a_page_that_was_left_alone_gets_no_layer(tmp_path: Path) -> None:
    word = Word("own", (300, 500, 620, 548), None)
    page = Page(1, "has_text", WIDTH, HEIGHT, lines=_page([[word]]).lines)

    with pikepdf.open(_grafted(page, tmp_path)) as pdf:
        assert "/Contents" not in pdf.pages[0] or not pdf.pages[0].Contents.read_bytes()


def test_a_resource_dictionary_that_pages_share_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "shared.pdf"
    with pikepdf.new() as pdf:
        shared = pdf.make_indirect(pikepdf.Dictionary(ProcSet=pikepdf.Array([pikepdf.Name.PDF])))
        for _ in range(2):
            pdf.add_blank_page(page_size=(595, 842)).obj.Resources = shared
        grafter = LayerGrafter(pdf)
        grafter.graft(_page([[Word("first", (300, 500, 620, 548), 90.0)]]))
        grafter.finish()
        pdf.save(path)

    first, second = (page.get_textpage().get_text_range().strip() for page in pypdfium2.PdfDocument(path))
    assert (first, second) == ("first", "")


def test_the_committed_font_is_what_its_generator_makes() -> None:
    assert glyphless_font() == make_font()


def _grafted(page: Page, folder: Path, turn: int = 0, crop: tuple[int, int, int, int] | None = None) -> Path:
    """A blank page with the layer on it."""
    path = folder / "layer.pdf"
    with pikepdf.new() as pdf:
        blank = pdf.add_blank_page(page_size=(595, 842))
        blank.obj.Rotate = turn
        if crop:
            blank.obj.CropBox = pikepdf.Array(crop)
        grafter = LayerGrafter(pdf)
        grafter.graft(page)
        grafter.finish()
        pdf.save(path)
    return path


def _page(rows: list[list[Word]]) -> Page:
    return _page_of(tuple(_line(row) for row in rows))


def _page_of(lines: tuple[Line, ...]) -> Page:
    return Page(1, "ok", WIDTH, HEIGHT, lines=lines)


def _line(row: list[Word]) -> Line:
    left, right = min(word.box[0] for word in row), max(word.box[2] for word in row)
    top, bottom = row[0].box[1], row[0].box[3]
    return Line(tuple(row), (left, top, right, bottom), (left, bottom - 8, right, bottom - 8), 0, 0)


def _laid_out(rows: list[list[str]]) -> Page:
    """Words in reading order set as their script is written."""
    placed = []
    for number, texts in enumerate(rows):
        backwards = unicodedata.bidirectional(texts[0][0]) in {"R", "AL"}
        words, at = [], WIDTH - 100 if backwards else 100
        for text in texts:
            width, top = len(text) * 24, 200 + 90 * number
            start = at - width if backwards else at
            words.append(
                Word(text, (start, top, start + width, top + 48), 90.0, not "\u4e00" <= text[0] <= "\u9fff")
            )
            at += -(width + 24) if backwards else width + 24
        placed.append(words)
    return _page(placed)


def _expected(name: str) -> list[str]:
    return [_clean("" if name == "ideographs" else " ", row) for row in ROWS[name]]


def _clean(gap: str, row: list[str]) -> str:
    return unicodedata.normalize("NFC", gap.join(row))


def _lines(text: str) -> list[str]:
    for mark in "\u200e\u200f\u202a\u202b\u202c\f":
        text = text.replace(mark, "")
    return [unicodedata.normalize("NFC", line.strip()) for line in text.splitlines() if line.strip()]


def _shown_box(path: Path, text: str) -> Box:
    """Where PDFium shows the text, in pixels of the displayed page."""
    page = pypdfium2.PdfDocument(path)[0]
    texts = page.get_textpage()
    start = texts.get_text_range().index(text)
    boxes = [texts.get_charbox(start + n, loose=False) for n in range(len(text))]
    corners = [
        _to_device(page, *corner)
        for left, bottom, right, top in boxes
        for corner in ((left, bottom), (right, top))
    ]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _to_device(page: pypdfium2.PdfPage, x: float, y: float) -> tuple[int, int]:
    across, down = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, 0, 0, WIDTH, HEIGHT, 0, x, y, across, down)
    return across.value, down.value
