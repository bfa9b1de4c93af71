"""A scan is read even where its page has some text: a stamp, a page number, or text that nobody sees.

From OCRmyPDF #1563, #903, #265, #78 and #258.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

from ocr_worker.engines.pdf import page_content
from ocr_worker.model.tasks import PageSettings
from ocr_worker.pages.layer_check import PARTIAL
from ocr_worker.pages.page import UNSEEN
from samples.wear import noise
from tests.cases.shown import (
    LINES,
    NOTE,
    POINTS,
    SIZE,
    WHOLE_PAGE,
    form,
    jpeg,
    page,
    saved,
    sheet,
    text,
    words_of,
)
from tests.pages.desk import Desk, Done

pytestmark = pytest.mark.needs("pdftotext")
STAMP = "Digitally signed by Example Trust Service. Date: 2024-03-05. Reason: I approve this document. Place: Town"


def _on_scan(pdf: pikepdf.Pdf) -> None:
    page(pdf, WHOLE_PAGE + text(STAMP, 20, 10, 6))


def _on_strips(pdf: pikepdf.Pdf) -> None:
    whole, strips, content = sheet(), {}, b""
    unit, height = POINTS[1] / SIZE[1], 100
    for number, top in enumerate(range(0, SIZE[1], height)):
        bottom = min(SIZE[1], top + height)
        strips[f"S{number}"] = jpeg(pdf, whole.crop((0, top, SIZE[0], bottom)))
        place = POINTS[0], (bottom - top) * unit, (SIZE[1] - bottom) * unit, number
        content += b"q %.3f 0 0 %.3f 0 %.3f cm /S%d Do Q\n" % place
    page(pdf, content + text(STAMP, 20, 10, 6), strips)


def _on_two_pages(pdf: pikepdf.Pdf) -> None:
    """Side by side, each less than half of the sheet."""
    halves = {
        "L": jpeg(pdf, sheet(LINES[:3], (1240, 1700), 56)),
        "R": jpeg(pdf, sheet(LINES[3:], (1240, 1700), 56)),
    }
    made = page(
        pdf,
        b"q 400 0 0 550 10 20 cm /L Do Q q 400 0 0 550 430 20 cm /R Do Q\n" + text(STAMP, 20, 5, 6),
        halves,
    )
    made.MediaBox = Array([0, 0, 841.92, 595.2])


def _in_a_form(pdf: pikepdf.Pdf) -> None:
    inner = form(pdf, b"/Scan Do", (0, 0, 1, 1), XObject=Dictionary(Scan=jpeg(pdf, sheet())))
    page(pdf, b"q 595.2 0 0 841.92 0 0 cm /Fm Do Q\n" + text(STAMP, 20, 10, 6), {"Fm": inner})


@pytest.mark.parametrize("existing_text", ["skip", "redo"])
@pytest.mark.parametrize("make", [_on_scan, _on_strips, _on_two_pages, _in_a_form])
def test_a_scan_is_read_and_the_stamp_on_it_is_found_once(
    make: Callable[[pikepdf.Pdf], None], existing_text: Any, desk: Desk, tmp_path: Path
) -> None:
    done = _processed(make, desk, tmp_path, existing_text)

    found = done.text.split()
    assert done.pages[0].status == "ok"
    assert _missing(found) == []
    assert found.count("Digitally") == 1
    layer = _pdftotext(done)
    assert _missing(layer) == []
    assert layer.count("Digitally") == 1
    assert done.record["pages"][0]["dpi"] == pytest.approx(300 if make is _on_two_pages else 150, abs=1)


def _beyond_the_crop(pdf: pikepdf.Pdf) -> None:
    made = page(pdf, WHOLE_PAGE + text(NOTE, 20, -20, 5))
    made.MediaBox, made.CropBox = Array([0, -40, *POINTS]), Array([0, 0, *POINTS])


def _white(pdf: pikepdf.Pdf) -> None:
    page(pdf, WHOLE_PAGE + text(NOTE, 40, 300, 5, "1 1 1 rg"))


def _on_its_own_colour(pdf: pikepdf.Pdf) -> None:
    bar = b"0.2 0.3 0.4 rg 0 0 595 60 re f\n"
    page(pdf, WHOLE_PAGE + bar + text(NOTE, 40, 30, 5, "0.2 0.3 0.4 rg"))


def _tiny(pdf: pikepdf.Pdf) -> None:
    page(pdf, WHOLE_PAGE + text(NOTE, 40, 300, 1))


def _clipped(pdf: pikepdf.Pdf) -> None:
    page(pdf, WHOLE_PAGE + b"q 0 0 20 20 re W n " + text(NOTE, 40, 300, 5) + b"Q\n")


def _transparent(pdf: pikepdf.Pdf) -> None:
    states = Dictionary(G=Dictionary(Type=Name.ExtGState, ca=0, CA=0))
    page(pdf, WHOLE_PAGE + b"q /G gs " + text(NOTE, 40, 300, 5) + b"Q\n", ExtGState=states)


def _behind_a_mask(pdf: pikepdf.Pdf) -> None:
    black = form(pdf, b"0 g 0 0 600 900 re f", (0, 0, 600, 900))
    black.Group = Dictionary(S=Name.Transparency, CS=Name.DeviceGray)
    mask = Dictionary(Type=Name.Mask, S=Name.Luminosity, G=black)
    states = Dictionary(G=Dictionary(Type=Name.ExtGState, SMask=mask))
    page(pdf, WHOLE_PAGE + b"q /G gs " + text(NOTE, 40, 300, 5) + b"Q\n", ExtGState=states)


def _beyond_a_form(pdf: pikepdf.Pdf) -> None:
    """Of a form no more is shown than its box."""
    inner = form(pdf, text(NOTE, 40, 300, 5), (0, 0, 30, 30), Font=page(pdf, b"").Resources.Font)
    del pdf.pages[0]
    page(pdf, WHOLE_PAGE + b"/Fm Do\n", {"Scan": jpeg(pdf, sheet()), "Fm": inner})


@pytest.mark.parametrize("existing_text", ["skip", "redo"])
@pytest.mark.parametrize(
    "make",
    [
        _beyond_the_crop,
        _white,
        _on_its_own_colour,
        _tiny,
        _clipped,
        _transparent,
        _behind_a_mask,
        _beyond_a_form,
    ],
)
def test_text_that_is_not_displayed_is_none(
    make: Callable[[pikepdf.Pdf], None], existing_text: Any, desk: Desk, tmp_path: Path
) -> None:
    done = _processed(make, desk, tmp_path, existing_text)

    assert done.pages[0].status == "ok"
    assert _missing(done.text.split()) == []
    assert "nobody" not in done.text


def test_light_text_on_a_dark_bar_is_displayed(desk: Desk, tmp_path: Path) -> None:
    def make(pdf: pikepdf.Pdf) -> None:
        page(pdf, b"0 g 0 290 595 40 re f\n" + text("White letters on a dark bar", 40, 300, 18, "1 g"), {})

    done = _processed(make, desk, tmp_path)

    assert done.pages[0].status == "has_text"
    assert done.text.split() == ["White", "letters", "on", "a", "dark", "bar"]


def test_text_under_a_picture_is_a_layer_that_redo_can_not_take_off(desk: Desk, tmp_path: Path) -> None:
    def make(pdf: pikepdf.Pdf) -> None:
        rows = (text(line, 43, 771 - 39.2 * row, 16) for row, line in enumerate(LINES))
        page(pdf, b"".join(rows) + WHOLE_PAGE)

    kept = _processed(make, desk, tmp_path)
    redone = _processed(make, desk, tmp_path, "redo")

    assert (kept.pages[0].status, redone.pages[0].status) == ("has_text", "ok")
    assert kept.text.split() == words_of()
    assert _missing(redone.text.split()) == []
    assert "under the page's picture" in redone.pages[0].warnings[0]


@pytest.mark.parametrize("existing_text", ["skip", "redo"])
def test_a_picture_of_print_beside_real_text_is_read(existing_text: Any, desk: Desk, tmp_path: Path) -> None:
    def make(pdf: pikepdf.Pdf) -> None:
        own = b"".join(
            text(f"Typed sentence of the letter itself, number {n}, with many words", 60, 800 - 14 * n, 11)
            for n in range(20)
        )
        clipping = jpeg(pdf, sheet(LINES, (1240, 800)))
        page(pdf, own + b"q 480 0 0 310 60 60 cm /Clip Do Q\n", {"Clip": clipping})

    done = _processed(make, desk, tmp_path, existing_text)

    found = done.text.split()
    assert done.pages[0].status == "ok"
    assert _missing(found) == []
    assert found.count("Typed") == 20
    assert _pdftotext(done).count("Typed") == 20
    assert done.text.index("number 19") < done.text.index("barrel")


def _deep(pdf: pikepdf.Pdf) -> None:
    inner = form(pdf, WHOLE_PAGE, (0, 0, 596, 842), XObject=Dictionary(Scan=jpeg(pdf, sheet())))
    for _ in range(20):
        inner = form(pdf, b"/Fm Do", (0, 0, 596, 842), XObject=Dictionary(Fm=inner))
    page(pdf, b"/Fm Do\n" + TYPED, {"Fm": inner})


def _through_a_mask(pdf: pikepdf.Pdf) -> None:
    """Black ink, all over the page, of which a mask shows the print."""
    light = form(
        pdf, WHOLE_PAGE, (0, 0, 596, 842), XObject=Dictionary(Scan=jpeg(pdf, ImageOps.invert(sheet())))
    )
    light.Group = Dictionary(S=Name.Transparency, CS=Name.DeviceGray)
    mask = Dictionary(SMask=Dictionary(S=Name.Luminosity, G=light))
    page(pdf, TYPED + b"/M gs 0 g 0 0 596 842 re f\n", {}, ExtGState=Dictionary(M=mask))


TYPED = b"".join(
    text(f"Typed sentence of the letter itself, number {n}", 60, 300 - 14 * n, 11) for n in range(12)
)


@pytest.mark.parametrize("existing_text", ["skip", "redo"])
@pytest.mark.parametrize("make", [_deep, _through_a_mask])
def test_a_scan_that_a_page_of_text_draws_in_a_rare_way_is_read(
    make: Callable[[pikepdf.Pdf], None], existing_text: Any, desk: Desk, tmp_path: Path
) -> None:
    done = _processed(make, desk, tmp_path, existing_text)

    assert _missing(done.text.split()) == []
    assert done.text.split().count("Typed") == 12


@pytest.mark.parametrize(
    "ground", [b"0.75 g 0 0 596 842 re f\n", b"/B gs 1 1 0.4 rg 0 0 596 842 re f\n"], ids=["grey", "blend"]
)
def test_a_coloured_ground_is_no_picture_without_words(ground: bytes, desk: Desk, tmp_path: Path) -> None:
    def make(pdf: pikepdf.Pdf) -> None:
        page(pdf, ground + b"0 g\n" + TYPED, {}, ExtGState=Dictionary(B=Dictionary(BM=Name.Multiply)))

    (done,) = _processed(make, desk, tmp_path).pages

    assert (done.status, done.warnings) == ("has_text", ())


def test_faint_print_beside_real_text_is_read(desk: Desk, tmp_path: Path) -> None:
    def make(pdf: pikepdf.Pdf) -> None:
        own = b"".join(text(f"Typed sentence number {n}", 60, 800 - 14 * n, 11) for n in range(20))
        faint = sheet(LINES, (1240, 800)).point(lambda level: 200 + level * 55 // 255)
        page(pdf, own + b"q 480 0 0 310 60 60 cm /Clip Do Q\n", {"Clip": jpeg(pdf, faint)})

    assert _missing(_processed(make, desk, tmp_path).text.split()) == []


def test_a_photograph_beside_real_text_adds_no_words(desk: Desk, tmp_path: Path) -> None:
    def make(pdf: pikepdf.Pdf) -> None:
        own = b"".join(
            text(f"Typed sentence of the letter itself, number {n}, with many words", 60, 800 - 14 * n, 11)
            for n in range(20)
        )
        page(pdf, own + b"q 480 0 0 310 60 60 cm /Photo Do Q\n", {"Photo": jpeg(pdf, _photograph())})

    done = _processed(make, desk, tmp_path)

    assert (done.pages[0].status, done.pages[0].warnings) == ("has_text", ())
    assert done.text.count("Typed") == 20
    assert len(done.text.splitlines()) == 20


def test_pictures_of_a_page_with_text_that_hold_no_words_are_told_with_numbers(
    desk: Desk, tmp_path: Path
) -> None:
    def make(pdf: pikepdf.Pdf) -> None:
        page(
            pdf,
            b"q 595.2 0 0 600 0 0 cm /Photo Do Q\n" + text("A caption", 60, 800, 11),
            {"Photo": jpeg(pdf, _photograph())},
        )

    done = _processed(make, desk, tmp_path)

    assert (done.pages[0].status, done.text.split()) == ("has_text", ["A", "caption"])
    assert "71% of the page" in done.pages[0].warnings[0]


def test_a_torn_picture_costs_a_page_with_text_no_more_than_itself(desk: Desk, tmp_path: Path) -> None:
    def make(pdf: pikepdf.Pdf) -> None:
        torn = jpeg(pdf, sheet())
        torn.write(torn.read_raw_bytes()[:9000], filter=Name.DCTDecode)
        page(pdf, WHOLE_PAGE + text(STAMP, 20, 10, 6), {"Scan": torn})

    done = _processed(make, desk, tmp_path)

    assert done.pages[0].status == "has_text"
    assert "could not be read" in done.pages[0].warnings[0]
    assert done.text.split() == STAMP.split()


def _photograph() -> Image.Image:
    """Shapes in all greys, without an edge that is a letter's."""
    slope = Image.linear_gradient("L").resize((960, 600))
    hills = Image.radial_gradient("L").resize((240, 150))
    for left in range(0, 960, 240):
        for top in range(0, 600, 150):
            slope.paste(ImageChops.invert(hills) if (left + top) % 100 else hills, (left, top), hills)
    return slope


def _processed(
    make: Callable[[pikepdf.Pdf], None], desk: Desk, folder: Path, existing_text: Any = "skip"
) -> Done:
    with pikepdf.new() as pdf:
        make(pdf)
        path = saved(pdf, folder / f"{existing_text}.pdf")
    return desk.process(path, PageSettings(existing_text=existing_text))


def _missing(found: list[str]) -> list[str]:
    return [word for word in words_of() if word not in found]


def _pdftotext(done: Done) -> list[str]:
    return subprocess.run(
        ["pdftotext", str(done.outputs["pdf"]), "-"], capture_output=True, text=True, check=True
    ).stdout.split()


def _outlines(pdf: pikepdf.Pdf) -> None:
    """Print of which each letter is a shape, above a foot that is text."""
    height, shapes = 26, []
    letters = ImageFont.load_default(height)
    for row, line in enumerate(LINES):
        x = 60.0
        for letter in line:
            glyph = Image.new("1", (2 * height, 2 * height))
            ImageDraw.Draw(glyph).text((0, 0), letter, 1, letters)
            boxes = [
                f"{x + at} {700 - 60 * row - y} {end - at} 1.2 re"
                for y in range(glyph.height)
                for at, end in _runs([glyph.getpixel((column, y)) for column in range(glyph.width)])
            ]
            shapes.append("\n".join([*boxes, "f"]) if boxes else "")
            x += letters.getlength(letter)
    page(pdf, "\n".join(shapes).encode("ascii") + b"\n" + text(STAMP, 20, 10, 6), {})


def _runs(pixels: list[Any]) -> list[tuple[int, int]]:
    edges = [at for at, (one, next_) in enumerate(pairwise([0, *pixels, 0])) if bool(one) != bool(next_)]
    return list(zip(edges[::2], edges[1::2], strict=True))


@pytest.mark.parametrize("existing_text", ["skip", "redo"])
def test_print_that_was_turned_into_outlines_is_read_beside_text(
    existing_text: Any, desk: Desk, tmp_path: Path
) -> None:
    done = _processed(_outlines, desk, tmp_path, existing_text)

    assert done.pages[0].status == "ok"
    assert _missing(done.text.split()) == []
    assert done.text.split().count("Digitally") == 1


def _chart(pdf: pikepdf.Pdf) -> None:
    """A hundred marks, all alike."""
    marks = b"".join(
        b"q 1 0 0 1 %d %d cm 0 0 m 3 0 l 3 3 l 2 5 l 1 6 l 0 5 l -1 3 l 0 1 l h f Q\n" % (n * 5, n * 7)
        for n in range(100)
    )
    page(pdf, marks + text(STAMP, 20, 10, 6), {})


def test_the_marks_of_a_chart_are_no_letters(tmp_path: Path) -> None:
    letters = []
    for make in (_outlines, _chart):
        with pikepdf.new() as pdf:
            make(pdf)
            path = saved(pdf, tmp_path / "shapes.pdf")
        letters.append(page_content.survey(pypdfium2.PdfDocument(path)[0]).letters)

    assert letters[0] > 100
    assert letters[1] == 0


def _under_a_white_box(pdf: pikepdf.Pdf) -> None:
    page(pdf, WHOLE_PAGE + text(NOTE[:100], 40, 300, 9) + b"1 g 20 290 560 30 re f\n")


def _under_a_white_picture(pdf: pikepdf.Pdf) -> None:
    white = jpeg(pdf, Image.new("L", (100, 20), 255))
    covered = text(NOTE[:100], 40, 300, 9) + b"q 560 0 0 30 20 290 cm /White Do Q\n"
    page(pdf, WHOLE_PAGE + covered, {"Scan": jpeg(pdf, sheet()), "White": white})


@pytest.mark.parametrize("existing_text", ["skip", "redo", "force"])
@pytest.mark.parametrize("make", [_under_a_white_box, _under_a_white_picture])
def test_text_that_somebody_covered_is_no_layer_of_the_scan(
    make: Callable[[pikepdf.Pdf], None], existing_text: Any, desk: Desk, tmp_path: Path
) -> None:
    done = _processed(make, desk, tmp_path, existing_text)

    assert done.pages[0].status == "ok"
    assert _missing(done.text.split()) == []
    assert "Remarks" not in done.text
    assert existing_text != "force" or "Remarks" not in _pdftotext(done)


def test_a_hidden_layer_of_one_zone_does_not_stand_for_the_page(desk: Desk, tmp_path: Path) -> None:
    def make(pdf: pikepdf.Pdf) -> None:
        page(pdf, WHOLE_PAGE + text("Document separator four of twelve", 40, 30, 9, "3 Tr"))

    done = _processed(make, desk, tmp_path, "skip")

    assert done.pages[0].status == "ok"
    assert done.pages[0].warnings == (PARTIAL,)
    assert _missing(done.text.split()) == []
    assert "separator" not in _pdftotext(done)


@pytest.mark.parametrize("rows", [1, 3])
def test_a_hidden_layer_of_a_part_does_not_stand_for_the_page_beside_a_stamp(
    rows: int, desk: Desk, tmp_path: Path
) -> None:
    layer = b"".join(text(line, 40, 770 - 39 * row, 17, "3 Tr") for row, line in enumerate(LINES[:rows]))

    done = _processed(
        lambda pdf: page(pdf, WHOLE_PAGE + b"q " + layer + b"Q " + text("Page 17", 60, 30, 12)),
        desk,
        tmp_path,
        "skip",
    )

    assert (done.pages[0].status, done.pages[0].warnings) == ("ok", (PARTIAL,))
    assert sorted(done.text.split()) == sorted([*words_of(), "Page", "17"])
    assert _pdftotext(done).count("barrel") == 1


def test_a_hidden_layer_of_all_the_print_is_kept_beside_a_photograph(desk: Desk, tmp_path: Path) -> None:
    scan = sheet(LINES[:2])
    scan.paste(noise((900, 1000), Random(1)), (100, 500))
    rows = b"".join(text(line, 43, 770 - 39 * row, 16, "3 Tr") for row, line in enumerate(LINES[:2]))

    done = _processed(
        lambda pdf: page(pdf, WHOLE_PAGE + rows, {"Scan": jpeg(pdf, scan)}), desk, tmp_path, "skip"
    )

    assert (done.pages[0].status, done.pages[0].warnings) == ("has_text", ())
    assert done.text.split() == words_of(LINES[:2])


@pytest.mark.parametrize(("existing_text", "times"), [("redo", 2), ("force", 1)])
def test_an_older_layer_in_clear_ink_is_told_or_goes(
    existing_text: Any, times: int, desk: Desk, tmp_path: Path
) -> None:
    def make(pdf: pikepdf.Pdf) -> None:
        states = Dictionary(G=Dictionary(Type=Name.ExtGState, ca=0, CA=0))
        page(pdf, WHOLE_PAGE + b"q /G gs " + text(" ".join(LINES), 40, 300, 3) + b"Q\n", ExtGState=states)

    done = _processed(make, desk, tmp_path, existing_text)

    assert done.text.split().count("harbour") == 1
    assert _pdftotext(done).count("harbour") == times
    assert done.pages[0].warnings == ((UNSEEN,) if times == 2 else ())
