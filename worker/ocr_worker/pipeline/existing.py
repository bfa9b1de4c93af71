"""Text that a PDF page already has: whether it is worth keeping, and its words with their places.

Text counts as real when something of it is visible, unless it is a stamp on a scan: fewer than 100 characters
on a page that one image covers to four fifths. A hidden layer of an earlier OCR counts too, if it has 20 characters
and they read like text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from ocr_worker.engines import pdfium
from ocr_worker.outputs.model import Affine, Line, Word, map_point

FULL_PAGE_SHARE = 0.8
STAMP_CHARACTERS = 100
HIDDEN_CHARACTERS = 20
GARBAGE_SHARE = 0.3
_UNREADABLE = {"Cc", "Cn", "Co", "Cs"}
Kind = Literal["none", "visible", "hidden", "garbage"]


def classify(page: Any, content: pdfium.Content) -> Kind:
    """What the page's own text is good for."""
    scanned = any(pdfium.covered_share(image, page) >= FULL_PAGE_SHARE for image in content.images)
    visible = content.visible_characters >= (STAMP_CHARACTERS if scanned else 1)
    hidden = content.hidden_characters >= HIDDEN_CHARACTERS
    if not visible and not hidden:
        return "none"
    if is_garbage("".join(character for character, _ in pdfium.characters(page))):
        return "garbage" if visible else "none"
    return "visible" if visible else "hidden"


def is_garbage(text: str) -> bool:
    """Whether so many characters are none at all that a broken character map is to blame."""
    solid = [c for c in text if not c.isspace()]
    bad = sum(c == "\ufffd" or unicodedata.category(c) in _UNREADABLE for c in solid)
    return bad > GARBAGE_SHARE * len(solid)


def read_lines(page: Any, to_pixels: Affine) -> tuple[Line, ...]:
    """The page's words as PDFium reads them, in pixels of the displayed frame."""
    lines = []
    for row in _rows(pdfium.characters(page)):
        words = tuple(_words(row, to_pixels))
        if words:
            boxes = [word.box for word in words]
            box = (
                min(b[0] for b in boxes),
                min(b[1] for b in boxes),
                max(b[2] for b in boxes),
                max(b[3] for b in boxes),
            )
            lines.append(Line(words, box, (box[0], box[3], box[2], box[3]), 0, 0))
    return tuple(lines)


_Placed = tuple[str, tuple[float, float, float, float]]


def _rows(characters: Iterable[_Placed]) -> Iterator[list[_Placed]]:
    row: list[_Placed] = []
    for character, box in characters:
        if character in "\r\n":
            if row:
                yield row
            row = []
        else:
            row.append((character, box))
    if row:
        yield row


def _words(row: list[_Placed], to_pixels: Affine) -> Iterator[Word]:
    word: list[_Placed] = []
    for character, box in [*row, (" ", (0.0, 0.0, 0.0, 0.0))]:
        if not character.isspace():
            word.append((character, box))
        elif word:
            yield _word(word, to_pixels)
            word = []


def _word(word: list[_Placed], to_pixels: Affine) -> Word:
    # PDFium marks a hyphen at a line's end with U+0002; halves of a pair come one by one.
    text = "".join("-" if character == "\x02" else character for character, _ in word)
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    left, bottom = min(b[0] for _, b in word), min(b[1] for _, b in word)
    right, top = max(b[2] for _, b in word), max(b[3] for _, b in word)
    (x0, y0), (x1, y1) = map_point(left, bottom, to_pixels), map_point(right, top, to_pixels)
    box = round(min(x0, x1)), round(min(y0, y1)), round(max(x0, x1)), round(max(y0, y1))
    return Word(text, box, None)
