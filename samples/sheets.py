"""What is printed where on a sheet: lines of text and rules, in points from the top left corner, in reading order."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

A4 = (595.0, 842.0)
CARD = (239.99, 151.19)
"""1000 x 630 pixels at 300 dpi."""


@dataclass(frozen=True, slots=True)
class Type:
    """A typeface of the 14 that every PDF reader has, its size and the distance of its lines, in points."""

    font: str
    size: float
    leading: float
    has_small_capitals: bool = False
    """Capitals after the first of each word are smaller."""


@dataclass(frozen=True, slots=True)
class Line:
    x: float
    y: float
    """Of the baseline, downwards."""
    text: str
    type: Type
    ink: int = 0
    """Grey level, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A filled rectangle from x, y to x, y, under the text."""

    box: tuple[float, float, float, float]
    grey: int


@dataclass(frozen=True, slots=True)
class Sheet:
    width: float
    height: float
    lines: tuple[Line, ...] = ()
    rules: tuple[tuple[float, float, float, float], ...] = ()
    """Thin black strokes from x, y to x, y."""
    panels: tuple[Panel, ...] = ()

    @property
    def truth(self) -> str:
        """The text as printed: cells of one row are parted by a space, rows by a line break."""
        parts: list[str] = []
        for before, line in zip((None, *self.lines), self.lines, strict=False):
            same_row = before is not None and before.y == line.y and before.x < line.x
            parts.append((" " if same_row else "\n") + line.text)
        return "".join(parts).strip() + "\n" if parts else ""


def block(paragraphs: Iterable[str], at: tuple[float, float], type_: Type, characters: int) -> list[Line]:
    """Set paragraphs as lines of at most so many characters, with half a line between paragraphs."""
    lines: list[Line] = []
    x, y = at
    for paragraph in paragraphs:
        for text in textwrap.wrap(paragraph, characters):
            lines.append(Line(x, y, text, type_))
            y += type_.leading
        y += type_.leading / 2
    return lines


def above(lines: Iterable[Line], bottom: float) -> list[Line]:
    """Only the lines that end above the bottom margin: a sheet is as full as it can be."""
    return [line for line in lines if line.y <= bottom]


def paragraphs_of(name: str) -> list[str]:
    """The paragraphs of a text in `texts/`."""
    text = (Path(__file__).parent / "texts" / f"{name}.txt").read_text(encoding="utf-8")
    return [paragraph.strip() for paragraph in text.split("\n\n")]
