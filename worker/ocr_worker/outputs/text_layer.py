"""The invisible text of a page as PDF operators: words on their line's baseline, stretched to their boxes, parted by real spaces.

Coordinates are the page's pixels with y upwards; the caller's matrix carries them into user space.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass, field

from ocr_worker.model.page import Line, Page, Word

ADVANCE = 0.5
"""How wide each glyph of the font is, in font sizes."""
_RTL = {"R", "AL"}
_DIGITS = {"EN", "AN"}
_NARROWEST = 0.01
_WIDE_GAP = 2.5
"""In characters of the word before: from here on a gap is a piece of its own."""

_LINE_END = 0.1
"""In font sizes: the space after a line's last word. Without one, pypdf joins that word to the next line's first."""
_MOST_CODES = 0xFFFE
_REPLACEMENT = 0xFFFD


class GlyphCodes(dict[int, str]):
    """Hands out two-byte codes, in hex, to characters as they first occur in a document, so that any character can have one."""

    def __missing__(self, character: int) -> str:
        if len(self) >= _MOST_CODES and character != _REPLACEMENT:
            return self[_REPLACEMENT]
        self[character] = f"{len(self) + 1:04x}"
        return self[character]

    def encode(self, text: str) -> str:
        return text.translate(self)

    def to_unicode(self) -> bytes:
        """The CMap that gives the characters back to whoever copies them."""
        pairs = [f"<{code}> <{chr(char).encode('utf-16-be').hex()}>" for char, code in self.items()]
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
    rows = [row for line in page.lines if (row := _line_content(line, page.height_px, codes))]
    return "\n".join(["BT", "3 Tr", *rows, "ET"]).encode("ascii")


def visual_text(word: Word) -> str:
    """The characters from left to right as they stand on paper: readers turn them back to logical order."""
    if any(unicodedata.bidirectional(c) in _RTL for c in word.text):
        return _reversed_runs(word.text)
    return word.text


def _reversed_runs(text: str) -> str:
    """Right-to-left text turned round, but for numbers within it. Marks go before their letters: readers swap them back."""
    runs: list[str] = []
    for character in text:
        if runs and _is_digit(character) and _is_digit(runs[-1][-1]):
            runs[-1] += character
        else:
            runs.append(character)
    return "".join(reversed(runs))


def _is_digit(character: str) -> bool:
    return unicodedata.bidirectional(character) in _DIGITS


@dataclass(slots=True)
class _Pen:
    """Where the text cursor stands along the baseline, with the rounding that the file itself has."""

    size: float
    at: float
    operators: list[str] = field(default_factory=list)

    def show(self, text: str, end: float, codes: GlyphCodes) -> None:
        natural = len(text) * ADVANCE * self.size
        stretch = round(100 * max(end - self.at, _NARROWEST * natural) / natural, 1)
        self.operators.append(f"{_number(stretch)} Tz <{codes.encode(text)}> Tj")
        self.at += natural * stretch / 100


def _line_content(line: Line, height: int, codes: GlyphCodes) -> str:
    x0, y0, x1, y1 = line.baseline
    angle = math.atan2(y0 - y1, x1 - x0) if (x0, y0) != (x1, y1) else 0.0
    cos, sin = math.cos(angle), math.sin(angle)
    size = _font_size(line, cos, sin)
    spans = [(*_extent(word, x0, y0, cos, sin), word) for word in line.words]
    # From left to right on paper, whatever the order of reading: gaps are then gaps.
    spans.sort(key=lambda span: span[0])
    pen = _Pen(size, round(spans[0][0], 1) if spans else 0.0)
    start = pen.at
    for number, (_, right, word) in enumerate(spans):
        after = spans[number + 1] if number + 1 < len(spans) else None
        text, next_left = visual_text(word), after[0] if after else right + _LINE_END * size
        spaced = after is None or word.space_before or after[2].space_before
        if after is None or next_left - right > _WIDE_GAP * (right - pen.at) / len(text):
            pen.show(text, right, codes)
            if spaced:
                pen.show(" ", next_left, codes)
        else:
            # One piece up to the next word: readers take lone pieces for columns, and gaps for spaces.
            pen.show(f"{text} " if spaced else text, next_left, codes)

    x, y = x0 + start * cos, height - y0 + start * sin
    matrix = " ".join(
        _number(value) for value in (round(cos, 5), round(sin, 5), round(-sin, 5), round(cos, 5))
    )
    return f"{matrix} {_number(round(x, 1))} {_number(round(y, 1))} Tm /F {_number(size)} Tf\n" + "\n".join(
        pen.operators
    )


def _extent(word: Word, x0: float, y0: float, cos: float, sin: float) -> tuple[float, float]:
    """Where the word begins and ends along the line's baseline."""
    left, top, right, bottom = word.box
    along = [(x - x0) * cos - (y - y0) * sin for x in (left, right) for y in (top, bottom)]
    if abs(sin) < 0.2 * abs(cos):
        # On a nearly level line the corners of the box would only add its height times the slope.
        middle = (top + bottom) / 2
        along = [(x - x0) * cos - (middle - y0) * sin for x in (left, right)]
    return min(along), max(along)


def _font_size(line: Line, cos: float, sin: float) -> float:
    """The line's height across its baseline."""
    left, top, right, bottom = line.box
    across = (right - left) if abs(sin) > abs(cos) else (bottom - top)
    length = abs((right - left) * cos) if abs(cos) > abs(sin) else 0
    return float(max(2, round(across - abs(sin) * length)))


def _number(value: float) -> str:
    return f"{value:.5f}".rstrip("0").rstrip(".") or "0"
