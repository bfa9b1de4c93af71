"""Text that a PDF page already has: whether it is worth keeping, and its words with their places.

Text counts as real when something of it is visible, unless it is a stamp on a scan: fewer than 100 characters
on a page that one image covers to four fifths. A hidden layer of an earlier OCR counts too, if it has 20 characters
and they read like text.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

from ocr_worker.engines.pdf import pdfium
from ocr_worker.model.page import Affine, Box, Line, Word

FULL_PAGE_SHARE = 0.8
STAMP_CHARACTERS = 100
HIDDEN_CHARACTERS = 20
GARBAGE_SHARE = 0.3
_WORDS_AND_BREAKS = re.compile(r"[\r\n]|\S+")
_UNREADABLE = {"Cc", "Cn", "Co", "Cs"}
Kind = Literal["none", "visible", "hidden", "garbage"]


def classify(page: Any, content: pdfium.Content) -> Kind:
    """What the page's own text is good for."""
    scanned = any(pdfium.covered_share(image, page) >= FULL_PAGE_SHARE for image in content.images)
    visible = content.visible_characters >= (STAMP_CHARACTERS if scanned else 1)
    hidden = content.hidden_characters >= HIDDEN_CHARACTERS
    if not visible and not hidden:
        return "none"
    if is_garbage(content.text):
        return "garbage" if visible else "none"
    return "visible" if visible else "hidden"


def is_garbage(text: str) -> bool:
    """Whether so many characters are none at all that a broken character map is to blame."""
    counts = {c: count for c, count in Counter(text).items() if not c.isspace()}
    bad = sum(count for c, count in counts.items() if c == "\ufffd" or unicodedata.category(c) in _UNREADABLE)
    return bad > GARBAGE_SHARE * sum(counts.values())


def read_lines(content: pdfium.Content, to_pixels: Affine) -> tuple[Line, ...]:
    """The page's words as PDFium reads them, in pixels of the displayed frame."""
    text, rows = content.text, list(_rows(content.text))
    boxes = pdfium.boxes(content.texts, (span for row in rows for span in row))
    lines = []
    for row in rows:
        words = tuple(
            Word(_readable(text[start:end]), _to_pixels(next(boxes), to_pixels), None) for start, end in row
        )
        lefts, tops, rights, bottoms = zip(*(word.box for word in words), strict=True)
        box = min(lefts), min(tops), max(rights), max(bottoms)
        lines.append(Line(words, box, (box[0], box[3], box[2], box[3]), 0, 0))
    return tuple(lines)


def _rows(text: str) -> Iterator[list[tuple[int, int]]]:
    """Where words begin and end, line by line."""
    row: list[tuple[int, int]] = []
    for found in _WORDS_AND_BREAKS.finditer(text):
        if found.group().isspace():
            if row:
                yield row
            row = []
        else:
            row.append(found.span())
    if row:
        yield row


def _readable(text: str) -> str:
    # PDFium marks a hyphen at a line's end with U+0002; halves of a pair come one by one.
    text = text.replace("\x02", "-")
    return (
        text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    )


def _to_pixels(box: tuple[float, float, float, float], to_pixels: Affine) -> Box:
    left, bottom, right, top = box
    a, b, c, d, e, f = to_pixels
    # Both corners, written out: this runs for every word of a book.
    x0, y0 = a * left + c * bottom + e, b * left + d * bottom + f
    x1, y1 = a * right + c * top + e, b * right + d * top + f
    if x0 > x1:
        x0, x1 = x1, x0
    if y0 > y1:
        y0, y1 = y1, y0
    return round(x0), round(y0), round(x1), round(y1)
