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
TWICE = "Words of the page's hidden text layer lie on the same words: each is told once; `existing_text: redo` recognises the page anew"
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
FEW_GAPS, INKED_GAPS = 5, 0.5
"""Of a layer of few words, which is soon read."""
FEW_WORDS, FITTING = 6, 0.5
"""How the widths of words go with the numbers of their letters: of right layers 0.8 and more."""
TWICE_SHARE, FEWEST_TWICE = 0.25, 10
"""Of the words of two layers of one page, one is in both."""
MUCH_MORE = 1.5
_CELL = 128
LONG_WORD, FEWEST_WORDS, SAID = 5, 8, 0.3
SHORT_WORD, FEWEST_SHORT = 3, 1
"""Of a layer that has not so many long words."""
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
        astray = found.gaps >= FEW_GAPS and found.gap_ink >= INKED_GAPS
        return outside > MISSED or found.empty_share >= MOST_EMPTY or astray or _fit_badly(own)
    return (
        (found.unnamed >= FEWEST_PIECES and found.unnamed_share >= UNNAMED)
        or found.empty_share >= EMPTY
        or found.flat_share >= FLAT
        or (found.gaps >= FEWEST_GAPS and found.gap_ink >= FULL_GAPS)
    )


def _is_in(box: Box, pictures: list[Box]) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in pictures)


def _fit_badly(page: Page) -> bool:
    """Whether words were stretched to boxes that are not theirs."""
    words = [word for word in _words(page) if word.box[2] > word.box[0] and word.box[3] > word.box[1]]
    counts = [float(len(word.text)) for word in words]
    if len(words) < FEW_WORDS or len(set(counts)) < FEW_WORDS // 2:
        return False
    widths = [max(word.box[2] - word.box[0], word.box[3] - word.box[1]) for word in words]
    # Late, as most pages have no layer.
    import statistics

    return len(set(widths)) > 1 and statistics.correlation(counts, widths) < FITTING


def once(page: Page) -> tuple[Page, bool]:
    """The page with each of its words once, and whether it has two layers, one over the other."""
    kept, said = _Places(), 0
    words = _words(page)
    for word in words:
        said += kept.has(word.box, beside_text.unmarked(word.text))
        kept.add(word)
    if said < max(FEWEST_TWICE, TWICE_SHARE * len(words)):
        return page, False
    kept, lines = _Places(), []
    for line in page.lines:
        first = []
        for word in line.words:
            if not kept.has(word.box):
                kept.add(word)
                first.append(word)
        if first:
            lines.append(replace(line, words=tuple(first)))
    return replace(page, lines=tuple(lines)), True


class _Places:
    """Where words stand, by the rows of cells that they are in."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[tuple[Box, str]]] = {}

    def add(self, word: Word) -> None:
        for cell in _cells(word.box):
            self._cells.setdefault(cell, []).append((word.box, beside_text.unmarked(word.text)))

    def has(self, box: Box, letters: str | None = None) -> bool:
        """Whether a word stands there already, or this word does."""
        near = {one for cell in _cells(box) for one in self._cells.get(cell, ())}
        return any(
            (letters is None or other == letters) and geometry.lie_on_each_other(box, place)
            for place, other in near
        )


def _cells(box: Box) -> Iterator[tuple[int, int]]:
    left, top, right, bottom = (side // _CELL for side in box)
    yield from ((x, y) for x in range(left, right + 1) for y in range(top, bottom + 1))


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
    if _is_foreign(own, read, few_count=len(read.lines) == len(page.lines)):
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


def _is_foreign(own: Page, read: Page, *, few_count: bool) -> bool:
    """Whether hardly any of its words were read, by a reading that is sure. A few may tell it where the layer is all of them."""
    words = _words(read)
    counts = [(len(word.text), word.confidence or 0.0) for word in words]
    if sum(count * confidence for count, confidence in counts) < SURE * sum(count for count, _ in counts):
        return False
    seen = "".join(beside_text.unmarked(word.text) for word in words)
    said = {beside_text.unmarked(word.text) for word in _words(own)}
    long, fewest = {letters for letters in said if len(letters) >= LONG_WORD}, FEWEST_WORDS
    if few_count and len(long) < fewest:
        long, fewest = {letters for letters in said if len(letters) >= SHORT_WORD}, FEWEST_SHORT
    pieces = {
        letters[at : at + beside_text.PIECE]
        for letters in long
        for at in range(0, len(letters) - 2, beside_text.PIECE)
    }
    return len(long) >= fewest and sum(piece in seen for piece in pieces) < SAID * len(pieces)


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
