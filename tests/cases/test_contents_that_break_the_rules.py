"""A content that breaks the rules of PDF is drawn otherwise by each viewer: it is read as it was meant, and that is told.

Of `5.952e2 0 0 841.92 0 0 cm` pdf.js draws a page, and PDFium, poppler and MuPDF draw nothing.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image

from ocr_worker.outputs.pdf_geometry import rotation
from ocr_worker.pages.completeness import BREAKS_OFF, VAGUE
from ocr_worker.pages.rendering import LOOK_OPEN, MISWRITTEN
from tests.cases.shown import LINES, WHOLE_PAGE, form, jpeg, page, saved, sheet, text, words_of
from tests.pages.desk import Desk, Done

SPLIT = "a word in two streams"


def _missing(done: Done) -> list[str]:
    return [word for word in words_of() if word not in done.text.split()]


def _told(done: Done) -> list[str]:
    return [warning for warning in done.pages[0].warnings if warning.startswith(MISWRITTEN)]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"q 5.952e2 0 0 841.92 0 0 cm /Scan Do Q", "5.952e2"),
        (b"q 595,2 0 0 841.92 0 0cm/Scan DoQ", "595,2"),
        (b"BT /F 9 Tf [( ) TJ ET " + WHOLE_PAGE, "something that is not closed"),
    ],
)
def test_a_page_that_some_viewers_show_is_read_and_told(
    content: bytes, word: str, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        page(pdf, content)
        path = saved(pdf, tmp_path / "odd.pdf")

    done = desk.process(path)

    assert (done.pages[0].status, _missing(done)) == ("ok", [])
    (told,) = _told(done)
    assert f"({word})" in told
    with pikepdf.open(path) as before, pikepdf.open(done.outputs["pdf"]) as after:
        assert after.pages[0].Contents[-1].read_bytes() == before.pages[0].Contents.read_bytes()


def test_such_a_form_and_an_annotation_are_read(desk: Desk, tmp_path: Path) -> None:
    upper, lower = sheet(LINES[:3], (1240, 877)), sheet(LINES[3:], (1240, 877))
    with pikepdf.new() as pdf:
        made = page(
            pdf,
            b"q 1 0 0 1 0 421 cm /Fm Do Q",
            {
                "Fm": form(
                    pdf,
                    b"5.952e2 0 0 421 0 0 cm /Scan Do",
                    (0, 0, 596, 421),
                    XObject=Dictionary(Scan=jpeg(pdf, upper)),
                )
            },
        )
        look = form(
            pdf,
            b"5952e-1 0 0 421 0 0cm /Scan Do",
            (0, 0, 596, 421),
            XObject=Dictionary(Scan=jpeg(pdf, lower)),
        )
        stamp = Dictionary(
            Type=Name.Annot, Subtype=Name.Stamp, Rect=Array([0, 0, 596, 421]), F=4, AP=Dictionary(N=look)
        )
        made.Annots = Array([pdf.make_indirect(stamp)])
        path = saved(pdf, tmp_path / "forms.pdf")

    done = desk.process(path)

    assert _missing(done) == []
    assert len(_told(done)) == 1


def test_a_scan_that_pdfium_does_not_show_beside_text_is_read(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page(pdf, b"q 5.952e2 0 0 841.92 0 0 cm /Scan Do Q " + text("Page 17 of 20", 60, 30, 12))
        path = saved(pdf, tmp_path / "stamped.pdf")

    done = desk.process(path)

    assert _missing(done) == []
    assert done.text.split().count("17") == 1


@pytest.mark.parametrize(
    "parts", [(b"q 595.2 0 0 841.", b"92 0 0 cm /Scan Do Q"), (b"q 595.2 0 0 841.92 0 0 c", b"m /Sc", b"an Do Q")]
)  # fmt: skip
def test_words_that_are_split_over_two_streams_are_joined(
    parts: tuple[bytes, ...], desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        page(pdf, b"").Contents = Array([pdf.make_indirect(pdf.make_stream(part)) for part in parts])
        path = saved(pdf, tmp_path / "split.pdf")

    done = desk.process(path)

    assert _missing(done) == []
    assert SPLIT in _told(done)[0]


@pytest.mark.parametrize(
    "content",
    [b"BT /F 12 Tf 50 700 Td (Hello ET " + WHOLE_PAGE, b"q 595.2 0 0 841.92 0 cm /Scan Do Q"],
    ids=["string", "operand"],
)
def test_a_page_that_no_viewer_shows_for_such_a_fault_is_not_blank_without_a_word(
    content: bytes, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        page(pdf, content)
        path = saved(pdf, tmp_path / "nothing.pdf")

    done = desk.process(path)

    assert done.pages[0].status == "blank"
    assert len(_told(done)) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"q +595.2 0 0 0841.92 -0 0. cm /Scan Do Q",
        b"Q BX 5 zap EX foo " + WHOLE_PAGE + b"\xff\xfe EMC",
        WHOLE_PAGE + b"0 0 m 1.2.3 1e-4 l n",
        WHOLE_PAGE + b"1 g 0 0 5 5ref",
    ],
)
def test_a_fault_that_makes_no_difference_is_not_told(content: bytes, desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page(pdf, content)
        path = saved(pdf, tmp_path / "harmless.pdf")

    done = desk.process(path)

    assert (_missing(done), done.pages[0].warnings) == ([], ())


def test_the_resources_of_pages_above_count_where_a_page_says_null(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, WHOLE_PAGE)
        pdf.Root.Pages.Resources, made.Resources = made.Resources, Dictionary(Nothing=True)
        content = saved(pdf, tmp_path / "null.pdf").read_bytes()
    path = tmp_path / "null.pdf"
    # qpdf writes no null.
    path.write_bytes(content.replace(b"<< /Nothing true >>", b"null               "))

    done = desk.process(path)

    assert b"/Resources null" in path.read_bytes()
    assert _missing(done) == []


@pytest.mark.parametrize(
    ("state", "flags", "subtype", "told"),
    [
        (None, 4, Name.Stamp, (LOOK_OPEN,)),
        (Name.Gone, 4, Name.Stamp, (LOOK_OPEN,)),
        (Name.Off, 4, Name.Stamp, ()),
        (None, 2, Name.Stamp, ()),
        (Name.Off, 4, Name.Widget, ()),
    ],
)
def test_an_annotation_that_does_not_say_its_look_is_told(
    state: Name | None, flags: int, subtype: Name, told: tuple[str, ...], desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        look = form(pdf, WHOLE_PAGE, (0, 0, 596, 842), XObject=Dictionary(Scan=jpeg(pdf, sheet())))
        stamp = Dictionary(Type=Name.Annot, Subtype=subtype, Rect=Array([0, 0, 596, 842]), F=flags)
        stamp.AP = Dictionary(N=Dictionary(On=look))
        if state is not None:
            stamp.AS = state
        page(pdf, b"", {}).Annots = Array([pdf.make_indirect(stamp)])
        path = saved(pdf, tmp_path / "looks.pdf")

    done = desk.process(path)

    assert (done.pages[0].status, done.pages[0].warnings) == ("blank", told)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_picture_that_says_no_colours_has_those_of_its_jpeg(mode: str, desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        scan = jpeg(pdf, sheet().convert(mode))
        del scan["/ColorSpace"]
        page(pdf, WHOLE_PAGE, {"Scan": scan})
        path = saved(pdf, tmp_path / "vague.pdf")

    done = desk.process(path)

    assert (_missing(done), done.pages[0].warnings) == ([], (VAGUE,))
    with pikepdf.open(done.outputs["pdf"]) as pdf:
        assert "/ColorSpace" not in pdf.pages[0].Resources.XObject.Scan


def test_a_filter_that_does_nothing_costs_no_page(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        content = pdf.make_stream(b"")
        content.write(zlib.compress(WHOLE_PAGE), filter=Array([Name.Crypt, Name.FlateDecode]))
        page(pdf, b"").Contents = content
        path = saved(pdf, tmp_path / "crypt.pdf")

    assert _missing(desk.process(path)) == []


def test_a_part_of_a_content_that_is_gone_is_told(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        for content in (WHOLE_PAGE, text("Title", 60, 800)):
            page(pdf, b"").Contents = Array([pdf.make_indirect(pdf.make_stream(content)), None])
        path = saved(pdf, tmp_path / "gone.pdf")

    done = desk.process(path)

    assert (_missing(done), done.pages[0].warnings) == ([], (BREAKS_OFF,))
    assert done.record["pages"][1]["error"]["code"] == "corrupt"


@pytest.mark.parametrize(
    "angle", ["89", "45", "-1", "-90", "135", "91.5", "359", "450", "99999999999", "(90)"]
)
def test_pages_are_turned_as_pdfium_turns_them(angle: str, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page().obj.Rotate = pikepdf.Object.parse(angle.encode("ascii"))
        path = saved(pdf, tmp_path / "turned.pdf")
        mine = rotation(pdf.pages[0])

    with pypdfium2.PdfDocument(path) as document:
        assert mine == document[0].get_rotation()


@pytest.mark.parametrize(
    ("key", "value"),
    [(b"/Rotate 1000", b"/Rotate 89  "), (b"[ 0 0 595.2 841.92 ]", b"[0 0 595.2.0 841.92]")],
    ids=["turn", "box"],
)
def test_the_layer_lies_on_the_print_of_a_page_that_says_its_place_wrongly(
    key: bytes, value: bytes, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        page(pdf, WHOLE_PAGE).Rotate = 1000
        path = saved(pdf, tmp_path / "place.pdf")
    content = path.read_bytes()
    assert len(key) == len(value)
    path.write_bytes(content.replace(key, value).replace(b"/Rotate 1000", b"/Rotate 0   "))

    done = desk.process(path)

    assert _missing(done) == []
    assert _ink_within_words(done.outputs["pdf"]) > 0.95


def _ink_within_words(path: Path) -> float:
    """The share of a page's ink that lies in the boxes of its characters, as PDFium tells them."""
    with pypdfium2.PdfDocument(path) as document:
        shown = document[0]
        bitmap, texts = shown.render(scale=1, grayscale=True), shown.get_textpage()
        picture, places = bitmap.to_pil(), bitmap.get_posconv(shown)
        ink: int = sum(picture.histogram()[:128])
        for number in range(texts.count_chars()):
            left, bottom, right, top = texts.get_charbox(number, loose=True)
            (x0, y0), (x1, y1) = places.to_bitmap(left, bottom), places.to_bitmap(right, top)
            box = min(x0, x1) - 1, min(y0, y1) - 1, max(x0, x1) + 2, max(y0, y1) + 2
            picture.paste(255, tuple(map(round, box)))
        left_over: int = sum(picture.histogram()[:128])
        return 1 - left_over / ink


LETTERS = b"".join(b"(%s) Tj 0 -30 Td " % line.encode("ascii") for line in LINES)
THROUGH = b"q BT /F 20 Tf 7 Tr 60 700 Td " + LETTERS + b"ET "


@pytest.mark.parametrize(
    ("content", "picture"),
    [(THROUGH + b"0.2 g 0 0 600 850 re f Q", 0), (THROUGH + WHOLE_PAGE + b"Q", 40)],
    ids=["fill", "picture"],
)
def test_text_through_which_something_shows_is_displayed(
    content: bytes, picture: int, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        page(pdf, content, {"Scan": jpeg(pdf, Image.new("L", (100, 100), picture))})
        path = saved(pdf, tmp_path / "through.pdf")

    done = desk.process(path)

    assert (done.text.split(), done.pages[0].warnings) == (words_of(), ())


@pytest.mark.parametrize("content", [THROUGH + b"Q " + WHOLE_PAGE, THROUGH + b"Q"], ids=["scan", "nothing"])
def test_text_that_clips_nothing_is_not_displayed(content: bytes, desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page(pdf, content, {"Scan": jpeg(pdf, sheet(("nothing of that",)))})
        path = saved(pdf, tmp_path / "clip.pdf")

    done = desk.process(path)

    assert "barrel" not in done.text


def test_a_scan_of_which_letters_show_scraps_is_read_as_it_is_shown(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page(pdf, b"BT /F 20 Tf 7 Tr 60 100 Td (ooo) Tj ET " + WHOLE_PAGE)
        path = saved(pdf, tmp_path / "scraps.pdf")

    assert len(_missing(desk.process(path))) == len(words_of())
