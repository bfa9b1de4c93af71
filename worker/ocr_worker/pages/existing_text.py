"""Text that a PDF page already has: whether it is worth keeping, and its words with their places.

Text counts as real when something of it is displayed. A hidden layer of an earlier OCR counts too, if it has 20
characters and they read like text.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import repeat
from typing import Any, Literal

from ocr_worker.engines.pdf import font_maps, page_content, pdfium
from ocr_worker.engines.pdf.geometry import Box, lie_on_each_other
from ocr_worker.engines.pdf.page_content import Content
from ocr_worker.engines.pdf.pdf_file import PdfFile
from ocr_worker.model.page import Affine, Line, Word, map_point
from ocr_worker.pages.wording import is_strange, judge, reads_better

HIDDEN_CHARACTERS = 20
GARBAGE_SHARE = 0.3
SYMBOL_SHARE = 0.45
"""Of a hidden layer's characters: columns of figures have less, noise that was read as text has more."""
FEW_CHARACTERS, FEW_SHARE = 20, 0.05
"""Of a page's text: marks and bullets take as much."""
FEWEST_ODD_WORDS = 5
_SAMPLE_CHARACTERS = 2_000
_LINE_END_HYPHEN = "\x02"
"""How PDFium marks one."""
_WORDS_AND_BREAKS = re.compile(
    rf"(?P<end>[\r\n])|(?P<half>[^\s{_LINE_END_HYPHEN}]*{_LINE_END_HYPHEN}(?=\S))|\S+"
)
"""PDFium joins the halves of a word that is hyphenated over two lines."""
_RULE = r"[-._=*~+|/\\\u00b7\u2022\u2026\u2013\u2014]"
_ODD_WORD = re.compile(rf"(?<!\S)(?!{_RULE}+(?!\S))[^\w\s]{{2,}}(?!\S)")
"""Without a letter or a digit, and no row of dots or lines."""
_CONTROL = re.compile(r"[\x00\x01\x03-\x08\x0b\x0e-\x1f\x7f-\x9f]")
"""What PDFium gives for a glyph whose character nobody tells, as that of a space often is."""
_REPEATED = re.compile(r"(.)\1+", re.DOTALL)
_UNREADABLE = {"Cc", "Cn", "Co", "Cs"}
Kind = Literal["none", "visible", "partly", "hidden", "garbage", "doubtful", "strange", "drawn", "marks"]


def classify(pdf: PdfFile, number: int, content: Content) -> Kind:
    """What the page's own text is good for. Where it makes no words, a look has to tell whether it is what is seen."""
    if not content.visible_characters:
        return "hidden" if has_good_layer(content) else "none"
    nonsense = _drawn_nonsense(pdf, number, content)
    if nonsense > GARBAGE_SHARE * content.visible_characters:
        return "drawn"
    if is_garbage(content.text):
        return "garbage"
    if doubted(pdf, number, content.text):
        return "doubtful"
    odd: Kind = "strange" if is_strange(content.text) else "marks"
    if odd == "strange" or is_hardly_letters(content.text):
        return odd
    return "partly" if nonsense >= max(FEW_CHARACTERS, FEW_SHARE * content.visible_characters) else "visible"


def has_layer(content: Content) -> bool:
    return content.hidden_characters >= HIDDEN_CHARACTERS


def has_good_layer(content: Content) -> bool:
    return has_layer(content) and not has_garbage_layer(content)


def has_garbage_layer(content: Content) -> bool:
    """Whether a hidden layer is there, long enough to be one, that doesn't read like text."""
    return has_layer(content) and (is_garbage(content.layer) or has_doubtful_layer(content))


def has_doubtful_layer(content: Content) -> bool:
    """Whether a look has to tell if it is what is seen: part numbers and formulas don't read like text either."""
    if not has_layer(content) or content.has_true_layer or is_garbage(content.layer):
        return False
    return _is_noise(content.layer) or judge(content.layer) == "letters"


def doubted(pdf: PdfFile, number: int, text: str) -> str:
    """What of a page's text may not be what is seen: all, as of part numbers, which make no words; or words with digits."""
    verdict = judge(text)
    # Where the text itself tells nothing, its fonts may: OCRmyPDF's rule.
    if verdict == "letters" or (
        verdict == "unknown" and font_maps.has_unmapped_fonts_alone(pdf.structure, number)
    ):
        return text
    drawn = font_maps.contradicted_letters(pdf.structure, number)
    seen = text.translate(drawn)
    # In a script that is not judged all may be false: what is seen then reads like words.
    if drawn and (reads_better(seen, text) or (verdict == "unknown" and judge(seen) == "words")):
        return text
    digits = {code for code, letter in drawn.items() if letter.isdigit()}
    if not digits:
        return ""
    return " ".join(word for word in text.split() if not digits.isdisjoint(map(ord, word)))


def _drawn_nonsense(pdf: PdfFile, number: int, content: Content) -> int:
    """So many of the characters that are drawn glyph by glyph, if their codes make no words."""
    if not font_maps.has_drawn_glyphs(pdf.structure, number):
        return 0
    text = page_content.drawn_text(content)
    makes_words = judge(text) == "words" and not is_garbage(text)
    return 0 if makes_words else len("".join(text.split()))


def is_hardly_letters(text: str) -> bool:
    """Whether words of marks, or of characters that show nothing, take the place of words; rows of dots and lines are none."""
    sample = text[:_SAMPLE_CHARACTERS]
    odd = len(_ODD_WORD.findall(sample))
    return odd >= FEWEST_ODD_WORDS and odd > SYMBOL_SHARE * len(sample.split())


def letters_in(text: str) -> int:
    return sum(map(str.isalnum, text))


def _is_noise(text: str) -> bool:
    once = _REPEATED.sub(r"\1", "".join(text.split()))
    return sum(not character.isalnum() for character in once) > SYMBOL_SHARE * len(once)


def is_garbage(text: str) -> bool:
    """Whether so many characters are none at all that a broken character map is to blame."""
    if "".join(text.split()).isprintable() and "\ufffd" not in text:
        return False
    counts = {c: count for c, count in Counter(text).items() if not c.isspace()}
    bad = sum(count for c, count in counts.items() if c == "\ufffd" or unicodedata.category(c) in _UNREADABLE)
    return bad > GARBAGE_SHARE * sum(counts.values())


def without_blots(lines: tuple[Line, ...], blots: tuple[Box, ...], to_pixels: Affine) -> tuple[Line, ...]:
    """Without what lies under plain shapes, in user units."""
    boxes = []
    for left, bottom, right, top in blots:
        (x0, y0), (x1, y1) = map_point(left, bottom, to_pixels), map_point(right, top, to_pixels)
        boxes.append((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
    kept = []
    for line in lines:
        words = tuple(word for word in line.words if not any(_holds_middle(box, word.box) for box in boxes))
        if words:
            kept.append(line if len(words) == len(line.words) else replace(line, words=words))
    return tuple(kept)


def without_repeats(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Each line once, though it is drawn on itself again, as for bold letters or a shadow."""
    places: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        same = places.setdefault(tuple([word.text for word in line.words]), [])
        if not any(lie_on_each_other(line.box, other.box) for other in same):
            same.append(line)
    kept = [line for same in places.values() for line in same]
    if len(kept) == len(lines):
        return lines
    known = set(map(id, kept))
    return tuple(line for line in lines if id(line) in known)


def _holds_middle(box: tuple[float, float, float, float], other: tuple[int, int, int, int]) -> bool:
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def read_lines(text: str, texts: Any, to_pixels: Affine) -> tuple[Line, ...]:
    """The page's words as PDFium reads them, in pixels of the displayed frame."""
    lines = []
    text = _CONTROL.sub(" ", text)
    shown = text.replace(_LINE_END_HYPHEN, "-")
    readable = str if shown.isascii() else _readable
    # A row at a time and not word by word: a book has hundreds of thousands.
    for row in _rows(text):
        said = [readable(shown[start:end]) for start, end in row]
        lefts, tops, rights, bottoms = _in_pixels(pdfium.sides(texts, row), to_pixels)
        words = tuple(map(Word, said, zip(lefts, tops, rights, bottoms, strict=True), repeat(None)))
        box = min(lefts), min(tops), max(rights), max(bottoms)
        lines.append(Line(words, box, (box[0], box[3], box[2], box[3]), 0, 0))
    return tuple(lines)


def _rows(text: str) -> Iterator[list[tuple[int, int]]]:
    """Where words begin and end, line by line."""
    row: list[tuple[int, int]] = []
    for found in _WORDS_AND_BREAKS.finditer(text):
        if found.lastgroup != "end":
            row.append(found.span())
        if found.lastgroup and row:
            yield row
            row = []
    if row:
        yield row


def _readable(text: str) -> str:
    # Halves of a pair come one by one.
    return (
        text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    )


def _in_pixels(sides: pdfium.Sides, to_pixels: Affine) -> tuple[list[int], list[int], list[int], list[int]]:
    """Left, top, right, bottom."""
    lefts, bottoms, rights, tops = sides
    a, b, c, d, e, f = to_pixels
    if b or c:
        xs = [(a * x + c * y + e, a * z + c * w + e) for x, y, z, w in zip(*sides, strict=True)]
        ys = [(b * x + d * y + f, b * z + d * w + f) for x, y, z, w in zip(*sides, strict=True)]
        return (
            [round(min(two)) for two in xs], [round(min(two)) for two in ys],
            [round(max(two)) for two in xs], [round(max(two)) for two in ys],
        )  # fmt: skip
    if a < 0:
        lefts, rights = rights, lefts
    if d < 0:
        bottoms, tops = tops, bottoms
    return (
        [round(a * x + e) for x in lefts], [round(d * y + f) for y in bottoms],
        [round(a * x + e) for x in rights], [round(d * y + f) for y in tops],
    )  # fmt: skip
