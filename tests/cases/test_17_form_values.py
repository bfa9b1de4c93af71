"""What was typed into a form is in txt and JSON, in its row.

From docling #2677, MuckRock/documentcloud #292 and run-llama/liteparse #401.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from ocr_worker.pages.rendering import VALUE_OTHER
from tests.cases.shown import WHOLE_PAGE, font, form, jpeg, page, saved, sheet, text, words_of
from tests.pages.desk import Desk

LABELS = (
    text("Name of the applicant:", 60, 760, 12)
    + text("Place of birth:", 60, 720, 12)
    + text("Remarks:", 60, 680, 12)
)


def _field(pdf: pikepdf.Pdf, box: list[float], kind: Name = Name.Tx, **entries: Any) -> Any:
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=kind,
            Rect=Array(box),
            DA=String("/F 12 Tf 0 g"),
            **entries,
        )
    )


def _form(pdf: pikepdf.Pdf, made: Any, fields: list[Any]) -> None:
    made.Annots = Array(fields)
    pdf.Root.AcroForm = Dictionary(Fields=Array([field for field in fields if "/FT" in field]))


def test_filled_fields_stand_behind_their_labels(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, LABELS, {})
        options = Array(
            [Array([String("kb"), String("Kingfisher Bay")]), Array([String("x"), String("Elsewhere")])]
        )
        _form(pdf, made, [
            _field(pdf, [220, 752, 500, 772], V=String("Ottokar Lindqvist")),
            _field(pdf, [220, 712, 500, 732], Name.Ch, V=String("kb"), Opt=options),
            _field(pdf, [60, 560, 500, 670], V=String("walrus permit renewal\rsecond line of it")),
            _field(pdf, [60, 500, 500, 520], V=String("never shown"), F=2),
            _field(pdf, [60, 460, 500, 480], V=String("a secret word"), Ff=1 << 13),
            _field(pdf, [60, 420, 80, 440], Name.Btn, V=Name.Yes),
        ])  # fmt: skip
        path = saved(pdf, tmp_path / "form.pdf")

    done = desk.process(path)

    rows = [line for line in done.text.splitlines() if line]
    assert done.pages[0].status == "has_text"
    assert rows == [
        "Name of the applicant:", "Ottokar Lindqvist", "Place of birth:", "Kingfisher Bay",
        "Remarks:", "walrus permit renewal", "second line of it",
    ]  # fmt: skip
    places = {
        word["text"]: word["box_points"]
        for line in done.record["pages"][0]["lines"]
        for word in line["words"]
    }
    left, top, right, bottom = places["Ottokar"]
    assert 220 <= left < right <= 500
    assert 841.92 - 772 - 1 <= top < bottom <= 841.92 - 752 + 1


@pytest.mark.parametrize("chosen", [{"V": String("kb")}, {"I": Array([0])}], ids=["value", "place"])
def test_of_a_list_what_is_chosen_is_told_as_it_shows_it(
    chosen: dict[str, Any], desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, LABELS, {})
        options = Array(
            [Array([String("kb"), String("Kingfisher Bay")]), Array([String("x"), String("Elsewhere")])]
        )
        _form(pdf, made, [_field(pdf, [220, 712, 500, 732], Name.Ch, Opt=options, **chosen)])
        path = saved(pdf, tmp_path / "list.pdf")

    told = desk.process(path).text

    assert "Kingfisher Bay" in told
    assert "Elsewhere" not in told


def test_a_value_that_the_widgets_inherit_is_told_by_each(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, LABELS, {})
        parent = pdf.make_indirect(Dictionary(FT=Name.Tx, T=String("name"), V=String("Ottokar Lindqvist")))
        kid = pdf.make_indirect(
            Dictionary(Type=Name.Annot, Subtype=Name.Widget, Rect=Array([220, 752, 500, 772]), Parent=parent)
        )
        parent.Kids = Array([kid])
        made.Annots = Array([kid])
        pdf.Root.AcroForm = Dictionary(Fields=Array([parent]))
        path = saved(pdf, tmp_path / "form.pdf")

    assert "Ottokar Lindqvist" in desk.process(path).text


def test_text_typed_on_a_page_is_its_text(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, LABELS, {})
        note = Dictionary(
            Type=Name.Annot,
            Subtype=Name.FreeText,
            Rect=Array([220, 752, 500, 772]),
            Contents=String("typed later"),
            F=4,
        )
        made.Annots = Array([pdf.make_indirect(note)])
        path = saved(pdf, tmp_path / "note.pdf")

    assert "typed later" in desk.process(path).text


def test_a_stamp_on_a_page_of_text_is_its_text(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, LABELS, {})
        look = form(
            pdf, b"BT /F 28 Tf 5 12 Td (RECEIVED 4711) Tj ET", (0, 0, 260, 50), Font=made.Resources.Font
        )
        stamp = Dictionary(
            Type=Name.Annot, Subtype=Name.Stamp, Rect=Array([300, 660, 560, 710]), F=4, AP=Dictionary(N=look)
        )
        made.Annots = Array([pdf.make_indirect(stamp)])
        path = saved(pdf, tmp_path / "stamp.pdf")

    done = desk.process(path)

    assert [line for line in done.text.splitlines() if line][-1] in ("RECEIVED 4711", "Remarks:")
    (place,) = [
        line["words"][1]["box_points"]
        for line in done.record["pages"][0]["lines"]
        if "4711" in line["words"][-1]["text"]
    ]
    assert 300 < place[0] < place[2] < 560
    assert 841.92 - 710 < place[1] < place[3] < 841.92 - 660


@pytest.mark.parametrize(
    "box", [[-500, -500, -400, -480], [600, 752, 700, 772], [0, 0, 0, 0], [220, 752, 220, 772]]
)
def test_a_field_that_nobody_sees_is_not_told(box: list[float], desk: Desk, tmp_path: Path) -> None:
    """Beyond the page, or without a size: programs leave values there that are not for readers."""
    with pikepdf.new() as pdf:
        made = page(pdf, LABELS, {})
        seen = _field(pdf, [220, 712, 500, 732], V=String("Kingfisher Bay"))
        _form(pdf, made, [_field(pdf, box, V=String("never shown")), seen])
        path = saved(pdf, tmp_path / "form.pdf")

    done = desk.process(path)

    assert "Kingfisher Bay" in done.text
    assert "never" not in done.text


def test_a_filled_form_on_a_scan_is_told_once(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, WHOLE_PAGE + text("Stamped", 60, 60, 12), {"Scan": jpeg(pdf, sheet())})
        look = pdf.make_stream(
            b"BT /F 12 Tf 2 5 Td (Ottokar Lindqvist) Tj ET", Type=Name.XObject, Subtype=Name.Form,
            BBox=Array([0, 0, 280, 20]), Resources=Dictionary(Font=made.Resources.Font),
        )  # fmt: skip
        _form(
            pdf,
            made,
            [_field(pdf, [220, 252, 500, 272], V=String("Ottokar Lindqvist"), AP=Dictionary(N=look), F=4)],
        )
        path = saved(pdf, tmp_path / "form.pdf")

    done = desk.process(path)

    assert done.pages[0].status == "ok"
    assert done.text.count("Ottokar") == done.text.count("Lindqvist") == 1


def test_a_value_that_was_not_read_on_a_scan_is_told(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, WHOLE_PAGE, {"Scan": jpeg(pdf, sheet())})
        # One letter a box.
        field = _field(pdf, [50, 50, 300, 80], V=String("A1B2C3"), MaxLen=6, Ff=1 << 24, F=4)
        _form(pdf, made, [field])
        path = saved(pdf, tmp_path / "comb.pdf")

    done = desk.process(path)

    assert done.pages[0].status == "ok"
    assert done.text.split() == [*words_of(), "A1B2C3"]


def test_what_a_field_shows_counts_where_it_has_no_value(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, LABELS, {})
        _form(pdf, made, [
            _field(pdf, [220, 752, 500, 772], AP=_look(pdf, made, b"Ottokar Lindqvist")),
            _field(pdf, [220, 712, 500, 732], Name.Ch, AP=_look(pdf, made, b"Kingfisher Bay")),
            _field(pdf, [220, 672, 500, 692], Name.Sig, AP=_look(pdf, made, b"signed by hand")),
            _field(pdf, [220, 632, 500, 652], Ff=1 << 13, AP=_look(pdf, made, b"stars")),
        ])  # fmt: skip
        path = saved(pdf, tmp_path / "shown.pdf")

    found = desk.process(path).text

    assert [said in found for said in ("Ottokar Lindqvist", "Kingfisher Bay", "signed by hand")] == [True] * 3
    assert "stars" not in found


def test_fields_whose_form_is_lost_are_read_as_other_viewers_show_them(desk: Desk, tmp_path: Path) -> None:
    """Programs that join files leave the fields and drop the form; poppler, MuPDF and Acrobat show them all the same."""
    with pikepdf.new() as pdf:
        made = page(pdf, WHOLE_PAGE)
        field = _field(
            pdf,
            [60, 252, 500, 272],
            T=String("bird"),
            V=String("Kingfisher"),
            AP=_look(pdf, made, b"Kingfisher"),
            F=4,
        )
        made.Annots = Array([field])
        path = saved(pdf, tmp_path / "joined.pdf")

    done = desk.process(path)

    assert done.pages[0].status == "ok"
    assert done.text.split().count("Kingfisher") == 1
    assert "harbour" in done.text


def _look(pdf: pikepdf.Pdf, made: Any, words: bytes) -> Dictionary:
    content = b"BT /F 16 Tf 2 5 Td (%s) Tj ET" % words
    return Dictionary(N=form(pdf, content, (0, 0, 280, 20), Font=made.Resources.Font))


@pytest.mark.parametrize(
    ("value", "shown", "entries", "named"),
    [
        ("Ottokar Lindholm", b"Ottokar Lindqvist", {}, True),
        ("Ottokar Lindqvist", b"Ottokar Lindqvist", {}, False),
        ("ottokar  lindqvist", b"Ottokar Lindqvist", {}, False),
        ("Ottokar Lindqvist and his whole family", b"Ottokar Lindqvist", {}, False),
        ("1234.5", b"1,234.50 EUR", {"AA": Dictionary(F=Dictionary(S=Name.JavaScript))}, False),
        ("a secret word", b"* * * * *", {"Ff": 1 << 13}, False),
    ],
    ids=["another", "same", "spaces", "part", "format", "password"],
)
@pytest.mark.parametrize("is_drawn_anew", [False, True])
def test_a_field_that_shows_other_text_than_its_value_is_named(
    value: str,
    shown: bytes,
    entries: dict[str, Any],
    desk: Desk,
    tmp_path: Path,
    *,
    named: bool,
    is_drawn_anew: bool,
) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, LABELS, {})
        look = form(
            pdf, b"BT /F 12 Tf 2 5 Td (" + shown + b") Tj ET", (0, 0, 280, 20), Font=Dictionary(F=font())
        )
        _form(pdf, made, [
            _field(pdf, [220, 752, 500, 772], T=String("name"), V=String(value), AP=Dictionary(N=look), **entries),
        ])  # fmt: skip
        if is_drawn_anew:
            # By each viewer, from the value.
            pdf.Root.AcroForm.NeedAppearances = True
        path = saved(pdf, tmp_path / "form.pdf")

    done = desk.process(path)

    expected = (f"The form field name {VALUE_OTHER}",) if named and not is_drawn_anew else ()
    assert done.pages[0].warnings == expected
    assert ("Lindholm" in done.text) == ("Lindholm" in value)
