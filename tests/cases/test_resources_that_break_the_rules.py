"""What a page draws with, where that breaks the rules of PDF: read as viewers show it, or told."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from ocr_worker.model.tasks import PageSettings
from ocr_worker.pages.completeness import BREAKS_OFF, VAGUE
from ocr_worker.pages.rendering import MISWRITTEN, NOTE_LOOK
from tests.cases.shown import LINES, WHOLE_PAGE, form, jpeg, page, saved, sheet, text, words_of
from tests.cases.verdicts import failure_of
from tests.faults.pictures import saved as packed_as
from tests.pages.desk import Desk

ROWS = b"".join(text(line, 60, 760 - 30 * row, 16) for row, line in enumerate(LINES))
NAMELESS = b"q 595.2 0 0 841.92 0 0 cm /     Do Q"


def _nameless(path: Path) -> None:
    """What was called Scan has an empty name, which pikepdf does not write."""
    path.write_bytes(path.read_bytes().replace(b"/Scan ", b"/     "))


@pytest.mark.parametrize("place", ["page", "form"])
def test_a_picture_with_an_empty_name_is_read_and_told(place: str, desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        scan = jpeg(pdf, sheet())
        drawn = form(pdf, NAMELESS, (0, 0, 596, 842), XObject=Dictionary(Scan=scan))
        if place == "form":
            page(pdf, b"/Fm Do", {"Fm": drawn})
        else:
            page(pdf, NAMELESS, {"Scan": scan})
        path = saved(pdf, tmp_path / "nameless.pdf")
    _nameless(path)

    done = desk.process(path)

    assert done.text.split() == words_of()
    (warning,) = done.pages[0].warnings
    assert f"{MISWRITTEN} (an empty name)" in warning
    with pikepdf.open(done.outputs["pdf"]) as written:
        assert "/Nameless" not in str(written.pages[0].Resources)


WIDTHS: dict[str, Any] = {
    "names": Array([Name.wide] * 95),
    "nothing": Array([None] * 95),
    "zeros": Array([0] * 95),
    "below": Array([-500] * 95),
}


@pytest.mark.parametrize("kind", WIDTHS)
def test_letters_that_would_lie_on_each_other_are_told_one_by_one(
    kind: str, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        font = page(pdf, ROWS, {}).Resources.Font.F
        font.FirstChar, font.LastChar, font.Widths = 32, 126, WIDTHS[kind]
        path = saved(pdf, tmp_path / "widths.pdf")

    done = desk.process(path)

    assert done.text.split() == words_of()
    assert f"{MISWRITTEN} (/Widths)" in done.pages[0].warnings[0]


def test_a_font_whose_first_letter_is_no_number_has_no_widths(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        font = page(pdf, ROWS, {}).Resources.Font.F
        font.FirstChar, font.LastChar, font.Widths = Name.A, 126, Array([500] * 95)
        path = saved(pdf, tmp_path / "first.pdf")

    assert desk.process(path).text.split() == words_of()


@pytest.mark.parametrize("opacity", [Array([1]), Dictionary(), pikepdf.String("1"), True, Name.One], ids=str)
def test_an_opacity_that_is_no_number_is_none(opacity: Any, desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page(pdf, b"/G gs " + WHOLE_PAGE, ExtGState=Dictionary(G=Dictionary(ca=opacity)))
        path = saved(pdf, tmp_path / "opacity.pdf")

    done = desk.process(path)

    assert done.text.split() == words_of()
    assert f"{MISWRITTEN} (/ca)" in done.pages[0].warnings[0]


def test_a_mask_that_says_no_colours_is_grey(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        scan = jpeg(pdf, sheet())
        scan.SMask = pdf.make_stream(
            b"\xff" * 4, Type=Name.XObject, Subtype=Name.Image, Width=2, Height=2, BitsPerComponent=8
        )
        page(pdf, WHOLE_PAGE, {"Scan": scan})
        path = saved(pdf, tmp_path / "mask.pdf")

    done = desk.process(path)

    assert done.text.split() == words_of()
    assert f"{MISWRITTEN} (/SMask)" in done.pages[0].warnings[0]


@pytest.mark.parametrize("meaning", [Array([0]), Array([]), Array([Name.a, Name.b])], ids=str)
def test_samples_that_mean_no_numbers_mean_what_they_are(meaning: Any, desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        scan = jpeg(pdf, sheet())
        scan.Decode = meaning
        page(pdf, WHOLE_PAGE, {"Scan": scan})
        path = saved(pdf, tmp_path / "meaning.pdf")

    done = desk.process(path)

    assert done.text.split() == words_of()
    assert f"{MISWRITTEN} (/Decode)" in done.pages[0].warnings[0]


@pytest.mark.parametrize("kind", ["picture", "form"])
def test_what_does_not_say_its_kind_is_drawn_and_told(kind: str, desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        scan = jpeg(pdf, sheet())
        drawn = form(pdf, WHOLE_PAGE, (0, 0, 596, 842), XObject=Dictionary(Scan=scan))
        if kind == "form":
            page(pdf, b"/Fm Do", {"Fm": drawn})
            del drawn["/Subtype"]
        else:
            page(pdf, WHOLE_PAGE, {"Scan": scan})
            del scan["/Subtype"]
        path = saved(pdf, tmp_path / "kind.pdf")

    done = desk.process(path)

    assert done.text.split() == words_of()
    assert f"{MISWRITTEN} (/Subtype)" in done.pages[0].warnings[0]


def test_a_form_whose_place_is_not_told_in_numbers_lies_where_it_is_drawn(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        drawn = form(pdf, WHOLE_PAGE, (0, 0, 596, 842), XObject=Dictionary(Scan=jpeg(pdf, sheet())))
        drawn.Matrix = Array([Name.a] * 6)
        page(pdf, b"/Fm Do", {"Fm": drawn})
        path = saved(pdf, tmp_path / "place.pdf")

    done = desk.process(path)

    assert done.text.split() == words_of()
    assert f"{MISWRITTEN} (/Matrix)" in done.pages[0].warnings[0]


def test_a_form_of_which_the_box_ends_beyond_all_numbers_has_none(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        drawn = form(pdf, WHOLE_PAGE, (0, 0, 9_999_999_999, 842), XObject=Dictionary(Scan=jpeg(pdf, sheet())))
        page(pdf, b"/Fm Do", {"Fm": drawn})
        path = saved(pdf, tmp_path / "box.pdf")

    done = desk.process(path)

    assert done.text.split() == words_of()
    assert f"{MISWRITTEN} (/BBox)" in done.pages[0].warnings[0]


def _filtered(pdf: pikepdf.Pdf, data: bytes, filters: Any) -> Any:
    stream = pdf.make_stream(data)
    stream.Filter = filters
    return stream


FILTERS: dict[str, tuple[Any, bytes]] = {
    "unknown": (Name.FooDecode, WHOLE_PAGE),
    "before": (Array([Name.FooDecode, Name.FlateDecode]), zlib.compress(WHOLE_PAGE)),
    "after": (Array([Name.FlateDecode, Name.FooDecode]), zlib.compress(WHOLE_PAGE)),
    "of-pictures": (Name.DCTDecode, WHOLE_PAGE),
    "nonsense": (Dictionary(), WHOLE_PAGE),
}


@pytest.mark.parametrize("kind", FILTERS)
def test_a_filter_that_nobody_knows_costs_no_page_that_viewers_show(
    kind: str, desk: Desk, tmp_path: Path
) -> None:
    filters, data = FILTERS[kind]
    with pikepdf.new() as pdf:
        page(pdf, b"").Contents = _filtered(pdf, data, filters)
        pdf.save(tmp_path / "filter.pdf", stream_decode_level=pikepdf.StreamDecodeLevel.none)

    assert desk.process(tmp_path / "filter.pdf").text.split() == words_of()


@pytest.mark.parametrize("place", ["before", "behind"])
def test_a_part_that_is_packed_in_an_unknown_way_is_told_to_be_missing(
    place: str, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        parts = [_filtered(pdf, b"\0\1 nothing of that", Name.FooDecode), pdf.make_stream(WHOLE_PAGE)]
        page(pdf, b"").Contents = Array(
            [pdf.make_indirect(part) for part in parts[:: 1 if place == "before" else -1]]
        )
        path = saved(pdf, tmp_path / "part.pdf")

    done = desk.process(path)

    assert (done.text.split(), done.pages[0].warnings) == (words_of(), (BREAKS_OFF,))


@pytest.mark.parametrize(
    ("filters", "data"), [(Name.FooDecode, b"\0\1\2\3 junk"), (Name.flatedecode, zlib.compress(WHOLE_PAGE))]
)
def test_a_page_of_which_no_viewer_shows_anything_is_damaged(
    filters: Any, data: bytes, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        page(pdf, b"").Contents = _filtered(pdf, data, filters)
        pdf.save(tmp_path / "junk.pdf", stream_decode_level=pikepdf.StreamDecodeLevel.none)

    assert failure_of(desk, (tmp_path / "junk.pdf").read_bytes()).code == "corrupt"


def test_a_long_content_is_put_right_too(desk: Desk, tmp_path: Path) -> None:
    drawing = b"1024.5 2000 m 1030.25 2011.5 l S\n" * (2 << 15)
    assert len(drawing) > 2 << 20
    with pikepdf.new() as pdf:
        page(pdf, drawing + b"q 5.952e2 0 0 841.92 0 0 cm /Scan Do Q")
        path = saved(pdf, tmp_path / "long.pdf")

    done = desk.process(path, PageSettings(outputs=("txt", "json")))

    assert done.text.split() == words_of()
    assert "(5.952e2)" in done.pages[0].warnings[0]


@pytest.mark.parametrize(("flags", "told"), [(4, (NOTE_LOOK,)), (2, ())])
def test_the_window_of_a_note_that_has_a_look_of_its_own_is_told(
    flags: int, told: tuple[str, ...], desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        look = form(pdf, WHOLE_PAGE, (0, 0, 596, 842), XObject=Dictionary(Scan=jpeg(pdf, sheet())))
        window = Dictionary(Type=Name.Annot, Subtype=Name.Popup, Rect=Array([0, 0, 596, 842]), F=flags)
        window.AP = Dictionary(N=look)
        page(pdf, b"", {}).Annots = Array([pdf.make_indirect(window)])
        path = saved(pdf, tmp_path / "note.pdf")

    done = desk.process(path)

    assert (done.pages[0].status, done.pages[0].warnings) == ("blank", told)


@pytest.mark.parametrize(("mode", "colours"), [("L", Name.DeviceRGB), ("RGB", Name.DeviceGray)])
def test_a_picture_that_says_other_colours_than_its_jpeg_has_those_of_the_jpeg(
    mode: str, colours: Name, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        scan = jpeg(pdf, sheet().convert(mode))
        scan.ColorSpace = colours
        page(pdf, WHOLE_PAGE, {"Scan": scan})
        path = saved(pdf, tmp_path / "colours.pdf")

    done = desk.process(path)

    assert (done.text.split(), done.pages[0].warnings) == (words_of(), (VAGUE,))
    with pikepdf.open(done.outputs["pdf"]) as written:
        assert written.pages[0].Resources.XObject.Scan.ColorSpace == colours


def test_a_jpeg_2000_of_another_size_than_is_said_is_read(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        scan = pdf.make_stream(
            packed_as(sheet(), "JPEG2000"), Type=Name.XObject, Subtype=Name.Image, Width=100, Height=100,
            ColorSpace=Name.DeviceGray, BitsPerComponent=8, Filter=Name.JPXDecode,
        )  # fmt: skip
        page(pdf, WHOLE_PAGE, {"Scan": scan})
        path = saved(pdf, tmp_path / "size.pdf")

    done = desk.process(path)

    assert (done.text.split(), done.pages[0].warnings) == (words_of(), (VAGUE,))
