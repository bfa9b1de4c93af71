"""`redo` takes invisible text off, wherever it is, and changes nothing that is seen.

From OCRmyPDF #734, #621, #897 and #1730.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageChops

from ocr_worker.model.tasks import PageSettings
from tests.cases.shown import WHOLE_PAGE, font, form, jpeg, page, saved, sheet, words_of
from tests.pages.desk import Desk, Done

pytestmark = pytest.mark.needs("pdftotext")
QUOTED = b" ".join(b"(old hidden words number %d) '" % n for n in range(8))


@pytest.mark.parametrize(
    "shown",
    [
        # Lines that follow hidden ones, by each operator that shows or places text.
        b"12 TL 3 Tr 60 300 Td (old first) Tj " + QUOTED + b" 0 Tr (VISIBLE BATES 000123) '",
        b"12 TL 3 Tr 60 300 Td 2 1 (old spaced) \" 0 Tr (VISIBLE BATES 000123) '",
        b"3 Tr 60 300 Td (old on the same line) Tj 0 Tr (VISIBLE BATES 000123) Tj",
        b"80 Tz 2 Tc 3 Tw 3 Tr 60 300 Td [(old) -300 (kerned)] TJ (old too) Tj 0 Tr [(VISIBLE) -250 (BATES 000123)] TJ",
        # Within a text PDFium keeps the pen's place with the state, and others don't.
        b"60 300 Td q 3 Tr (old hidden words) Tj Q (VISIBLE BATES 000123) Tj",
        b"3 Tr 60 300 Td (old) Tj 0 -20 TD (old) Tj T* 0 Tr (VISIBLE BATES 000123) Tj 3 Tr (old rest) Tj",
    ],
)
def test_visible_text_among_hidden_text_stays_where_it_is(shown: bytes, desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page(pdf, WHOLE_PAGE + b"BT /F 12 Tf " + shown + b" ET\n")
        path = saved(pdf, tmp_path / "mixed.pdf")

    done = _redone(path, desk)

    assert "VISIBLE BATES 000123" in done.text


@pytest.mark.parametrize("kind", ["wide", "widths"])
def test_visible_text_stays_behind_hidden_text_in_fonts_of_all_kinds(
    kind: str, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, WHOLE_PAGE + b"BT /F 12 Tf 3 Tr 60 300 Td (old words) Tj 0 Tr (VISIBLE) Tj ET\n")
        fonts = made.Resources.Font
        if kind == "wide":
            fonts.F.BaseFont = pikepdf.Name("/Courier-Bold")
        else:
            fonts.F.FirstChar, fonts.F.Widths = 32, pikepdf.Array([700] * 91)
        path = saved(pdf, tmp_path / "mixed.pdf")

    _redone(path, desk)


def test_text_in_a_font_that_a_graphics_state_sets_stays_where_it_was(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        chosen = Dictionary(G=Dictionary(Type=Name.ExtGState, Font=Array([pdf.make_indirect(font()), 12])))
        content = b"/G gs BT 3 Tr 50 300 Td (old hidden words) Tj 0 Tr (seen behind them) Tj ET\n"
        page(pdf, WHOLE_PAGE + content, ExtGState=chosen)
        path = saved(pdf, tmp_path / "state.pdf")

    done = _redone(path, desk)

    assert "seen behind them" in _pdftotext(done)


@pytest.mark.parametrize("depth", [1, 20])
def test_hidden_text_of_nested_forms_goes(depth: int, desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        hidden = form(
            pdf,
            b"BT 3 Tr /F 12 Tf 60 300 Td (old words in a form) Tj ET",
            (0, 0, 600, 900),
            Font=Dictionary(F=font()),
        )
        inner = form(
            pdf,
            WHOLE_PAGE + b"/T Do",
            (0, 0, 600, 900),
            XObject=Dictionary(T=hidden, Scan=jpeg(pdf, sheet())),
        )
        for _ in range(depth):
            inner = form(pdf, b"q /Q Do Q", (0, 0, 600, 900), XObject=Dictionary(Q=inner))
        page(pdf, b"q /P Do Q", {"P": inner})
        path = saved(pdf, tmp_path / "nested.pdf")

    _redone(path, desk)


def test_text_that_is_hidden_by_what_draws_its_form_goes_and_is_kept_where_it_shows(
    desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        drawn = form(
            pdf,
            b"BT /F 12 Tf 60 300 Td (once old once shown) Tj ET",
            (0, 0, 600, 900),
            Font=Dictionary(F=font()),
        )
        content = b"q 3 Tr /T Do Q q 1 0 0 1 0 -100 cm /T Do Q\n"
        page(pdf, WHOLE_PAGE + content, {"Scan": jpeg(pdf, sheet()), "T": drawn})
        path = saved(pdf, tmp_path / "inherited.pdf")

    done = desk.process(path, PageSettings(existing_text="redo"))

    assert _difference(path, done) is None
    assert _pdftotext(done).count("once shown") == 1


def _redone(path: Path, desk: Desk) -> Done:
    done = desk.process(path, PageSettings(existing_text="redo"))
    assert done.pages[0].status == "ok"
    assert _difference(path, done) is None
    for found in (_pdftotext(done), done.text):
        assert "old" not in found
        assert [word for word in words_of() if word not in found.split()] == []
    return done


def _difference(before: Path, done: Done) -> object:
    pictures = [_drawn(place) for place in (before, done.outputs["pdf"])]
    return ImageChops.difference(*pictures).getbbox()


def _drawn(path: Path) -> Image.Image:
    picture: Image.Image = pypdfium2.PdfDocument(path)[0].render(scale=2).to_pil()
    return picture


def _pdftotext(done: Done) -> str:
    return subprocess.run(
        ["pdftotext", str(done.outputs["pdf"]), "-"], capture_output=True, text=True, check=True
    ).stdout
