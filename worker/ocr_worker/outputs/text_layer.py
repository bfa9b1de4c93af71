"""The invisible text of a page as PDF operators: level words on their line's baseline, stretched to their boxes, parted by real spaces.

Readers take text apart by its geometry, each by rules of its own; decision 0208 says which.
Coordinates are the page's pixels with y upwards; the caller's matrix carries them into user space.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from ocr_worker.model.direction import MARK, is_right_to_left
from ocr_worker.model.page import Page
from ocr_worker.outputs.layer_rows import Row, Span, rows_of

ADVANCE = 0.5
SPACE_ADVANCE = 0.25
_MARK_ADVANCE = 0.02
"""How wide a glyph of the font is, the space or a mark of format, and our own mark of direction, in font sizes."""
_NARROWEST = 0.01
_WIDE_GAP = 2.5
"""In characters of the word before: from here on a gap is a piece of its own."""

_LEAST_SPACE = 0.2
"""In font sizes: poppler sees none that is narrower than 0.15."""

_LINE_END = 0.1
"""In font sizes: the space after a line's last word. Without one, pypdf joins that word to the next line's first."""
_OVERLAP = 0.3
"""In pixels: pdf.js puts a space into any gap between words of different stretch, however narrow."""
_MOST_CODES = 0xFFFE
_REPLACEMENT = "\ufffd"


class GlyphCodes(dict[str, str]):
    """Hands out two-byte codes, in hex, to glyphs as they first occur in a document: any character can be one, or several together."""

    def __missing__(self, glyph: str) -> str:
        if len(self) >= _MOST_CODES and glyph != _REPLACEMENT:
            return self[_REPLACEMENT]
        self[glyph] = f"{len(self) + 1:04x}"
        return self[glyph]

    def encode(self, glyphs: Iterable[str]) -> str:
        return "".join(map(self.__getitem__, glyphs))

    def to_unicode(self) -> bytes:
        """The CMap that gives the characters back to whoever copies them."""
        pairs = [f"<{code}> <{glyph.encode('utf-16-be').hex()}>" for glyph, code in self.items()]
        blocks = [pairs[start : start + 100] for start in range(0, len(pairs), 100)]
        body = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
        return _CMAP.replace("BODY", body).encode("ascii")


_CMAP = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <ffff>
endcodespacerange
BODY
endcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


def layer_content(page: Page, codes: GlyphCodes) -> bytes:
    """Operators that show the page's words with the font /F, invisibly."""
    rows = rows_of(page)
    shown = [_row_content(row, after, codes) for row, after in zip_longest(rows, rows[1:])]
    return "\n".join(["BT", "3 Tr", *shown, "ET"]).encode("ascii")


def _row_content(row: Row, after: Row | None, codes: GlyphCodes) -> str:
    met = after if row.meets(after) else None
    # Behind the last row may come the page's own text, which pdf.js takes for the rest of it on a page upside down.
    # Of a row from right to left, pypdf would part the letter that ends in a space from its word.
    is_last = after is None and not is_right_to_left(row.spans[-1].text[-1])
    pen = _Pen(row, codes, met is not None or is_last)
    spans = _in_pairs(row.spans)
    for span, follower in zip_longest(spans, spans[1:]):
        pen.show_word(span, follower)
    if met:
        # PDFium sorts what is drawn at one height from left to right. A space elsewhere makes it begin anew.
        pen.move(row.spans[-1].right, min(row.spans[-1].base, met.spans[0].base) - row.size)
        pen.show(" ", pen.at + _LINE_END * row.size)
    return f"/F {_number(row.size)} Tf\n" + "\n".join(pen.operators)


def _in_pairs(spans: Sequence[Span]) -> list[Span]:
    """Lone letters that no space parts from their neighbours are drawn with them: on a turned page PDFium ends a line at each."""
    paired: list[Span] = []
    for span in spans:
        before = paired[-1] if paired else None
        is_lone = before is not None and not before.spaced and 1 in (len(before.text), len(span.text))
        if before is not None and is_lone and span.left - before.right < _WIDE_GAP * (span.right - span.left):
            text, base = before.text + span.text, (before.base + span.base) / 2
            paired[-1] = Span(before.left, span.right, base, text, span.spaced)
        else:
            paired.append(span)
    return paired


@dataclass(slots=True)
class _Pen:
    """Draws a row, and knows where the text cursor stands along it, with the rounding that the file itself has."""

    row: Row
    codes: GlyphCodes
    ends_in_space: bool
    """Whether the last glyph is letter and space in one: pdf.js drops lone spaces, and may see no line end."""

    at: float = 0.0
    stretch: float = 1.0
    operators: list[str] = field(default_factory=list)

    def show_word(self, span: Span, follower: Span | None) -> None:
        """Level rows in one go, else each word at its own height."""
        glyphs, end = self._piece(span, follower)
        if not (self.operators and self.row.is_level):
            stretch = 1.0
            if not (span.spaced or self.row.is_level):
                # The width goes into the matrix: pypdf leaves Tz out of its account, and would put a space here.
                end += _OVERLAP
                stretch = max(end - span.left, 1) / self._natural_width(glyphs)
            self.move(span.left, span.base, stretch)
        self.show(glyphs, end)
        if span.spaced and glyphs[-1] != " ":
            self.show(" ", follower.left if follower else end + _LINE_END * self.row.size)

    def _piece(self, span: Span, follower: Span | None) -> tuple[Sequence[str], float]:
        """Return the glyphs up to the next word, unless that is far, and where they end: readers take lone pieces for columns, and gaps for spaces."""
        if follower is None:
            joined = [*span.text[:-1], f"{span.text[-1]} "]
            return (joined if self.ends_in_space else span.text), span.right
        gap, character = follower.left - span.right, (span.right - span.left) / len(span.text)
        # The engine may put a narrow box around a broad letter.
        if gap > _WIDE_GAP * (character if span.spaced else max(character, ADVANCE * self.row.size)):
            return span.text, span.right
        if not span.spaced:
            return span.text, follower.left
        share = SPACE_ADVANCE / (len(span.text) * ADVANCE + SPACE_ADVANCE) * (follower.left - span.left)
        if share < _LEAST_SPACE * self.row.size:
            return span.text, follower.left - _LEAST_SPACE * self.row.size
        return f"{span.text} ", follower.left

    def move(self, along: float, up: float, stretch: float = 1.0) -> None:
        """Begin at a point, with glyphs so many times as wide."""
        slant = self.row.slant
        self.at, self.stretch = round(along, 1), stretch
        x, y = slant.point(self.at, up)
        matrix = stretch * slant.cos, stretch * slant.sin, -slant.sin, slant.cos
        values = [*(round(value, 5) for value in matrix), round(x, 1), round(y, 1)]
        self.operators.append(f"{' '.join(map(_number, values))} Tm")

    def show(self, glyphs: Sequence[str], end: float) -> None:
        natural = self._natural_width(glyphs) * self.stretch
        stretch = round(100 * max(end - self.at, _NARROWEST * natural) / natural, 1)
        self.operators.append(f"{_number(stretch)} Tz <{self.codes.encode(glyphs)}> Tj")
        self.at += natural * stretch / 100

    def _natural_width(self, glyphs: Sequence[str]) -> float:
        return sum(map(advance, glyphs)) * self.row.size


def advance(glyph: str) -> float:
    """How wide a glyph is, in font sizes. Marks of format, as in most Persian verbs, are narrow: pdf.js leaves them out, and takes what they fill for a gap."""
    if glyph == MARK:
        return _MARK_ADVANCE
    is_narrow = glyph == " " or unicodedata.category(glyph[0]) == "Cf"
    return SPACE_ADVANCE if is_narrow else ADVANCE


def _number(value: float) -> str:
    return f"{value:.5f}".rstrip("0").rstrip(".") or "0"
