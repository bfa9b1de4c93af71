"""The scan itself is taken in the page's stead only where the page shows just that.

From OCRmyPDF #320, run-llama/llama_cloud_services #459 and UB-Mannheim/zotero-ocr #126.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageCms, ImageOps

from ocr_worker.model.tasks import PageSettings
from ocr_worker.pages.rendering import SECOND_RENDERER
from tests.cases.shown import LINES, POINTS, WHOLE_PAGE, font, form, jpeg, page, saved, sheet, text, words_of
from tests.pages.desk import Desk, Done

LOWER = b"q 0 0 595.2 677 re W n "
"""A clip that leaves off the first three lines."""


@pytest.mark.parametrize("subtype", [Name.Stamp, Name.FreeText, Name.Square])
def test_an_annotation_on_a_scan_is_read(subtype: Name, desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, WHOLE_PAGE)
        look = form(
            pdf, b"BT /F 28 Tf 5 12 Td (RECEIVED 4711) Tj ET", (0, 0, 260, 50), Font=Dictionary(F=font())
        )
        stamp = Dictionary(
            Type=Name.Annot, Subtype=subtype, Rect=Array([300, 60, 560, 110]), F=4, AP=Dictionary(N=look)
        )
        made.Annots = Array([pdf.make_indirect(stamp)])
        path = saved(pdf, tmp_path / "stamped.pdf")

    done = desk.process(path)

    assert "RECEIVED 4711" in done.text
    assert _lines(done) == list(LINES)


def test_a_link_on_a_scan_does_not_cost_its_resolution(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, WHOLE_PAGE)
        made.Annots = Array([Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([10, 10, 90, 90]))])
        path = saved(pdf, tmp_path / "linked.pdf")

    done = desk.process(path)

    assert done.record["pages"][0]["dpi"] == pytest.approx(150, abs=0.1)
    assert _lines(done) == list(LINES)


def _clipped(pdf: pikepdf.Pdf) -> None:
    page(pdf, LOWER + WHOLE_PAGE + b"Q\n")


def _clipped_by_a_form(pdf: pikepdf.Pdf) -> None:
    inner = form(pdf, WHOLE_PAGE, (0, 0, 595.2, 677), XObject=Dictionary(Scan=jpeg(pdf, sheet())))
    page(pdf, b"/Fm Do\n", {"Fm": inner})


def _clipped_by_a_shape(pdf: pikepdf.Pdf) -> None:
    """A point at the top makes it as high as the page."""
    page(
        pdf,
        b"q 0 0 m 595.2 0 l 595.2 677 l 593 677 l 592 841.92 l 591 677 l 0 677 l h W n "
        + WHOLE_PAGE
        + b"Q\n",
    )


def _half_masked(pdf: pikepdf.Pdf) -> None:
    mask = pdf.make_stream(
        bytes([0] + [255] * 4), Type=Name.XObject, Subtype=Name.Image, Width=1, Height=5,
        ColorSpace=Name.DeviceGray, BitsPerComponent=8,
    )  # fmt: skip
    scan = jpeg(pdf, sheet())
    scan.SMask = mask
    page(pdf, WHOLE_PAGE, {"Scan": scan})


def _under_paint(pdf: pikepdf.Pdf) -> None:
    page(pdf, WHOLE_PAGE + b"1 g 0 677 595.2 165 re f\n")


def _under_a_picture(pdf: pikepdf.Pdf) -> None:
    white = jpeg(pdf, Image.new("L", (100, 40), 255))
    page(
        pdf,
        WHOLE_PAGE + b"q 595.2 0 0 165 0 677 cm /Label Do Q\n",
        {"Scan": jpeg(pdf, sheet()), "Label": white},
    )


@pytest.mark.parametrize("existing_text", ["skip", "redo", "force"])
@pytest.mark.parametrize(
    "make", [_clipped, _clipped_by_a_form, _clipped_by_a_shape, _half_masked, _under_paint, _under_a_picture]
)
def test_what_is_hidden_of_a_scan_is_not_read(
    make: Callable[[pikepdf.Pdf], None], existing_text: Any, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        make(pdf)
        path = saved(pdf, tmp_path / "hidden.pdf")

    done = desk.process(path)

    assert "barrel" not in done.text
    assert [word for word in words_of(LINES[3:]) if word not in done.text.split()] == []


def _negative(pdf: pikepdf.Pdf) -> None:
    """Stored dark, shown light."""
    scan = jpeg(pdf, sheet().point(lambda level: 255 - level))
    scan.Decode = Array([1, 0])
    page(pdf, WHOLE_PAGE, {"Scan": scan})


def _ink(pdf: pikepdf.Pdf) -> None:
    """A separation: 0 is no ink."""
    scan = jpeg(pdf, sheet().point(lambda level: 255 - level))
    tint = Dictionary(FunctionType=2, Domain=Array([0, 1]), C0=Array([1]), C1=Array([0]), N=1)
    scan.ColorSpace = Array([Name.Separation, Name.Black, Name.DeviceGray, tint])
    page(pdf, WHOLE_PAGE, {"Scan": scan})


def _of_another_profile(pdf: pikepdf.Pdf) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    scan = jpeg(pdf, sheet().convert("RGB"))
    scan.ColorSpace = Array([Name.ICCBased, pdf.make_stream(lab, N=3, Alternate=Name.DeviceRGB)])
    page(pdf, WHOLE_PAGE, {"Scan": scan})


def _rotated(pdf: pikepdf.Pdf) -> None:
    page(
        pdf,
        b"q 0 841.92 -595.2 0 595.2 0 cm /Scan Do Q\n",
        {"Scan": jpeg(pdf, sheet().transpose(Image.Transpose.ROTATE_270))},
    )


@pytest.mark.parametrize("make", [_negative, _ink, _of_another_profile, _rotated])
def test_a_scan_that_is_stored_otherwise_is_read_as_it_is_shown(
    make: Callable[[pikepdf.Pdf], None], desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        make(pdf)
        path = saved(pdf, tmp_path / "stored.pdf")

    done = desk.process(path)

    assert done.pages[0].status == "ok"
    assert _lines(done) == list(LINES)
    assert done.record["pages"][0]["width_points"] == pytest.approx(POINTS[0], abs=0.5)


def _lines(done: Done) -> list[str]:
    return [line for line in done.text.splitlines() if line in LINES]


@pytest.mark.parametrize("existing_text", ["skip", "redo"])
def test_a_scan_that_was_pasted_on_a_page_of_text_is_read(
    existing_text: Any, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        rows = b"".join(
            text(f"Clause {row} of this contract is printed", 50, 800 - 14 * row) for row in range(20)
        )
        made, scan = page(pdf, rows, {}), jpeg(pdf, sheet(size=(1000, 700)))
        look = form(pdf, b"q 480 0 0 336 0 0 cm /Im Do Q", (0, 0, 480, 336), XObject=Dictionary(Im=scan))
        stamp = Dictionary(
            Type=Name.Annot, Subtype=Name.Stamp, Rect=Array([50, 60, 530, 396]), F=4, AP=Dictionary(N=look)
        )
        made.Annots = Array([pdf.make_indirect(stamp)])
        path = saved(pdf, tmp_path / "pasted.pdf")

    done = desk.process(path, PageSettings(existing_text=existing_text))

    assert done.pages[0].status == "ok"
    assert done.text.split().count("Clause") == 20
    assert [word for word in words_of() if word not in done.text.split()] == []


ROWS = b"".join(text(line, 43, 771 - 39.2 * row, 16) for row, line in enumerate(LINES))
LAYER = b"".join(text(line, 43, 771 - 39.2 * row, 16, "3 Tr") for row, line in enumerate(LINES))
BLACK, MARKER = b"0 g 0 0 600 50 re f", b"/G gs 1 1 0 rg 0 0 600 50 re f"


@pytest.mark.parametrize(("paint", "seen"), [(BLACK, LINES[1:]), (MARKER, LINES)])
@pytest.mark.parametrize("content", [ROWS, WHOLE_PAGE + LAYER])
def test_text_under_an_annotation_is_not_told_if_that_hides_it(
    content: bytes, paint: bytes, seen: tuple[str, ...], desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, content)
        marker = Dictionary(G=Dictionary(Type=Name.ExtGState, BM=Name.Multiply))
        look = form(pdf, paint, (0, 0, 600, 50), ExtGState=marker)
        made.Annots = Array([pdf.make_indirect(Dictionary(
            Type=Name.Annot, Subtype=Name.Square, Rect=Array([0, 755, 600, 805]), F=4, AP=Dictionary(N=look)
        ))])  # fmt: skip
        path = saved(pdf, tmp_path / "hidden.pdf")

    done = desk.process(path)

    assert done.pages[0].status == "has_text"
    assert done.text.splitlines() == list(seen)


@pytest.mark.parametrize("move", [(0.4, 0), (1.5, -1)])
@pytest.mark.parametrize("existing_text", ["skip", "redo"])
def test_lines_that_are_drawn_on_themselves_are_told_once(
    existing_text: Any, move: tuple[float, float], desk: Desk, tmp_path: Path
) -> None:
    """As for bold letters, or a shadow."""
    with pikepdf.new() as pdf:
        page(pdf, b"q 1 0 0 1 %f %f cm 0.5 g " % move + ROWS + b"Q " + ROWS, {})
        path = saved(pdf, tmp_path / "bold.pdf")

    done = desk.process(path, PageSettings(existing_text=existing_text))

    assert done.text.splitlines() == list(LINES)


@pytest.mark.parametrize("existing_text", ["skip", "redo"])
@pytest.mark.parametrize("typed", [b"", text("Typed title of the page", 20, 20, 8)])
def test_a_scan_that_is_the_picture_of_a_button_is_read(
    typed: bytes, existing_text: Any, desk: Desk, tmp_path: Path
) -> None:
    """As programs put pictures into forms."""
    with pikepdf.new() as pdf:
        made, box = page(pdf, typed, {}), (0, 0, 596, 842)
        inner = form(pdf, WHOLE_PAGE, box, XObject=Dictionary(Scan=jpeg(pdf, sheet())))
        look = form(pdf, b"/Fm Do", box, XObject=Dictionary(Fm=inner))
        field = pdf.make_indirect(Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, FT=Name.Btn, Ff=1 << 16, T=pikepdf.String("picture"), F=4,
            Rect=Array(box), AP=Dictionary(N=look),
        ))  # fmt: skip
        made.Annots = Array([field])
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]))
        path = saved(pdf, tmp_path / "button.pdf")

    done = desk.process(path, PageSettings(existing_text=existing_text))

    assert done.pages[0].status == "ok"
    assert _lines(done) == list(LINES)


@pytest.mark.needs("pdftoppm")
def test_a_picture_that_pdfium_draws_as_one_plane_is_drawn_by_poppler(desk: Desk, tmp_path: Path) -> None:
    content = io.BytesIO()
    ImageOps.invert(sheet()).save(content, "JPEG2000")
    with pikepdf.new() as pdf:
        picture = pdf.make_stream(
            content.getvalue(), Type=Name.XObject, Subtype=Name.Image, Width=1240, Height=1754,
            ColorSpace=Name.DeviceGray, Decode=Array([1, 0]), Filter=Name.JPXDecode,
        )  # fmt: skip
        page(pdf, WHOLE_PAGE, {"Scan": picture})
        path = saved(pdf, tmp_path / "inverted.pdf")

    done = desk.process(path)

    assert _lines(done) == list(LINES)
    assert done.pages[0].warnings == (SECOND_RENDERER,)
