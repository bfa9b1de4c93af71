"""What a Tesseract iterator tells: the rows of a layout, and the lines of words once they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import tesserocr
from tesserocr import RIL

from ocr_worker.engines.ocr.layout import LayoutRow
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
        return Line(tuple(self.words), self.box, self.baseline, self.block, self.paragraph)


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
    return Word(text, box, round(at.Confidence(RIL.WORD), 1), at.BlanksBeforeWord() > 0)
