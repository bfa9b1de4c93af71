"""Sheets as vector PDFs, and PDFs as grey images. Writes with pikepdf, renders with pdfium."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO

import pikepdf
import pypdfium2
from PIL import Image

from samples import scripts
from samples.sheets import Line, Panel, Sheet

SMALL_CAPITAL = 0.78
"""Of a capital."""


def pdf_of(sheets: Sequence[Sheet]) -> pikepdf.Pdf:
    """Draw sheets as pages with real text in the base-14 fonts."""
    pdf = pikepdf.new()
    for sheet in sheets:
        page = pdf.add_blank_page(page_size=(sheet.width, sheet.height))
        fonts = {line.type.font: _font(line.type.font) for line in sheet.lines}
        page.Resources = pikepdf.Dictionary(
            Font=pikepdf.Dictionary({_key(name): font for name, font in fonts.items()})
        )
        page.Contents = pdf.make_stream(_content(sheet))
    return pdf


def bytes_of(pdf: pikepdf.Pdf) -> bytes:
    """Save without anything that differs from run to run."""
    buffer = BytesIO()
    pdf.save(buffer, deterministic_id=True)
    return buffer.getvalue()


def render(sheet: Sheet, dpi: int) -> Image.Image:
    """Render a sheet as an 8-bit grey image."""
    if any(scripts.is_script(line.type.font) for line in sheet.lines):
        return scripts.render(sheet, dpi)
    document = pypdfium2.PdfDocument(bytes_of(pdf_of([sheet])))
    image: Image.Image = document[0].render(scale=dpi / 72, grayscale=True).to_pil()
    document.close()
    return image


def _content(sheet: Sheet) -> bytes:
    strokes = [
        b"%g %g m %g %g l S" % (x, sheet.height - y, to_x, sheet.height - to_y)
        for x, y, to_x, to_y in sheet.rules
    ]
    panels = [_fill(panel, sheet.height) for panel in sheet.panels]
    return b"\n".join([*panels, b"0.6 w", *strokes, *(_draw(line, sheet.height) for line in sheet.lines)])


def _fill(panel: Panel, height: float) -> bytes:
    x0, y0, x1, y1 = panel.box
    return b"%g g %g %g %g %g re f 0 g" % (panel.grey / 255, x0, height - y1, x1 - x0, y1 - y0)


def _draw(line: Line, height: float) -> bytes:
    key = _key(line.type.font).encode()
    shown = b" ".join(b"%s %g Tf (%s) Tj" % (key, size, _escaped(text)) for text, size in _pieces(line))
    return b"%g g BT %g %g Td %s ET" % (line.ink / 255, line.x, height - line.y, shown)


def _pieces(line: Line) -> list[tuple[str, float]]:
    """Texts of one size each."""
    size = line.type.size
    if not line.type.has_small_capitals:
        return [(line.text, size)]
    words = re.findall(r"(\S)(\S*\s*)", line.text)
    return [piece for first, rest in words for piece in ((first, size), (rest, SMALL_CAPITAL * size))]


def _escaped(text: str) -> bytes:
    return text.encode("cp1252").replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")


def _font(name: str) -> pikepdf.Dictionary:
    return pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type1,
        BaseFont=pikepdf.Name(f"/{name}"),
        Encoding=pikepdf.Name.WinAnsiEncoding,
    )


def _key(font: str) -> str:
    return "/" + font.replace("-", "")
