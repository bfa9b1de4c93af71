"""Text of a layer that is off is not the page's text, and what such a layer covers is read.

From yfedoseev/pdf_oxide #1373 and mozilla/pdf.js #15370.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from ocr_worker.outputs.optional_content import layers
from ocr_worker.pages.rendering import LAYER_OPEN
from tests.cases.shown import NOTE, WHOLE_PAGE, form, jpeg, layer, page, saved, sheet, text, words_of
from tests.pages.desk import ALL_OUTPUTS, Desk

Groups = dict[str, Any]


def _group(pdf: pikepdf.Pdf) -> Any:
    return layer(pdf, "Notes", on=False)


def _membership(pdf: pikepdf.Pdf) -> Any:
    groups = Array([layer(pdf, "Notes", on=False), layer(pdf, "Plan", on=True)])
    return pdf.make_indirect(Dictionary(Type=Name.OCMD, OCGs=groups, P=Name.AllOn))


def _expression(pdf: pikepdf.Pdf) -> Any:
    shown = layer(pdf, "Plan", on=True)
    return pdf.make_indirect(Dictionary(Type=Name.OCMD, VE=Array([Name.Not, shown])))


def _by_usage(pdf: pikepdf.Pdf) -> Any:
    """Printed, but not shown on a screen."""
    group = layer(pdf, "Print", on=True)
    group.Usage = Dictionary(View=Dictionary(ViewState=Name.OFF))
    pdf.Root.OCProperties.D.AS = Array(
        [Dictionary(Event=Name.View, OCGs=Array([group]), Category=Array([Name.View]))]
    )
    return group


def _all_off_but_some(pdf: pikepdf.Pdf) -> Any:
    layer(pdf, "Plan", on=True)
    group = layer(pdf, "Notes", on=True)
    del pdf.Root.OCProperties.D.ON[1]
    pdf.Root.OCProperties.D.BaseState = Name.OFF
    return group


@pytest.mark.parametrize("existing_text", ["skip", "redo", "force"])
@pytest.mark.parametrize("group", [_group, _membership, _expression, _by_usage, _all_off_but_some])
def test_the_scan_is_read_and_the_layer_is_in_no_output(
    group: Callable[[pikepdf.Pdf], Any], existing_text: Any, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        content = WHOLE_PAGE + b"/OC /L BDC " + text(NOTE, 40, 300, 5) + b"EMC\n"
        page(pdf, content, Properties=Dictionary(L=group(pdf)))
        path = saved(pdf, tmp_path / "off.pdf")

    done = desk.process(path, replace(ALL_OUTPUTS, existing_text=existing_text))

    assert done.pages[0].status == "ok"
    assert [word for word in words_of() if word not in done.text.split()] == []
    for kind in ("txt", "json", "hocr", "alto"):
        assert "nobody" not in done.outputs[kind].read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["text", "scan"])
def test_a_layer_that_only_says_itself_that_it_is_off_is_not_read_and_told(
    kind: str, desk: Desk, tmp_path: Path
) -> None:
    """PDFium, pdf.js and mutool hide it; poppler shows it."""
    words = text("Words that few viewers show", 60, 20, 12)
    shown, hidden = (WHOLE_PAGE, words) if kind == "text" else (words, WHOLE_PAGE)
    with pikepdf.new() as pdf:
        group = layer(pdf, "Print", on=True)
        group.Usage = Dictionary(View=Dictionary(ViewState=Name.OFF))
        page(pdf, shown + b"/OC /L BDC " + hidden + b"EMC\n", Properties=Dictionary(L=group))
        path = saved(pdf, tmp_path / "off.pdf")

    done = desk.process(path)

    assert done.pages[0].warnings == (LAYER_OPEN,)
    assert done.text.split() == (
        words_of() if kind == "text" else ["Words", "that", "few", "viewers", "show"]
    )


def test_of_text_in_two_languages_at_one_place_the_one_that_is_shown_is_read(
    desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        content = (
            b"/OC /De BDC " + text("Der verborgene Preis", 60, 700, 12) + b"EMC\n"
            b"/OC /En BDC " + text("The price that shows", 60, 700, 12) + b"EMC\n"
        )
        groups = Dictionary(De=layer(pdf, "Text", on=False), En=layer(pdf, "Text", on=True))
        page(pdf, content, {}, Properties=groups)
        path = saved(pdf, tmp_path / "two.pdf")

    done = desk.process(path)

    assert done.pages[0].status == "has_text"
    assert done.text == "The price that shows\n"


@pytest.mark.parametrize("kind", ["form", "picture", "within"])
def test_forms_and_pictures_that_are_off_are_not_there(kind: str, desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        hidden = layer(pdf, "Draft", on=False)
        drawn = {"Scan": jpeg(pdf, sheet())}
        content = text("Typed words of the page", 60, 820, 12)
        if kind == "picture":
            drawn["Scan"].OC = hidden
            content += WHOLE_PAGE
        elif kind == "form":
            fonts = page(pdf, b"").Resources.Font
            del pdf.pages[0]
            drawn["Fm"] = form(pdf, text(NOTE, 40, 300, 5), (0, 0, 600, 900), Font=fonts)
            drawn["Fm"].OC = hidden
            content += b"/Fm Do\n"
        else:
            content += b"/OC /L BDC " + WHOLE_PAGE + b"EMC\n"
        page(pdf, content, drawn, Properties=Dictionary(L=hidden))
        path = saved(pdf, tmp_path / "off.pdf")

    done = desk.process(path)

    assert done.pages[0].status == "has_text"
    assert done.text == "Typed words of the page\n"


def test_annotations_on_a_layer_that_is_off_are_not_read_and_fields_still_are(
    desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, WHOLE_PAGE)
        fonts = made.Resources.Font
        off, field = (
            pdf.make_indirect(Dictionary(
                Type=Name.Annot, Rect=Array([60, low, 400, low + 40]), F=4,
                AP=Dictionary(N=form(pdf, b"BT /F 24 Tf 5 9 Td (%s) Tj ET" % words, (0, 0, 340, 40), Font=fonts)),
            ))
            for low, words in ((60, b"nobody sees it"), (120, b"Kingfisher Bay"))
        )  # fmt: skip
        off.Subtype, off.OC = Name.Stamp, layer(pdf, "Draft", on=False)
        field.Subtype, field.FT, field.T = Name.Widget, Name.Tx, pikepdf.String("place")
        field.V = pikepdf.String("Kingfisher Bay")
        made.Annots = Array([off, field])
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]))
        path = saved(pdf, tmp_path / "off.pdf")

    done = desk.process(path)

    assert [word for word in words_of() if word not in done.text.split()] == []
    assert "Kingfisher Bay" in done.text
    assert "nobody" not in done.text


def test_a_document_without_layers_has_none_off() -> None:
    with pikepdf.new() as pdf:
        assert layers(pdf).off == frozenset()


def test_annotations_and_fields_of_a_layer_that_is_off_are_not_told(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        made, group = (
            page(pdf, text("Minutes of the meeting", 60, 700, 16), {}),
            layer(pdf, "Notes", on=False),
        )
        look = form(pdf, text("stamped", 5, 5, 16), (0, 0, 200, 30), Font=made.Resources.Font)
        entries: list[dict[str, Any]] = [
            {"Subtype": Name.Stamp, "AP": Dictionary(N=look)},
            {"Subtype": Name.FreeText, "Contents": String("remarked")},
            {"Subtype": Name.Widget, "FT": Name.Tx, "T": String("name"), "V": String("typed")},
        ]
        made.Annots = Array([
            pdf.make_indirect(Dictionary(Type=Name.Annot, Rect=Array([60, 500, 260, 530]), OC=group, **entry))
            for entry in entries
        ])  # fmt: skip
        path = saved(pdf, tmp_path / "off.pdf")

    assert desk.process(path).text.split() == ["Minutes", "of", "the", "meeting"]
