"""How far showing a string moves the pen: the text state of a content stream, and the widths that fonts give.

Source: ISO 32000-1, 9.3 and 9.4.4.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name


@dataclass(frozen=True, slots=True)
class TextState:
    mode: int = 0
    font: Any = None
    size: float = 0.0
    stretch: float = 1.0
    character_space: float = 0.0
    word_space: float = 0.0

    def after(self, operator: str, operands: Any, resources: Any) -> TextState:
        """The state that an operator leaves; the same one for most."""
        change = _CHANGES.get(operator)
        try:
            return replace(self, **change(operands, resources)) if change else self
        except (AttributeError, IndexError, TypeError, ValueError, KeyError):
            return self


def _of_graphics_state(given: Any) -> dict[str, Any]:
    chosen = given.get("/Font") if isinstance(given, Dictionary) else None
    return {"font": chosen[0], "size": float(chosen[1])} if isinstance(chosen, Array) else {}


_CHANGES: dict[str, Callable[[Any, Any], dict[str, Any]]] = {
    "Tr": lambda operands, _: {"mode": int(operands[0])},
    "Tf": lambda operands, resources: {
        "font": resources.Font.get(operands[0]),
        "size": float(operands[1]),
    },
    "gs": lambda operands, resources: _of_graphics_state(resources.ExtGState.get(operands[0])),
    "Tz": lambda operands, _: {"stretch": float(operands[0]) / 100},
    "Tc": lambda operands, _: {"character_space": float(operands[0])},
    "Tw": lambda operands, _: {"word_space": float(operands[0])},
    '"': lambda operands, _: {
        "word_space": float(operands[0]),
        "character_space": float(operands[1]),
    },
}


def advance(state: TextState, shown: Any) -> float | None:
    """Along the baseline, in text space; None where it can't be told."""
    parts = list(shown) if isinstance(shown, Array) else [shown]
    total = 0.0
    try:
        for part in parts:
            if isinstance(part, pikepdf.String):
                moved = _string(state, bytes(part))
                if moved is None:
                    return None
                total += moved
            else:
                total -= float(part) / 1000 * state.size * state.stretch
    except (TypeError, ValueError, KeyError, AttributeError):
        return None
    return total


def _string(state: TextState, text: bytes) -> float | None:
    font = state.font
    if not isinstance(font, Dictionary):
        return None
    if font.get("/Subtype") == Name.Type0:
        if font.get("/Encoding") != Name("/Identity-H"):
            return None
        codes = [int.from_bytes(text[at : at + 2], "big") for at in range(0, len(text) - 1, 2)]
        widths, spaces = _cid_widths(font.DescendantFonts[0]), 0
        units = sum(widths.get(code, widths[-1]) for code in codes) / 1000
    else:
        codes, spaces = list(text), text.count(b" ")
        found = _simple_widths(font)
        if found is None:
            return None
        scale = float(font.FontMatrix[0]) if font.get("/Subtype") == Name.Type3 else 0.001
        units = sum(found.get(code, found[-1]) for code in codes) * scale
    spaced = len(codes) * state.character_space + spaces * state.word_space
    return (units * state.size + spaced) * state.stretch


def _simple_widths(font: Any) -> dict[int, float] | None:
    """By code; -1 stands for all others."""
    widths = font.get("/Widths")
    if not isinstance(widths, Array):
        return _standard_widths(str(font.get("/BaseFont", "")).lstrip("/"))
    first, descriptor = int(font.get("/FirstChar", 0)), font.get("/FontDescriptor", Dictionary())
    known = {first + at: float(width) for at, width in enumerate(widths)}
    known[-1] = float(descriptor.get("/MissingWidth", 0)) if isinstance(descriptor, Dictionary) else 0.0
    return known


def _cid_widths(font: Any) -> dict[int, float]:
    known, items = {-1: float(font.get("/DW", 1000))}, list(font.get("/W", Array()))
    while len(items) >= 2:
        first = int(items.pop(0))
        second = items.pop(0)
        if isinstance(second, Array):
            known.update({first + at: float(width) for at, width in enumerate(second)})
        elif items:
            width = float(items.pop(0))
            known.update(dict.fromkeys(range(first, min(int(second), 0xFFFF) + 1), width))
    return known


@lru_cache(maxsize=16)
def _standard_widths(name: str) -> dict[int, float] | None:
    """Of one of the fonts that each viewer has, as PDFium knows them."""
    import pypdfium2
    from pypdfium2 import raw

    document = pypdfium2.PdfDocument.new()
    try:
        font = raw.FPDFText_LoadStandardFont(document.raw, name.encode("ascii", "replace"))
        if not font:
            return None
        widths, width = {-1: 0.0}, ctypes.c_float()
        for code in range(256):
            if raw.FPDFFont_GetGlyphWidth(font, code, 1000.0, width):
                widths[code] = width.value
        raw.FPDFFont_Close(font)
    finally:
        document.close()
    return widths
