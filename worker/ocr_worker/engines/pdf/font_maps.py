"""What a page's fonts say that their codes stand for: nowhere, or one thing for viewers and another for who copies the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any

import pikepdf

from ocr_worker.engines.pdf.qpdf import inherited

_FONT_FILES = ("/FontFile", "/FontFile2", "/FontFile3")
_NAMED = {"/WinAnsiEncoding", "/MacRomanEncoding", "/StandardEncoding"}
"""In all of them letters have the codes of ASCII."""
_BLOCK = re.compile(rb"beginbf(char|range)(.*?)endbf", re.DOTALL)
_TOKEN = re.compile(rb"<([0-9A-Fa-f\s]*)>|([\[\]])")
_NUMBERED = re.compile(r"/(?!uni[0-9A-F]{4})(?!u[0-9A-F]{4,6}$)\D*\d+|/\.notdef")
"""Names of glyphs that say no letter."""
_DIGITS = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4",
    "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_MOST_RANGE = 256
_MOST_PACKED = 1 << 16
"""Bytes: the map of 256 codes takes a tenth of it."""


def has_unmapped_fonts_alone(pdf: pikepdf.Pdf, page: int) -> bool:
    """Whether each of the page's fonts is of its own making, and says nowhere what its codes stand for."""
    found = _fonts(pdf, page)
    return bool(found) and all(map(_is_unmapped, found))


def has_drawn_glyphs(pdf: pikepdf.Pdf, page: int) -> bool:
    """Whether some of the page's glyphs are drawings, or a scan's pictures, and none of these says what letter it is."""
    drawn = list(filter(_is_drawn, _fonts(pdf, page)))
    return bool(drawn) and all(map(_is_unmapped, drawn))


def has_fonts_of_drawings(page: Any) -> bool:
    """Of an object that is a page."""
    return any(map(_is_drawn, _fonts_of(page)))


def _is_drawn(font: Any) -> bool:
    return bool(font.get("/Subtype") == pikepdf.Name.Type3)


def _is_unmapped(font: Any) -> bool:
    if "/ToUnicode" in font:
        return False
    if _is_drawn(font):
        return _are_numbered(font.get("/Encoding"))
    if "/Encoding" in font:
        return False
    descriptor = font.get("/FontDescriptor")
    return isinstance(descriptor, pikepdf.Dictionary) and any(key in descriptor for key in _FONT_FILES)


def _are_numbered(encoding: Any) -> bool:
    """Whether glyphs are named by numbers, if at all."""
    if not isinstance(encoding, pikepdf.Dictionary):
        return encoding is None
    names = [str(one) for one in list(encoding.get("/Differences", ())) if isinstance(one, pikepdf.Name)]
    return "/BaseEncoding" not in encoding and all(map(_NUMBERED.fullmatch, names))


def contradicted_letters(pdf: pikepdf.Pdf, page: int) -> dict[int, str]:
    """Letters and digits by which the text of the page's fonts is copied, and other ones by which the same fonts are drawn: a table for `str.translate`."""
    found: dict[int, str] = {}
    for font in _fonts(pdf, page):
        # What is wrong with a font is no reason to refuse its page.
        with suppress(pikepdf.PdfError, ValueError, TypeError, AttributeError, RuntimeError):
            found |= _contradicted(font)
    return found


def _contradicted(font: pikepdf.Object) -> dict[int, str]:
    cmap = font.get("/ToUnicode")
    if not isinstance(cmap, pikepdf.Stream) or len(cmap.read_raw_bytes()) > _MOST_PACKED:
        return {}
    copied = _copied(cmap.read_bytes())
    letters = ((copied.get(code, ""), drawn) for code, drawn in _drawn(font.get("/Encoding")))
    return {
        ord(letter): drawn
        for letter, drawn in letters
        if len(letter) == 1
        and letter != drawn
        and (letter.isdigit() if drawn.isdigit() else letter.isalpha())
    }


def _fonts(pdf: pikepdf.Pdf, page: int) -> list[Any]:
    return _fonts_of(pdf.pages[page - 1].obj)


def _fonts_of(page: Any) -> list[Any]:
    resources: Any = inherited(page, "/Resources")
    fonts = resources.get("/Font") if isinstance(resources, pikepdf.Dictionary) else None
    found = fonts.values() if isinstance(fonts, pikepdf.Dictionary) else ()
    return [font for font in found if isinstance(font, pikepdf.Dictionary)]


def _drawn(encoding: Any) -> Iterator[tuple[int, str]]:
    """Codes of a simple font, and the letters that are drawn for them."""
    base, differences = encoding, []
    if isinstance(encoding, pikepdf.Dictionary):
        base, differences = encoding.get("/BaseEncoding"), list(encoding.get("/Differences", ()))
    letters: dict[int, str] = {}
    if isinstance(base, pikepdf.Name) and str(base) in _NAMED:
        letters = {code: chr(code) for code in range(128) if _letter(chr(code))}
    code = 0
    for one in differences:
        if isinstance(one, pikepdf.Name):
            letters[code] = _letter(str(one)[1:])
            code += 1
        else:
            code = int(one)
    return ((code, letter) for code, letter in letters.items() if letter)


def _letter(name: str) -> str:
    """What a glyph of this name shows; empty for what is neither a letter nor a digit."""
    shown = _DIGITS.get(name, name)
    return shown if len(shown) == 1 and shown.isascii() and shown.isalnum() else ""


@lru_cache(maxsize=32)
def _copied(cmap: bytes) -> dict[int, str]:
    """The characters of codes of one byte."""
    found: dict[int, str] = {}
    for kind, body in _BLOCK.findall(cmap):
        tokens = [
            bracket or bytes.fromhex(digits.decode("ascii")) for digits, bracket in _TOKEN.findall(body)
        ]
        if kind == b"char":
            found |= {_code(code): _text(text) for code, text in zip(tokens[::2], tokens[1::2], strict=False)}
        else:
            found |= dict(_ranges(iter(tokens)))
    return found


def _ranges(tokens: Iterator[bytes]) -> Iterator[tuple[int, str]]:
    for first, last, start in zip(tokens, tokens, tokens, strict=False):
        codes = range(_code(first), min(_code(last), _code(first) + _MOST_RANGE) + 1)
        if start == b"[":
            yield from zip(codes, map(_text, iter(lambda: next(tokens, b"]"), b"]")), strict=False)
        elif len(start) == 2:
            at = int.from_bytes(start, "big")
            yield from ((code, chr(at + step)) for step, code in enumerate(codes))


def _code(token: bytes) -> int:
    return int.from_bytes(token, "big")


def _text(token: bytes) -> str:
    return token.decode("utf-16-be", "replace")
