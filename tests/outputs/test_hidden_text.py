"""An older invisible layer goes; what is visible stays, whoever shares its dictionaries."""

from __future__ import annotations

import io

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Name

from ocr_worker.outputs.hidden_text import strip_hidden_text

MIXED = b"q 3 Tr BT /F 12 Tf 50 500 Td (hidden) Tj ET Q BT /F 12 Tf 50 400 Td (shown) Tj ET BT 3 Tr /F 12 Tf 50 300 Td [(kerned) -20 (too)] TJ ET"


def test_text_shown_invisibly_is_taken_off_and_visible_text_stays() -> None:
    with _page(MIXED) as pdf:
        strip_hidden_text(pdf, pdf.pages[0])

        assert _texts(pdf) == ["shown"]


def test_layers_in_forms_are_taken_off_even_if_resources_are_inherited() -> None:
    with _page(b"BT /F 12 Tf 50 400 Td (shown) Tj ET /Layer Do") as pdf:
        form = pdf.make_stream(b"BT 3 Tr /F 12 Tf 50 300 Td (buried) Tj ET")
        form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, Array([0, 0, 600, 800])
        resources = pdf.pages[0].obj.Resources
        form.Resources = Dictionary(Font=resources.Font)
        resources.XObject = Dictionary(Layer=form)
        pdf.Root.Pages.Resources = resources
        del pdf.pages[0].obj["/Resources"]
        pdf.pages.append(pdf.pages[0])

        strip_hidden_text(pdf, pdf.pages[0])

        assert _texts(pdf) == ["shown", "shown\r\nburied"]


def test_a_page_without_hidden_text_keeps_its_bytes() -> None:
    with _page(b"BT /F 12 Tf 50 400 Td (shown) Tj ET % as it was") as pdf:
        strip_hidden_text(pdf, pdf.pages[0])

        assert pdf.pages[0].Contents.read_bytes().endswith(b"% as it was")


def _page(content: bytes) -> pikepdf.Pdf:
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(600, 800))
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    page.obj.Resources = Dictionary(Font=Dictionary(F=pdf.make_indirect(font)))
    page.obj.Contents = pdf.make_stream(content)
    return pdf


def _texts(pdf: pikepdf.Pdf) -> list[str]:
    target = io.BytesIO()
    pdf.save(target)
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(target.getvalue())]
