"""How PDFium's objects are painted, as far as their own values tell."""

from __future__ import annotations

import ctypes
import math
from typing import Any, Literal

from pypdfium2 import raw

from ocr_worker.engines.pdf.geometry import Box, Matrix, area, bounds, matrix_of, times

TINY_POINTS = 2.0
"""Print of this size nobody reads."""
FAINT_ALPHA = 8
LIGHT_LEVEL = 215
"""Of 255: lighter text is drawn to see whether it can be seen."""
PATTERN_FILL = (191, 191, 191, 255)
"""What PDFium gives for the colour of a pattern, which may be a picture."""
_OPAQUE = 255
Colour = tuple[int, int, int, int]
"""Red, green, blue, alpha."""
_SAMPLE_SCALE, _MOST_SAMPLED = 1.0, 4_000_000
"""Pixels of a text that is drawn alone, a point."""
_RECTANGLE = 5
"""Segments of its path."""
_LETTER = 8
"""Points of a path at least that may be a letter."""
_OF_A_LETTER = 60
"""Of a longer path, which may be a line of print, or all of it."""
_PLAIN_MODES = {raw.FPDF_TEXTRENDERMODE_FILL, raw.FPDF_TEXTRENDERMODE_FILL_STROKE}


def seen_by_ink(text: Any, mode: int, colour: Colour | None) -> Literal["seen", "unseen", "doubtful"]:
    """Whether text can be seen, by its colour and by what clips it; doubtful where that takes a drawing."""
    if mode not in _PLAIN_MODES or colour is None:
        return "doubtful"
    red, green, blue, alpha = colour
    if alpha < FAINT_ALPHA and mode == raw.FPDF_TEXTRENDERMODE_FILL:
        return "unseen"
    light = 0.3 * red + 0.59 * green + 0.11 * blue > LIGHT_LEVEL
    return "doubtful" if light or raw.FPDFPageObj_HasTransparency(text) or is_shaped(text) else "seen"


def has_ink(text: Any, page: Any) -> bool:
    """Whether anything is drawn where a text stands: fonts of some layers have glyphs without ink."""
    if area(bounds(text)) > _MOST_SAMPLED:
        return True
    bitmap = raw.FPDFTextObj_GetRenderedBitmap(page.pdf.raw, page.raw, text, _SAMPLE_SCALE)
    if not bitmap:
        # Of what has no size, or a fill that can't be drawn alone, nothing is told.
        return True
    try:
        size = raw.FPDFBitmap_GetStride(bitmap) * raw.FPDFBitmap_GetHeight(bitmap)
        return any(ctypes.string_at(raw.FPDFBitmap_GetBuffer(bitmap), size))
    finally:
        raw.FPDFBitmap_Destroy(bitmap)


def fill(part: Any) -> Colour | None:
    red, green, blue, alpha = places = ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint()
    if not raw.FPDFPageObj_GetFillColor(part, *places):
        return None
    return red.value, green.value, blue.value, alpha.value


def is_masked(part: Any) -> bool:
    """Whether a mask or a blend decides what is seen of something that is not clear by itself."""
    colour = fill(part)
    return bool(raw.FPDFPageObj_HasTransparency(part) and (colour is None or colour[3] == _OPAQUE))


def is_shaped(part: Any) -> bool:
    """Whether something clips the object that is no rectangle."""
    path = raw.FPDFPageObj_GetClipPath(part)
    counts = range(raw.FPDFClipPath_CountPaths(path))
    return any(raw.FPDFClipPath_CountPathSegments(path, number) > _RECTANGLE for number in counts)


def is_tiny(part: Any, box: Box, matrix: Matrix) -> bool:
    """By the size of its font: a row of full stops is low, too."""
    if min(box[2] - box[0], box[3] - box[1]) >= TINY_POINTS:
        return False
    size = ctypes.c_float()
    # That of drawings may be any number.
    if not has_named_font(part) or not raw.FPDFTextObj_GetFontSize(part, size):
        return False
    _, _, c, d, *_ = times(matrix_of(part), matrix)
    return size.value * math.hypot(c, d) < TINY_POINTS and max(box[2] - box[0], box[3] - box[1]) > 0


def has_named_font(text: Any) -> bool:
    """One without a name is made of drawings."""
    return bool(raw.FPDFFont_GetBaseFontName(raw.FPDFTextObj_GetFont(text), None, 0) > 1)


def letters_in(path: Any) -> int:
    """How many letters a shape may be, by its points: none of a rule, a box or a line."""
    count: int = raw.FPDFPath_CountSegments(path)
    return max(1, count // _OF_A_LETTER) if count >= _LETTER and is_filled(path) else 0


def is_filled(part: Any) -> bool:
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    is_drawn = raw.FPDFPath_GetDrawMode(part, mode, stroke)
    return bool(is_drawn and mode.value != raw.FPDF_FILLMODE_NONE)
