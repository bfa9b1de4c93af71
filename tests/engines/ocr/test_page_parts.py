"""A page is cut between lines, never through one, and never so that the reading order is lost."""

from __future__ import annotations

from ocr_worker.engines.ocr.layout import Layout, LayoutRow
from ocr_worker.engines.ocr.page_parts import Part, cut
from ocr_worker.model.page import Box

AREA = (0, 0, 1000, 1000)


def layout(*boxes: Box, begins: tuple[int, ...] = ()) -> Layout:
    return Layout(tuple(LayoutRow(box, None, number in begins) for number, box in enumerate(boxes)))


def rows(left: int, right: int, count: int, top: int = 100) -> list[Box]:
    return [(left, top + 50 * row, right, top + 50 * row + 30) for row in range(count)]


def boxes(parts: list[Part]) -> list[Box]:
    return [part.box for part in parts]


def test_one_column_is_cut_across_in_the_middle_of_its_text() -> None:
    parts = cut(layout(*rows(100, 900, 4), begins=(0, 2)), AREA, 2)

    assert boxes(parts) == [(0, 0, 1000, 190), (0, 190, 1000, 1000)]
    assert [part.begins_paragraph for part in parts] == [True, True]


def test_a_cut_within_a_paragraph_is_known() -> None:
    assert [part.begins_paragraph for part in cut(layout(*rows(100, 900, 4), begins=(0,)), AREA, 2)] == [
        True,
        False,
    ]


def test_two_columns_are_cut_between_them() -> None:
    columns = layout(*rows(100, 450, 5), *rows(550, 900, 5))

    assert boxes(cut(columns, AREA, 2)) == [(0, 0, 500, 1000), (500, 0, 1000, 1000)]


def test_columns_that_are_read_from_the_right_keep_their_order() -> None:
    columns = layout(*rows(550, 900, 5), *rows(100, 450, 5))

    assert boxes(cut(columns, AREA, 2)) == [(500, 0, 1000, 1000), (0, 0, 500, 1000)]


def test_four_parts_are_cuts_of_cuts() -> None:
    columns = layout(*rows(100, 450, 4), *rows(550, 900, 4))

    assert boxes(cut(columns, AREA, 4)) == [
        (0, 0, 500, 190), (0, 190, 500, 1000), (500, 0, 1000, 190), (500, 190, 1000, 1000),
    ]  # fmt: skip


def test_lines_that_overlap_are_not_cut_apart() -> None:
    tilted = layout(*[(100, 100 + 30 * row, 900, 150 + 30 * row) for row in range(8)])

    assert boxes(cut(tilted, AREA, 2)) == [AREA]


def test_a_page_number_is_not_worth_a_part_of_its_own() -> None:
    assert boxes(cut(layout((100, 100, 900, 500), (450, 900, 550, 930)), AREA, 2)) == [AREA]


def test_a_page_without_lines_stays_whole() -> None:
    assert boxes(cut(layout(), AREA, 2)) == [AREA]
