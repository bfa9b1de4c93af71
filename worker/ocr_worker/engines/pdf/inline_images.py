"""Pictures that lie in a content itself, between BI, ID and EI. Source: ISO 32000-1, 8.9.7."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pikepdf
from pikepdf import Dictionary, Name

from ocr_worker.engines.pdf.streams import due_bytes

_BLANK, _WORD = rb"[\0\t\n\f\r ]", rb"[^\0\t\n\f\r ()<>\[\]{}/%]"
_BEGIN = re.compile(
    rb"(?<!" + _WORD + rb")BI(?!" + _WORD + rb")(.{0,2000}?)(?<!" + _WORD + rb")ID" + _BLANK, re.DOTALL
)
_END = re.compile(rb"(?<=" + _BLANK + rb")EI(?!" + _WORD + rb")")
_DATA_END = re.compile(_BLANK + rb"*EI(?!" + _WORD + rb")")
_TEXT = frozenset((*b"\0\t\n\f\r", *range(32, 127)))
_LOOKED_AT_BYTES = 12
"""After EI: so many bytes of a picture are hardly ever all text."""
_FULL = {
    "/W": "/Width", "/H": "/Height", "/BPC": "/BitsPerComponent", "/CS": "/ColorSpace", "/F": "/Filter",
    "/DP": "/DecodeParms", "/IM": "/ImageMask", "/D": "/Decode", "/I": "/Interpolate",
}  # fmt: skip
_MOST = 1_000
_LEAST_PIXELS = 400
"""Smaller ones are glyphs and dashes."""


class InlineImage:
    """As much of a stream as is asked of a picture."""

    def __init__(self, packed: bytes, entries: dict[str, Any]) -> None:
        self._packed, self._entries = packed, entries

    def get(self, key: str, default: Any = None) -> Any:
        return self._entries.get(key, default)

    def read_raw_bytes(self) -> bytes:
        return self._packed

    def __getattr__(self, name: str) -> Any:
        try:
            return self._entries[f"/{name}"]
        except KeyError:
            raise AttributeError(name) from None


def inline_images(content: bytes, resources: Any) -> Iterator[InlineImage]:
    """Those of a content, as far as each goes; the smallest are left out."""
    at, left = content.find(b"BI"), _MOST
    while at >= 0 and left > 0:
        begin = _BEGIN.match(content, at)
        entries = _entries(begin[1], resources) if begin else None
        at += 2
        if begin and entries is not None:
            left -= 1
            at = _end(content, begin.end(), _plain_bytes(entries))
            if _pixels(entries) >= _LEAST_PIXELS:
                yield InlineImage(content[begin.end() : at], entries)
        at = content.find(b"BI", at)


def end_of_data(content: bytes, at: int, resources: Any) -> tuple[int | None, bool]:
    """Where the data of the picture end that begins here, and whether an EI follows; None where it is no picture."""
    begin = _BEGIN.match(content, at)
    entries = _entries(begin[1], resources) if begin else None
    if begin is None or entries is None:
        return None, False
    end = _end(content, begin.end(), _plain_bytes(entries))
    closing = _DATA_END.match(content, end)
    return (closing.end(), True) if closing else (end, False)


def _plain_bytes(entries: dict[str, Any]) -> int | None:
    """How long the data are to be; None where something packs them."""
    return None if "/Filter" in entries else due_bytes(InlineImage(b"", entries))


def _end(content: bytes, start: int, length: int | None) -> int:
    """Where the data end: where they are to, or at the first EI that text follows. The data may hold these letters too."""
    if length is not None and _DATA_END.match(content, start + length):
        return start + length
    for found in _END.finditer(content, start):
        if _TEXT.issuperset(content[found.end() : found.end() + _LOOKED_AT_BYTES]):
            return found.start() - 1
    return len(content)


def _entries(written: bytes, resources: Any) -> dict[str, Any] | None:
    """None for what is no picture: the letters may stand in a text."""
    try:
        parsed = pikepdf.Object.parse(b"<<" + written + b">>")
    except (pikepdf.PdfError, ValueError, RuntimeError):
        return None
    if not isinstance(parsed, Dictionary):
        return None
    entries = {_FULL.get(key, key): value for key, value in parsed.items()}
    if not {"/Width", "/Height"} <= entries.keys():
        return None
    space = entries.get("/ColorSpace")
    spaces = resources.get("/ColorSpace") if isinstance(resources, Dictionary) else None
    if isinstance(space, Name) and isinstance(spaces, Dictionary) and space in spaces:
        entries["/ColorSpace"] = spaces[space]
    return entries


def _pixels(entries: dict[str, Any]) -> int:
    try:
        return int(entries["/Width"]) * int(entries["/Height"])
    except (TypeError, ValueError, OverflowError):
        return 0
