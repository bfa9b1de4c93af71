"""The lines of a page as the text layer draws them: words from left to right on paper, each at its height, in the nearest quarter turn.

Coordinates are the page's pixels with y upwards.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest
from statistics import median

from ocr_worker.model.direction import marked, visual_texts
from ocr_worker.model.page import Line, Page, Word

_SHIFTS = (0.15, 0.75), (0.3, 1.75)
"""In font sizes, and in points: so far a word may stand above or below its print to make its row level; and to keep
a row that ends higher than it begins one line to poppler, which takes pieces of it from the highest to the lowest."""

_ROW_CLIMB = 0.49
"""In font sizes: poppler takes words for one line that stand no more above or below its first."""

_LEAST, _MOST = 0.75, 1.2
"""So much lower or higher are lines of one print that lack descenders, or have brackets."""
_NEAR = 0.94
"""Sizes that differ less are one, when the most common is sought."""

_BLOCK_PITCH, _FAR = 1.38, 2.0
"""In font sizes: poppler takes rows for one block up to 1.5; rows that stand further apart are left as they are."""

_DPI = 300
"""Of a page that does not say."""

_STEEPEST = math.tan(math.radians(20))
"""Beyond this slope a level word would leave its print: it is drawn aslant, though some readers then cut it into letters."""

_SAME_ROW = 0.6
"""In font sizes: readers take the end of a line and the start of the next for one row when they are no further apart."""


@dataclass(frozen=True, slots=True)
class Slant:
    """The direction in which letters are drawn, and how the baseline climbs beside it."""

    cos: float
    sin: float
    slope: float

    def along(self, x: float, y: float) -> float:
        return x * self.cos + y * self.sin

    def up(self, x: float, y: float) -> float:
        return y * self.cos - x * self.sin

    def point(self, along: float, up: float) -> tuple[float, float]:
        return along * self.cos - up * self.sin, along * self.sin + up * self.cos


@dataclass(frozen=True, slots=True)
class Span:
    """A word along its row: where it begins and ends, and how high the baseline is at its middle."""

    left: float
    right: float
    base: float
    text: str
    """From left to right, as it stands on paper."""

    spaced: bool
    """Whether a space parts it from the next to its right."""


@dataclass(frozen=True, slots=True)
class Row:
    slant: Slant
    size: float
    """Of the font: the height of the line across its baseline."""

    spans: tuple[Span, ...]

    @property
    def is_level(self) -> bool:
        return self.spans[0].base == self.spans[-1].base

    def meets(self, after: Row | None) -> bool:
        """Whether a reader may take the next row, which begins further left, for the rest of this one."""
        if after is None or (after.slant.cos, after.slant.sin) != (self.slant.cos, self.slant.sin):
            return False
        end, start = self.spans[-1], after.spans[0]
        return start.left < end.right and abs(start.base - end.base) < _SAME_ROW * max(self.size, after.size)


def rows_of(page: Page) -> list[Row]:
    """Lay out the lines of a page."""
    return _spread(_alike([_row_of(line, page) for line in page.lines if line.words]))


def _alike(rows: list[Row]) -> list[Row]:
    """Give rows of about one height one size of font, as poppler takes others for other blocks, and mixes their columns."""
    sizes = Counter(row.size for row in rows)
    common: dict[float, float] = {}
    while left := {size: count for size, count in sizes.items() if size not in common}:
        most = max(
            left, key=lambda size: (sum(left[s] for s in left if _NEAR * s <= size <= s / _NEAR), size)
        )
        common |= {size: most for size in left if _LEAST * most <= size <= _MOST * most}
    return [replace(row, size=common[row.size]) for row in rows]


def _spread(rows: list[Row]) -> list[Row]:
    """Give rows that stand a little too far apart for one block, to poppler, a font so large that they do not."""
    sizes = {}
    for size in {row.size for row in rows}:
        pitches = [
            pitch
            for row, after in pairwise(rows)
            if row.size == after.size == size
            and 0 < (pitch := row.spans[0].base - after.spans[0].base) < _FAR * size
        ]
        pitch = median(pitches) if pitches else 0.0
        sizes[size] = float(round(pitch / _BLOCK_PITCH)) if pitch > _BLOCK_PITCH * size else size
    return [replace(row, size=sizes[row.size]) for row in rows]


def _row_of(line: Line, page: Page) -> Row:
    height = page.height_px
    x0, y0, x1, y1 = line.baseline
    slant, size = _slant(x1 - x0, y0 - y1), _font_size(line)
    start, base = slant.along(x0, height - y0), slant.up(x0, height - y0)
    extents = [_extent(word, height, slant) for word in line.words]
    order = sorted(range(len(extents)), key=lambda number: extents[number])
    middles = [sum(extents[number]) / 2 for number in order]
    centre = (middles[0] + middles[-1]) / 2
    climb = (middles[-1] - middles[0]) * slant.slope
    point, is_mirrored = (page.dpi or _DPI) / 72, order[0] > order[-1]
    shifts = _SHIFTS if climb and (climb > 0) != is_mirrored else _SHIFTS[:1]
    slope = slant.slope * _kept(abs(climb), size, [min(size * part, point * most) for part, most in shifts])
    texts = visual_texts(line.words)
    left, spans = "", []
    for middle, number, follower in zip_longest(middles, order, order[1:]):
        # A space belongs to the word that is read after it.
        spaced = follower is None or line.words[max(number, follower)].space_before
        at = base + (centre - start) * slant.slope + (middle - centre) * slope
        text = marked(texts[number], left) if is_mirrored else texts[number]
        spans.append(Span(*extents[number], at, text, spaced))
        left = texts[number]
    return Row(slant, size, tuple(spans))


def _kept(climb: float, size: float, shifts: list[float]) -> float:
    """How much of a row's climb stays: nothing where a little shift makes it level, less where that makes it one line to poppler."""
    if climb <= 2 * shifts[0]:
        return 0.0
    kept = min(climb, _ROW_CLIMB * size)
    return kept / climb if climb - kept <= 2 * shifts[-1] else 1.0


def _slant(across: float, up: float) -> Slant:
    if not (across or up):
        return Slant(1, 0, 0)
    angle = math.atan2(up, across)
    turns = round(angle / (math.pi / 2))
    slope = math.tan(angle - turns * math.pi / 2)
    if abs(slope) > _STEEPEST:
        return Slant(math.cos(angle), math.sin(angle), 0)
    return Slant((1, 0, -1, 0)[turns % 4], (0, 1, 0, -1)[turns % 4], slope)


def _extent(word: Word, height: int, slant: Slant) -> tuple[float, float]:
    left, top, right, bottom = word.box
    along = [slant.along(x, height - y) for x in (left, right) for y in (top, bottom)]
    return min(along), max(along)


def _font_size(line: Line) -> float:
    """The line's height across its baseline: its box without what the slope adds."""
    left, top, right, bottom = line.box
    x0, y0, x1, y1 = line.baseline
    width, height = right - left, bottom - top
    across, climb = abs(x1 - x0), abs(y1 - y0)
    if climb > across:
        width, height, across, climb = height, width, climb, across
    slope = climb / across if across else 0.0
    # The box is around a rectangle of width w and height h: w cos + h sin wide, w sin + h cos high.
    cos, sin = math.cos(math.atan(slope)), math.sin(math.atan(slope))
    own = (
        (height * cos - width * sin) / (cos**2 - sin**2) if slope <= _STEEPEST else height - cos * sin * width
    )
    return float(max(2, round(own)))
