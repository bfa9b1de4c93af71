"""The stretches of a page that Tesseract shows its network at a time: words of a line that stand close to each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import tesserocr
from tesserocr import RIL

from ocr_worker.engines.ocr.layout import LayoutRow
from ocr_worker.engines.ocr.skew import Baseline
from ocr_worker.model.page import Box, around

TEXT_BLOCKS = frozenset(range(1, 9))
"""Of Tesseract's kinds of blocks: from flowing text to captions; the others are pictures, rules and noise."""
TALLEST_WORD = 1.25
"""Of its line: a taller one is read alone."""
WIDEST_GAP = 2.0
"""Of the line's height: beyond it another run begins."""
PADDING_PX = 4
LONG, MOST_OF_GAP, ASKEW, LOW = 1.5, 0.6, 0.15, 0.3
"""What is told to be a picture and is so much longer than high, fills so much of a gap in a line, lies no further beside it and is no lower, is a word."""


@dataclass(frozen=True, slots=True)
class Run:
    """Words that are read at once."""

    box: Box
    """Of the words, with all dots and accents that may belong to them."""
    crop: Box
    """From the deepest descenders to the highest ascenders of the line, and a little around; it may end outside of the page."""
    letters: tuple[Box, ...]
    """What was found of them before reading, in no order."""
    other_crop: Box | None = None
    """What may be meant as well, as the baseline is told in whole pixels."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the layout, and its runs in reading order; none where it is no text."""

    layout: LayoutRow
    runs: tuple[Run, ...]
    block: int
    paragraph: int
    turns: int
    """Quarters clockwise by which its letters are turned."""

    @property
    def baseline(self) -> Baseline:
        left, _, right, bottom = self.layout.box
        return self.layout.baseline or (float(left), float(bottom), float(right), float(bottom))


@dataclass(slots=True)
class _Word:
    box: Box | None
    baseline: Baseline | None
    letters: list[Box] = field(default_factory=list)


@dataclass(slots=True)
class _Found:
    """A row as the iterator tells it."""

    box: Box | None
    baseline: Baseline | None
    begins_block: bool
    begins_paragraph: bool
    is_text: bool
    words: list[_Word] = field(default_factory=list)

    @property
    def turns(self) -> int:
        x0, y0, x1, y1 = self.baseline or (0, 0, 1, 0)
        if abs(y1 - y0) > abs(x1 - x0):
            return 3 if y1 < y0 else 1
        return 2 if x1 < x0 else 0

    def layout(self, box: Box) -> LayoutRow:
        words = tuple(tuple(word.letters) for word in self.words)
        return LayoutRow(box, self.baseline, self.begins_paragraph, words)


@dataclass(frozen=True, slots=True)
class _Frame:
    """How a line lies, and how far its letters reach from the baseline."""

    turns: int
    above: float
    below: float

    @property
    def height(self) -> float:
        return self.above + self.below

    def begin(self, box: Box) -> int:
        return (box[0], box[1], -box[2], -box[3])[self.turns]

    def end(self, box: Box) -> int:
        return (box[2], box[3], -box[0], -box[1])[self.turns]

    def across(self, box: Box) -> int:
        return box[2] - box[0] if self.turns % 2 else box[3] - box[1]

    def crop(self, box: Box, baseline: float) -> Box:
        """To where ascenders and descenders may be, and a little around."""
        return self._grown(box, round(baseline), (math.floor(self.above), math.ceil(self.below)))

    def other_crop(self, box: Box, baseline: float) -> Box:
        """The same if the baseline lies a little deeper than the whole pixel."""
        return self._grown(box, round(baseline), (math.ceil(self.above) - 1, math.floor(self.below) + 1))

    def _grown(self, box: Box, at: int, reach: tuple[int, int]) -> Box:
        left, top, right, bottom = box
        # What is above the letters lies up, right, down or left on the page.
        less, more = reach[::-1] if self.turns in {1, 2} else reach
        if self.turns % 2:
            left, right = min(left, at - less), max(right, at + more)
        else:
            top, bottom = min(top, at - less), max(bottom, at + more)
        return left - PADDING_PX, top - PADDING_PX, right + PADDING_PX, bottom + PADDING_PX


_Told = tuple[_Found, tuple[float, float]]
"""A row, and how far its letters reach above and below its baseline."""


def find_told(api: Any, top: int) -> list[_Told]:
    """What Tesseract tells of the rows of a page that it was shown from this pixel row on."""
    found = api.AnalyseLayout()
    return list(zip(_walk(found, top), _reaches(api.GetIterator()), strict=False)) if found else []


def made_rows(told: Sequence[_Told]) -> tuple[Row, ...]:
    """The rows of a page, in reading order."""
    rows = []
    block = paragraph = -1
    _give_back_words([row for row, _ in told])
    for row, (above, below) in told:
        block += row.begins_block
        paragraph += row.begins_paragraph
        if row.box:
            runs = tuple(_runs(row.words, _Frame(row.turns, above, below))) if row.is_text else ()
            rows.append(Row(row.layout(row.box), runs, block, paragraph, row.turns))
    return tuple(rows)


def _give_back_words(rows: Sequence[_Found]) -> None:
    """What was taken for a picture, and lies like a word between two words of a line, to that line."""
    taken = [row.box for row in rows if row.box and not row.is_text and _is_like_a_word(row.box)]
    for row in rows if taken else ():
        if row.box and row.is_text and row.turns == 0:
            for box in taken:
                _give_back(box, row)


def _is_like_a_word(box: Box) -> bool:
    return box[2] - box[0] >= LONG * (box[3] - box[1])


def _give_back(box: Box, row: _Found) -> None:
    assert row.box is not None
    height = row.box[3] - row.box[1]
    slack = ASKEW * height
    is_rule = box[3] - box[1] < LOW * height
    if is_rule or box[1] < row.box[1] - slack or box[3] > row.box[3] + slack:
        return
    for at, (one, other) in enumerate(pairwise(row.words), 1):
        gap = (other.box[0] - one.box[2]) if one.box and other.box else 0
        if one.box and other.box and one.box[2] <= box[0] and box[2] <= other.box[0]:
            if box[2] - box[0] >= MOST_OF_GAP * gap:
                row.words.insert(at, _Word(box, None, list(_slices(box))))
            return


def _slices(box: Box) -> Iterator[Box]:
    """In place of its letters, which nobody told: half as wide as high."""
    left, top, right, bottom = box
    count = max(1, round(2 * (right - left) / max(1, bottom - top)))
    ends = [left + (right - left) * number // count for number in range(count + 1)]
    return ((begin, top, end, bottom) for begin, end in pairwise(ends))


def _walk(found: Any, top: int) -> Iterator[_Found]:
    def down(box: Box | None) -> Box | None:
        return (box[0], box[1] + top, box[2], box[3] + top) if box and top else box

    row: _Found | None = None
    for at in tesserocr.iterate_level(found, RIL.SYMBOL):
        if row is None or at.IsAtBeginningOf(RIL.TEXTLINE):
            if row:
                yield row
            row = _found(at, top)
        if at.IsAtBeginningOf(RIL.WORD) or not row.words:
            row.words.append(_Word(down(at.BoundingBox(RIL.WORD)), _flat(at.Baseline(RIL.WORD), top)))
        if letter := down(at.BoundingBox(RIL.SYMBOL)):
            row.words[-1].letters.append(letter)
    if row:
        yield row


def _found(at: Any, top: int) -> _Found:
    # A line's box without the dots that may be another line's; a word's box, as Tesseract crops it, with them.
    at.SetBoundingBoxComponents(include_upper_dots=False, include_lower_dots=False)
    box = at.BoundingBox(RIL.TEXTLINE)
    at.SetBoundingBoxComponents(include_upper_dots=True, include_lower_dots=True)
    return _Found(
        (box[0], box[1] + top, box[2], box[3] + top) if box else None, _flat(at.Baseline(RIL.TEXTLINE), top), at.IsAtBeginningOf(RIL.BLOCK), at.IsAtBeginningOf(RIL.PARA),
        at.BlockType() in TEXT_BLOCKS,
    )  # fmt: skip


def _flat(ends: Any, top: int) -> Baseline | None:
    return (ends[0][0], ends[0][1] + top, ends[1][0], ends[1][1] + top) if ends else None


def _reaches(at: Any) -> Iterator[tuple[float, float]]:
    """How far the letters of each row reach above and below its baseline."""
    while True:
        told = at.RowAttributes()
        yield told["row_height"] + told["descenders"], -told["descenders"]
        if not at.Next(RIL.TEXTLINE):
            return


def _runs(words: Sequence[_Word], frame: _Frame) -> Iterator[Run]:
    """As Tesseract joins words (`ROW_RES`)."""
    tallest, widest = TALLEST_WORD * frame.height, WIDEST_GAP * frame.height
    run: list[_Word] = []
    whole: Box | None = None
    for word in words:
        if word.box is None:
            continue
        joined = around([whole, word.box]) if whole else word.box
        fits = whole is not None and (
            frame.across(whole) <= tallest
            and frame.across(word.box) <= tallest
            and frame.across(joined) <= tallest
            and frame.begin(word.box) <= frame.end(whole) + widest
        )
        if whole and not fits:
            yield _run(run, whole, frame)
        run, whole = ([*run, word], joined) if fits else ([word], word.box)
    if whole:
        yield _run(run, whole, frame)


def _run(words: Sequence[_Word], box: Box, frame: _Frame) -> Run:
    letters = tuple(letter for word in words for letter in word.letters)
    baseline = _baseline_at_middle(words, box, frame)
    crop, other = frame.crop(box, baseline), frame.other_crop(box, baseline)
    return Run(box, crop, letters, None if other == crop else other)


def _baseline_at_middle(words: Sequence[_Word], box: Box, frame: _Frame) -> float:
    """Across the line: y, or x where it runs up or down the page."""
    along, across = (1, 0) if frame.turns % 2 else (0, 1)
    middle = (box[along] + box[along + 2]) / 2
    ends = [word.baseline for word in words if word.baseline]
    nearest = min(ends, key=lambda line: abs((line[along] + line[along + 2]) / 2 - middle), default=None)
    if nearest is None:
        return box[(3, 0, 1, 2)[frame.turns]]
    length = nearest[along + 2] - nearest[along]
    climb = nearest[across + 2] - nearest[across]
    return nearest[across] + (climb * (middle - nearest[along]) / length if length else climb / 2)
