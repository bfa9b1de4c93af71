"""The result of recognition: a page, its lines, their words. Every output is made from it.

Boxes are (left, top, right, bottom) in pixels of the displayed, upright page, origin top left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

PageStatus = Literal["ok", "blank", "unread", "has_text", "timeout", "failed", "crashed"]
Box = tuple[int, int, int, int]
Affine = tuple[float, float, float, float, float, float]
"""x' = a x + c y + e and y' = b x + d y + f, in PDF's order (a, b, c, d, e, f)."""


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word and its box."""

    text: str
    """In logical order, whatever the direction of writing."""
    box: Box
    confidence: float | None
    """0 to 100; None for text that the file already had."""
    space_before: bool = True
    reader: str = ""
    """Who read it, where that was not the page's engine."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of words, in reading order."""

    words: tuple[Word, ...]
    box: Box
    baseline: tuple[float, float, float, float]
    """From (x, y) to (x, y), along the glyphs' own left-to-right direction."""
    block: int
    paragraph: int
    """Both count through the page, from 0."""

    @property
    def text(self) -> str:
        """The words with spaces between them."""
        return "".join((" " if n and w.space_before else "") + w.text for n, w in enumerate(self.words))


@dataclass(frozen=True, slots=True)
class Page:
    """What was read on one page, or the error that it ended with."""

    number: int
    status: PageStatus
    width_px: int = 0
    height_px: int = 0
    dpi: float = 0
    dpi_estimated: bool = False
    width_points: float = 0
    height_points: float = 0
    turned: int = 0
    """Degrees clockwise by which the page had to be turned to stand upright."""
    lines: tuple[Line, ...] = ()
    engine: str = ""
    engine_version: str = ""
    seconds: float = 0
    warnings: tuple[str, ...] = ()
    hidden_text: bool = False
    """Whether an older invisible layer has to give way to this page's."""
    repainted: bool = False
    """Whether the page's content has to give way to its picture, which is stored beside the result."""
    error_code: str = ""
    error: str = ""

    @property
    def dpi_down(self) -> float:
        """Down the page, where pixels may not be square."""
        return self.height_px * 72 / self.height_points if self.height_points else self.dpi

    @property
    def words(self) -> list[Word]:
        """All words of the page, in reading order."""
        return [word for line in self.lines for word in line.words]

    @property
    def confidence(self) -> float | None:
        """Mean confidence of the words, 0 to 100, weighted by characters; None without words."""
        return mean_confidence(self.words)

    @property
    def text(self) -> str:
        """The lines, one each; an empty line parts paragraphs."""
        parts: list[str] = []
        for before, line in zip((None, *self.lines), self.lines, strict=False):
            if before and (before.block, before.paragraph) != (line.block, line.paragraph):
                parts.append("\n")
            parts.append(line.text + "\n")
        return "".join(parts)


def mean_confidence(words: Iterable[Word]) -> float | None:
    """The mean of the words' confidence, weighted by their characters."""
    known = [(len(w.text), w.confidence) for w in words if w.confidence is not None]
    weight = sum(length for length, _ in known)
    return round(sum(length * value for length, value in known) / weight, 2) if weight else None


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box that holds all of these, of which there is one at least."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def map_lines(lines: Iterable[Line], affine: Affine) -> tuple[Line, ...]:
    """Carry lines over into another frame; a turned box becomes the upright box around it."""
    return tuple(
        replace(
            line,
            words=tuple(_map_word(word, affine) for word in line.words),
            box=_map_box(line.box, affine),
            baseline=(*map_point(*line.baseline[:2], affine), *map_point(*line.baseline[2:], affine)),
        )
        for line in lines
    )


def map_point(x: float, y: float, affine: Affine) -> tuple[float, float]:
    a, b, c, d, e, f = affine
    return a * x + c * y + e, b * x + d * y + f


def _map_word(word: Word, affine: Affine) -> Word:
    # Not `replace`: a page has hundreds.
    box = _map_box(word.box, affine)
    return Word(word.text, box, word.confidence, word.space_before, word.reader)


def _map_box(box: Box, affine: Affine) -> Box:
    a, b, c, d, e, f = affine
    if b == c == 0 and a > 0 and d > 0:
        left, top, right, bottom = box
        return round(a * left + e), round(d * top + f), round(a * right + e), round(d * bottom + f)
    corners = [map_point(x, y, affine) for x in (box[0], box[2]) for y in (box[1], box[3])]
    xs, ys = zip(*corners, strict=True)
    return round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys))
