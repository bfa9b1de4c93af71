"""Rectangles around text: tilted as it is, each piece for itself, in reading order."""

from __future__ import annotations

import math

import pytest

pytest.importorskip(
    "onnxruntime", reason="needs onnxruntime, of the extra `second-reader`", exc_type=ImportError
)

import numpy as np
from PIL import Image, ImageDraw

from ocr_worker.engines.ocr.ppocr.arranging import Piece, arranged
from ocr_worker.engines.ocr.ppocr.recogniser import ReadWord
from ocr_worker.engines.ocr.ppocr.rectangles import Rectangle, rectangles
from ocr_worker.engines.ocr.ppocr.runtime import Floats

Corners = list[tuple[float, float]]


def likelihood(*pieces: Corners, level: int = 230) -> Floats:
    """A map on which these quadrangles are text."""
    picture = Image.new("L", (320, 200))
    for corners in pieces:
        ImageDraw.Draw(picture).polygon(corners, fill=level)
    found: Floats = (np.asarray(picture) / 255).astype(np.float32)
    return found


def bar(x: float, y: float, width: float, height: float, degrees: float = 0) -> Corners:
    """A bar turned clockwise about its top left corner."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = [(0, 0), (width, 0), (width, height), (0, height)]
    return [(x + u * cos - v * sin, y + u * sin + v * cos) for u, v in corners]


@pytest.mark.parametrize("degrees", [-20, -5, 0, 7, 30])
def test_a_bar_is_found_as_it_lies_and_grown_on_all_sides(degrees: float) -> None:
    [found] = rectangles(likelihood(bar(60, 90, 180, 12, degrees)))

    assert math.degrees(found.lean) == pytest.approx(degrees, abs=1)
    assert found.width == pytest.approx(180 + 2 * 9, abs=4)
    assert found.height == pytest.approx(12 + 2 * 9, abs=4)
    assert found.at(0.5, 0.5) == pytest.approx(middle(bar(60, 90, 180, 12, degrees)), abs=1.5)


def middle(corners: Corners) -> tuple[float, float]:
    return sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4


def test_pieces_are_parted_and_a_ring_is_one() -> None:
    ring = likelihood(bar(10, 10, 100, 60))
    ring[20:60, 20:100] = 0
    both = np.maximum(ring, likelihood(bar(150, 20, 60, 10), bar(150, 40, 60, 10)))

    assert len(rectangles(both)) == 3


def test_what_is_faint_or_tiny_is_no_text() -> None:
    assert rectangles(likelihood(bar(10, 10, 100, 12), level=100)) == []
    assert rectangles(likelihood(bar(10, 10, 1, 1))) == []
    assert rectangles(likelihood()) == []


def piece(text: str, corners: Corners) -> Piece:
    return Piece(Rectangle(corners[0], corners[1], corners[3]), (ReadWord(text, 0, 1, 99.0),))


def test_rows_of_a_leaning_page_stay_together() -> None:
    rows = [
        piece(f"{row}{column}", shifted(bar(column * 300, row * 40, 200, 20), 6))
        for row in range(4)
        for column in range(3)
    ]

    lines = arranged(reversed(rows))

    assert [line.text for line in lines] == [f"{row}0 {row}1 {row}2" for row in range(4)]


def shifted(corners: Corners, degrees: float) -> Corners:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [(x * cos - y * sin, x * sin + y * cos) for x, y in corners]


def test_columns_of_text_are_read_one_after_the_other_but_prices_belong_to_their_row() -> None:
    columns = [
        piece(f"{name}{row}", bar(left, 30 * row, 300, 20))
        for name, left in (("a", 0), ("b", 340))
        for row in range(6)
    ]
    receipt = [piece(f"item{row}", bar(0, 30 * row, 300, 20)) for row in range(6)]
    prices = [piece(f"{row}.99", bar(500, 30 * row, 60, 20)) for row in range(6)]

    assert [line.text for line in arranged(columns)] == [f"a{n}" for n in range(6)] + [
        f"b{n}" for n in range(6)
    ]
    assert [line.text for line in arranged(receipt + prices)] == [f"item{n} {n}.99" for n in range(6)]
