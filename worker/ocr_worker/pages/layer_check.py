"""Whether a page's hidden text layer is that of its scan: all of the print, in its places.

The ink tells of most that it is. Where it leaves doubts, the page is read, and what was read decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from ocr_worker.engines.pdf import geometry, pdfium
from ocr_worker.model.page import Box, Line, Page, Word, map_lines
from ocr_worker.pages import beside_text
from ocr_worker.pages.rendering import GLANCE_DPI, Sheet

PARTIAL = "The page's hidden text layer misses most of the print: the page was recognised anew"
FOREIGN = "The page's hidden text layer does not say what is seen: the page was recognised anew, and the layer replaced"
MISSES = (
    "The page's hidden text layer misses some of the print; `existing_text: redo` recognises the page anew"
)
ASTRAY = "The words of the page's hidden text layer do not stand where they are seen; `existing_text: redo` recognises the page anew"
UNSEEN = "The page's hidden text layer says words, and nothing is seen on the page: they are in no output but the PDF"
Verdict = Literal["right", "partial", "foreign", "misses", "astray", "unseen"]
STAYS: dict[Verdict, str | None] = {"right": None, "misses": MISSES, "astray": ASTRAY}
GIVES_WAY: dict[Verdict, str] = {"partial": PARTIAL, "foreign": FOREIGN, "unseen": UNSEEN}
"""What is said of the page."""
MISSED = 1 / 3
"""Of the ink outside of the words of a layer of few words."""
FEWEST_PIECES, UNNAMED = 8, 0.08
"""Pieces of lines, and their share of the print: of right layers one in eight misses as much."""
EMPTY, MOST_EMPTY, FEWEST_GAPS, FULL_GAPS, FLAT = 0.02, 0.5, 20, 0.9, 0.3
"""Of a right layer a hundredth of the words has no ink, and the gaps have up to 0.9 of it on skewed pages."""
MUCH_MORE = 1.5
LONG_WORD, FEWEST_WORDS, SAID = 5, 8, 0.3
"""Of the long words of another page's layer, pages of the same book have a sixth."""
SURE = 80.0
"""The confidence of a reading that is believed against a layer."""
LACKING, FEWEST_LETTERS = 0.04, 30
"""Of the letters that were read for sure: of right layers a hundredth, and ten of them."""
KNOWN, PLACED = 0.3, 0.3
"""Of those letters in long words that the layer has, and of these in their places."""


def is_doubtful(sheet: Sheet, own: Page) -> bool:
    """By where its words stand on the page's pictures."""
    if beside_text.share(sheet) < beside_text.LEAST_SHARE:
        return False
    # Late, as pages without a layer do without.
    from ocr_worker.engines.images.ink import Ink
    from ocr_worker.engines.images.print_places import places

    try:
        glance = pdfium.render(sheet.page, GLANCE_DPI)
    except pdfium.PdfiumError:
        return False
    pictures = [geometry.pixels(one.shown, sheet.page, glance.size) for one in beside_text.pictures(sheet)]
    ink, scale = Ink(glance), glance.width / own.width_px
    ink.keep_within(box for box in pictures if box[0] < box[2] and box[1] < box[3])
    scaled = map_lines(own.lines, (scale, 0, 0, scale, 0, 0))
    lines = [[word.box for word in line.words if _is_in(word.box, pictures)] for line in scaled]
    found = places(ink, lines)
    if _letters(own.lines) < beside_text.SCAN_CHARACTERS:
        outside = ink.share_outside(box for line in lines for box in line)
        return outside > MISSED or found.empty_share >= MOST_EMPTY
    return (
        (found.unnamed >= FEWEST_PIECES and found.unnamed_share >= UNNAMED)
        or found.empty_share >= EMPTY
        or found.flat_share >= FLAT
        or (found.gaps >= FEWEST_GAPS and found.gap_ink >= FULL_GAPS)
    )


def _is_in(box: Box, pictures: list[Box]) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in pictures)


def judge(own: Page, page: Page) -> Verdict:
    """A layer that left doubts, by the page as it was read."""
    # Text that the page shows itself has no confidence.
    read = replace(page, lines=tuple(line for line in page.lines if line.words[0].confidence is not None))
    if page.status == "blank":
        return "unseen"
    if page.status != "ok" or not beside_text.reads_like_print(read.lines):
        return "right"
    if _letters(page.lines) >= MUCH_MORE * _letters(own.lines):
        return "partial"
    if _is_foreign(own, read):
        return "foreign"
    return "right" if read.turned else _by_places(own, read)


def _by_places(own: Page, read: Page) -> Verdict:
    """Whether what was read where the layer has no word is lacking there, or stands elsewhere."""
    said = "".join(beside_text.unmarked(word.text) for word in _words(own))
    total = lacking = known = placed = 0
    layer = _Words(own, own.width_px / read.width_px)
    for word in _words(read):
        letters = beside_text.unmarked(word.text)
        if (word.confidence or 0.0) < beside_text.SURE_CONFIDENCE:
            continue
        total += len(letters)
        there = list(layer.at(word.box))
        if not there and len(letters) >= beside_text.LEAST_PIECE and letters not in said:
            lacking += len(letters)
        if len(letters) >= LONG_WORD and letters in said:
            known += len(letters)
            placed += len(letters) if any(letters in one or one in letters for one in there) else 0
    if lacking >= max(FEWEST_LETTERS, LACKING * total):
        return "misses"
    return "astray" if known >= max(FEWEST_LETTERS, KNOWN * total) and placed < PLACED * known else "right"


def _is_foreign(own: Page, read: Page) -> bool:
    """Whether hardly any of its words were read, by a reading that is sure."""
    words = _words(read)
    counts = [(len(word.text), word.confidence or 0.0) for word in words]
    if sum(count * confidence for count, confidence in counts) < SURE * sum(count for count, _ in counts):
        return False
    seen = "".join(beside_text.unmarked(word.text) for word in words)
    long = {letters for word in _words(own) if len(letters := beside_text.unmarked(word.text)) >= LONG_WORD}
    pieces = {
        letters[at : at + beside_text.PIECE]
        for letters in long
        for at in range(0, len(letters) - 2, beside_text.PIECE)
    }
    return len(long) >= FEWEST_WORDS and sum(piece in seen for piece in pieces) < SAID * len(pieces)


class _Words:
    """Those of a page by their places, in pixels of another drawing of it."""

    def __init__(self, page: Page, scale: float) -> None:
        from ocr_worker.engines.images.ink import widened

        self._scale = scale
        # A box without a width holds nothing.
        self._words = [
            (widened(word.box) if word.box[0] < word.box[2] else word.box, beside_text.unmarked(word.text))
            for word in _words(page)
        ]

    def at(self, box: Box) -> Iterator[str]:
        """What stands in the midst of this box."""
        x, y = ((one + other) / 2 * self._scale for one, other in (box[::2], box[1::2]))
        for (left, top, right, bottom), letters in self._words:
            if left <= x <= right and top <= y <= bottom:
                yield letters


def _words(page: Page) -> list[Word]:
    return [word for line in page.lines for word in line.words]


def _letters(lines: tuple[Line, ...]) -> int:
    return sum(len(word.text) for line in lines for word in line.words)
