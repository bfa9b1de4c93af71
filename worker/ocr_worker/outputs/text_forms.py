"""The text layers of one PDF: a form for each page, and the font that they share."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name

from ocr_worker.files.own import own_file
from ocr_worker.model.page import Affine, Page
from ocr_worker.outputs.pdf_geometry import rotation, to_user_space, visible_box
from ocr_worker.outputs.text_layer import ADVANCE, GlyphCodes, advance, layer_content


class TextForms:
    """Their font is completed at the end, when all characters are known."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._pdf = pdf
        self._codes = GlyphCodes()
        self._font: Any = pdf.make_indirect(Dictionary(Type=Name.Font))

    def form(self, target: pikepdf.Page, page: Page) -> pikepdf.Stream:
        """The words of a recognised page, in their places on the page of the PDF."""
        size = page.width_px, page.height_px
        matrix = to_user_space(visible_box(target), rotation(target), size)
        form = _packed(self._pdf, layer_content(page, self._codes))
        form.Type, form.Subtype = Name.XObject, Name.Form
        form.BBox = Array([0, 0, *size])
        form.Matrix = _matrix(matrix)
        form.Resources = Dictionary(Font=Dictionary(F=self._font))
        return form

    def complete(self) -> None:
        """Tell the font of what characters its glyphs are."""
        _complete_font(self._pdf, self._font, self._codes)


def _matrix(matrix: Affine) -> Array:
    return Array([round(value, 6) for value in matrix])


def _complete_font(pdf: pikepdf.Pdf, font: Any, codes: GlyphCodes) -> None:
    program = _packed(pdf, glyphless_font())
    program.Length1 = len(glyphless_font())
    descriptor = Dictionary(
        Type=Name.FontDescriptor, FontName=Name.OcrGlyphless, Flags=5, FontBBox=Array([0, -200, 500, 800]),
        ItalicAngle=0, Ascent=800, Descent=-200, CapHeight=800, StemV=80, FontFile2=pdf.make_indirect(program),
    )  # fmt: skip
    descendant = Dictionary(
        Type=Name.Font, Subtype=Name.CIDFontType2, BaseFont=Name.OcrGlyphless, DW=round(1000 * ADVANCE),
        CIDSystemInfo=Dictionary(Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String("Identity"), Supplement=0),
        CIDToGIDMap=pdf.make_indirect(_packed(pdf, _glyph_map(codes))), FontDescriptor=pdf.make_indirect(descriptor),
    )  # fmt: skip
    narrow = {
        int(code, 16): round(1000 * wide)
        for glyph, code in codes.items()
        if (wide := advance(glyph)) < ADVANCE
    }
    if narrow:
        descendant.W = Array([part for code, width in narrow.items() for part in (code, Array([width]))])
    font.Subtype, font.BaseFont, font.Encoding = Name.Type0, Name.OcrGlyphless, Name("/Identity-H")
    font.DescendantFonts = Array([pdf.make_indirect(descendant)])
    font.ToUnicode = pdf.make_indirect(_packed(pdf, codes.to_unicode()))


def _glyph_map(codes: GlyphCodes) -> bytes:
    """Which glyph of the font program each code has: the space is the second, all else the first."""
    return b"\0\1" + b"".join(b"\0\2" if glyph == " " else b"\0\1" for glyph in codes)


def _packed(pdf: pikepdf.Pdf, content: bytes) -> pikepdf.Stream:
    stream = pikepdf.Stream(pdf, b"")
    stream.write(zlib.compress(content), filter=Name.FlateDecode)
    return stream


@lru_cache(maxsize=1)
def glyphless_font() -> bytes:
    return own_file("ocr_worker.outputs", "glyphless.ttf")
