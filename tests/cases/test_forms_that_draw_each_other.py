"""What a page draws is followed before PDFium draws it: forms that draw each other took 4.5 GB and 14 s a try (issue 13, item 12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from ocr_worker.engines.pdf.page_objects import is_endless
from ocr_worker.model.tasks import PageDone
from ocr_worker.pages import page as page_work
from tests.cases.verdicts import failure_of, file_of, page_of
from tests.faults.documents import scan, whole
from tests.pages.desk import Desk

SQUARE = [0, 0, 200, 200]
TIMES = 10


def form(pdf: pikepdf.Pdf, content: bytes) -> Any:
    made = pdf.make_stream(content, Type=Name.XObject, Subtype=Name.Form, BBox=Array(SQUARE))
    made.Resources = Dictionary(XObject=Dictionary())
    return made


def pair(pdf: pikepdf.Pdf) -> Any:
    """Two forms, each of which draws the other."""
    one, other = form(pdf, b"/B Do " * TIMES), form(pdf, b"/A Do " * TIMES)
    one.Resources.XObject.B, other.Resources.XObject.A = other, one
    return one


def mutual(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    _draw(pdf, page, pair(pdf))


def itself(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    one = form(pdf, b"/A Do " * TIMES)
    one.Resources.XObject.A = one
    _draw(pdf, page, one)


def nested(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    """No circle, but ten to the power of twelve squares."""
    one = form(pdf, b"0 0 10 10 re f")
    for _ in range(12):
        outer = form(pdf, b"/F Do " * TIMES)
        outer.Resources.XObject.F, one = one, outer
    _draw(pdf, page, one)


def in_two_parts(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    """The name ends one part of the content, and what to do with it begins the next."""
    page.Resources = Dictionary(XObject=Dictionary(A=pair(pdf)))
    page.Contents = Array([pdf.make_stream(b"/A"), pdf.make_stream(b"Do")])


def escaped(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    _draw(pdf, page, pair(pdf), b"/#41%so they say\nDo")


def in_annotation(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    look = Dictionary(N=pair(pdf))
    stamp = Dictionary(Type=Name.Annot, Subtype=Name.Stamp, Rect=Array([0, 0, 100, 100]), AP=look)
    page.obj.Annots = Array([pdf.make_indirect(stamp)])


def in_glyph(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    font = Dictionary(
        Type=Name.Font, Subtype=Name.Type3, FontBBox=Array([0, 0, 1000, 1000]), FirstChar=97, LastChar=97,
        FontMatrix=Array([0.001, 0, 0, 0.001, 0, 0]), Encoding=Dictionary(Differences=Array([97, Name.a])),
        Widths=Array([1000]), Resources=Dictionary(XObject=Dictionary(A=pair(pdf))),
        CharProcs=Dictionary(a=pdf.make_stream(b"1000 0 d0 " + b"/A Do " * TIMES)),
    )  # fmt: skip
    page.Resources = Dictionary(Font=Dictionary(F=pdf.make_indirect(font)))
    page.Contents = pdf.make_stream(b"BT /F 20 Tf 20 20 Td (aaaa) Tj ET")


def in_soft_mask(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    mask = Dictionary(Type=Name.Mask, S=Name.Luminosity, G=pair(pdf))
    page.Resources = Dictionary(ExtGState=Dictionary(M=Dictionary(SMask=mask)))
    page.Contents = pdf.make_stream(b"/M gs 0 0 100 100 re f")


def in_pattern(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    tile = pdf.make_stream(
        b"/Pattern cs /P scn 0 0 50 50 re f " * TIMES, Type=Name.Pattern, PatternType=1, PaintType=1, TilingType=1,
        BBox=Array([0, 0, 50, 50]), XStep=50, YStep=50,
    )  # fmt: skip
    tile.Resources = Dictionary(Pattern=Dictionary(P=tile))
    page.Resources = Dictionary(Pattern=Dictionary(P=tile))
    page.Contents = pdf.make_stream(b"/Pattern cs /P scn 0 0 200 200 re f")


def in_marks(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    """PDFium was ended by SIGABRT, three times, when it had no more memory for them."""
    page.Contents = pdf.make_stream(b"/P BMC " * 100_000 + b"EMC " * 100_000)


def _draw(pdf: pikepdf.Pdf, page: pikepdf.Page, thing: Any, content: bytes = b"/A Do") -> None:
    page.Resources = Dictionary(XObject=Dictionary(A=thing))
    page.Contents = pdf.make_stream(content)


Make = Callable[[pikepdf.Pdf, pikepdf.Page], None]
ENDLESS: dict[str, Make] = {
    make.__name__: make
    for make in (
        mutual, itself, nested, in_two_parts, escaped, in_annotation, in_glyph, in_soft_mask, in_pattern, in_marks,
    )
}  # fmt: skip


def endless(make: Make) -> bytes:
    """Such a page behind a scan."""
    with scan() as pdf:
        make(pdf, pdf.add_blank_page(page_size=(200, 200)))
        del pdf.pages[0]
        return whole(pdf)


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_page_without_end_fails_before_anything_is_drawn(
    kind: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("PDFium was let draw it")

    monkeypatch.setattr(page_work, "load_sheet", refuse)

    failure = failure_of(desk, endless(ENDLESS[kind]))

    assert failure.code == "corrupt"
    assert "draw each other" in failure.message


@pytest.mark.parametrize("kind", ["mutual", "in_annotation"])
def test_inspection_and_dry_run_leave_it_undrawn(kind: str, desk: Desk) -> None:
    path = file_of(desk, endless(ENDLESS[kind]), "endless.pdf")

    assert desk.inspect(path)["page_list"][0]["has_text"] is False


def test_forms_that_only_list_each_other_are_drawn(desk: Desk) -> None:
    """Many programs give each form all the resources of its page."""
    with scan() as pdf:
        page = pdf.pages[0]
        picture = form(pdf, page.Contents.read_bytes())
        page.Resources.XObject.A = picture
        picture.Resources = page.Resources = pdf.make_indirect(page.Resources)
        page.Contents = pdf.make_stream(b"/A Do")
        content = whole(pdf)

    done = page_of(desk, content)

    assert isinstance(done, PageDone), done
    assert (done.status, done.words) == ("ok", 2)


def test_a_form_drawn_often_is_no_circle(desk: Desk) -> None:
    with scan() as pdf:
        page = pdf.pages[0]
        dot = form(pdf, b"0 0 1 1 re f")
        page.Resources.XObject.Dot = dot
        page.Contents = pdf.make_stream(page.Contents.read_bytes() + b"\n/Dot Do" * 500)
        content = whole(pdf)

    assert isinstance(page_of(desk, content), PageDone)


def test_marks_one_after_the_other_are_no_depth() -> None:
    with scan() as pdf:
        pdf.pages[0].Contents = pdf.make_stream(b"/P BMC 0 0 1 1 re f EMC " * 100_000)

        assert not is_endless(pdf, 1)


def test_as_many_symbols_as_a_map_names_are_no_circle() -> None:
    with scan() as pdf:
        page = pdf.pages[0]
        dot = form(pdf, b"/Thin gs 0 0 1 1 re f")
        dot.Resources.ExtGState = Dictionary(Thin=pdf.make_indirect(Dictionary(LW=1)))
        _draw(pdf, page, dot, b"/A Do " * 200_000)

        assert not is_endless(pdf, 1)
