"""Read Tesseract's iterators: the rows of a layout, and the lines of words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import tesserocr
from tesserocr import RIL

from ocr_worker.engines.ocr.layout import LayoutRow
from ocr_worker.model.direction import is_left_to_right, is_right_to_left, with_marks_turned
from ocr_worker.model.page import Box, Line, Word


def layout_rows(found: Any) -> Iterator[LayoutRow]:
    """In reading order. None holds no rows."""
    row: LayoutRow | None = None
    words: list[list[Box]] = []
    for at in tesserocr.iterate_level(found, RIL.SYMBOL) if found else ():
        if at.IsAtBeginningOf(RIL.TEXTLINE):
            if row:
                yield replace(row, words=tuple(map(tuple, words)))
            row, words = _layout_row(at), []
        if at.IsAtBeginningOf(RIL.WORD) or not words:
            words.append([])
        if letter := at.BoundingBox(RIL.SYMBOL):
            words[-1].append(letter)
    if row:
        yield replace(row, words=tuple(map(tuple, words)))


def _layout_row(at: Any) -> LayoutRow | None:
    box = at.BoundingBox(RIL.TEXTLINE)
    if box is None:
        return None
    ends = at.Baseline(RIL.TEXTLINE)
    return LayoutRow(box, (*ends[0], *ends[1]) if ends else None, at.IsAtBeginningOf(RIL.PARA))


@dataclass(slots=True)
class _Row:
    """A line under construction, while the iterator walks its words."""

    box: tuple[int, int, int, int]
    baseline: tuple[float, float, float, float]
    block: int
    paragraph: int
    words: list[Word] = field(default_factory=list)

    def line(self) -> Line:
        words = self.words
        if any(is_right_to_left(word.text) for word in words):
            words = with_marks_turned(_spaced_as_read(words))
        return Line(tuple(words), self.box, self.baseline, self.block, self.paragraph)


def lines(iterator: Any) -> Iterator[Line]:
    """In reading order. None holds no lines."""
    if iterator is None:
        return
    block = paragraph = -1
    row: _Row | None = None
    for at in tesserocr.iterate_level(iterator, RIL.WORD):
        if at.IsAtBeginningOf(RIL.TEXTLINE):
            # Asked of every word these two would take as long as all else here.
            block += at.IsAtBeginningOf(RIL.BLOCK)
            paragraph += at.IsAtBeginningOf(RIL.PARA)
            if row and row.words:
                yield row.line()
            row = _row(at, block, paragraph)
        word = _word(at)
        if row and word:
            row.words.append(word)
    if row and row.words:
        yield row.line()


def _row(at: Any, block: int, paragraph: int) -> _Row | None:
    box = at.BoundingBox(RIL.TEXTLINE)
    if box is None:
        return None
    ends = at.Baseline(RIL.TEXTLINE) or ((box[0], box[3]), (box[2], box[3]))
    (x0, y0), (x1, y1) = ends
    return _Row(box, (float(x0), float(y0), float(x1), float(y1)), block, paragraph)


def _word(at: Any) -> Word | None:
    box = None if at.Empty(RIL.WORD) else at.BoundingBox(RIL.WORD)
    if box is None or not (text := at.GetUTF8Text(RIL.WORD).strip()):
        return None
    confidence, is_spaced = round(at.Confidence(RIL.WORD), 1), at.BlanksBeforeWord() > 0
    # Last: it moves the iterator within the word.
    return Word(
        _as_read(at) if is_right_to_left(text) or not is_left_to_right(text) else text,
        box,
        confidence,
        is_spaced,
    )


def _as_read(at: Any) -> str:
    """The word as it is written: as a whole Tesseract gives its letters from left to right, and the stop behind a number of a right-to-left line before it."""
    symbols = [at.GetUTF8Text(RIL.SYMBOL)]
    while not at.IsAtFinalElement(RIL.WORD, RIL.SYMBOL) and at.Next(RIL.SYMBOL):
        symbols.append(at.GetUTF8Text(RIL.SYMBOL))
    return "".join(symbols).strip()


def _spaced_as_read(words: Sequence[Word]) -> list[Word]:
    """Tesseract says of each word whether a space is at its left; of two, the right one knows of the space between."""
    spaced = [
        replace(word, space_before=max(before, word, key=lambda w: w.box[0]).space_before)
        for before, word in pairwise(words)
    ]
    return [replace(words[0], space_before=True), *spaced]
