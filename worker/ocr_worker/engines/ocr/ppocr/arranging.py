"""Put text that was found here and there into lines, and lines into reading order."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ocr_worker.engines.ocr.ppocr.recogniser import ReadWord
from ocr_worker.engines.ocr.ppocr.rectangles import Point, Rectangle
from ocr_worker.model.page import Box, Line, Word, around

SAME_ROW = 0.5
"""Of the lower of two: what lies beside another by so much of its height stands in the same row."""
COLUMN_ROWS = 5
"""A column has so many rows at least, and most of them are wide for their height: prices are none."""
COLUMN_WIDE = 8
LONG = 3
"""Width to height: a shorter piece does not tell how the page leans."""
GUTTER = 1.0
"""Of a row's height: as wide is what parts columns."""
APART = 1.2
"""Of a row's height: what is farther below begins a paragraph."""
_HANGING = frozenset("gjpqy,;()[]{}Q@/|$")
_BASELINE, _BASELINE_OF_CAPITALS = 0.8, 0.9
"""Of a rectangle's height from its top, by whether letters hang below it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What was read in a rectangle."""

    place: Rectangle
    words: tuple[ReadWord, ...]

    @property
    def box(self) -> Box:
        return _box(self._corners())

    def level_box(self, lean: float) -> Box:
        """On a page that is turned back by this angle."""
        cos, sin = math.cos(lean), math.sin(lean)
        return _box([(x * cos + y * sin, y * cos - x * sin) for x, y in self._corners()])

    def _corners(self) -> list[Point]:
        return [self.place.at(across, down) for across in (0, 1) for down in (0, 1)]

    @property
    def letters(self) -> int:
        return sum(len(word.text) for word in self.words)

    @property
    def weight(self) -> float:
        """Confidence times letters."""
        return sum(len(word.text) * word.confidence for word in self.words)

    def page_words(self) -> list[Word]:
        return [Word(word.text, self._box_of(word), word.confidence) for word in self.words]

    def _box_of(self, word: ReadWord) -> Box:
        return _box([self.place.at(across, down) for across in (word.left, word.right) for down in (0, 1)])

    def baseline(self) -> tuple[Point, Point]:
        hangs = any(letter in _HANGING for word in self.words for letter in word.text)
        down = _BASELINE if hangs else _BASELINE_OF_CAPITALS
        return self.place.at(0, down), self.place.at(1, down)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A piece, and its box on a level page."""

    piece: Piece
    box: Box


def arranged(pieces: Iterable[Piece]) -> tuple[Line, ...]:
    """In reading order: columns one after the other, rows downwards, pieces of a row from left to right."""
    all_ = list(pieces)
    lean = _lean(all_)
    lines: list[Line] = []
    paragraph = -1
    for block, column in enumerate(_columns([_Placed(piece, piece.level_box(lean)) for piece in all_])):
        above: Box | None = None
        for row in _rows(column):
            box = around(one.box for one in row)
            if above is None or box[1] - above[3] > APART * (box[3] - box[1]):
                paragraph += 1
            above = box
            lines.append(_line([one.piece for one in row], block, paragraph))
    return tuple(lines)


def _lean(pieces: Sequence[Piece]) -> float:
    """The angle of most lines, clockwise, in radians; that of longer ones is told better."""
    places = [piece.place for piece in pieces if piece.place.width >= LONG * piece.place.height]
    return statistics.median(place.lean for place in places) if places else 0.0


def _columns(pieces: list[_Placed]) -> list[list[_Placed]]:
    """Side by side where a gutter parts rows of running text from others."""
    ordered = sorted(pieces, key=lambda one: one.box[0])
    height = statistics.median(one.piece.place.height for one in pieces) if pieces else 0.0
    reach = 0.0
    for number, one in enumerate(ordered):
        if number and one.box[0] - reach >= GUTTER * height:
            left, right = ordered[:number], ordered[number:]
            if _is_column(left) and _is_column(right):
                return [*_columns(left), *_columns(right)]
        reach = max(reach, one.box[2])
    return [pieces] if pieces else []


def _is_column(pieces: Sequence[_Placed]) -> bool:
    places = [one.piece.place for one in pieces]
    wide = sum(place.width >= COLUMN_WIDE * place.height for place in places)
    return len(places) >= COLUMN_ROWS and 2 * wide > len(places)


def _rows(pieces: Iterable[_Placed]) -> list[list[_Placed]]:
    rows: list[list[_Placed]] = []
    for piece in sorted(pieces, key=lambda one: one.box[1] + one.box[3]):
        for row in rows[-3:]:
            if all(_is_beside(piece.box, other.box) for other in row):
                row.append(piece)
                break
        else:
            rows.append([piece])
    return [sorted(row, key=lambda one: one.box[0]) for row in rows]


def _is_beside(one: Box, other: Box) -> bool:
    shared = min(one[3], other[3]) - max(one[1], other[1])
    apart = max(one[0], other[0]) - min(one[2], other[2])
    lower = min(one[3] - one[1], other[3] - other[1])
    return shared >= SAME_ROW * lower and apart > -lower


def _line(row: Sequence[Piece], block: int, paragraph: int) -> Line:
    box = around(piece.box for piece in row)
    words = tuple(word for piece in row for word in piece.page_words())
    (start, _), (_, end) = row[0].baseline(), row[-1].baseline()
    return Line(words, box, (*start, *end), block, paragraph)


def _box(corners: Iterable[Point]) -> Box:
    xs, ys = zip(*corners, strict=True)
    return round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys))
