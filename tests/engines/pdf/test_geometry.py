"""Boxes on a page."""

from __future__ import annotations

import pytest

from ocr_worker.engines.pdf.geometry import Box, union_area


@pytest.mark.parametrize(
    ("boxes", "area"),
    [
        ([], 0),
        ([(0, 0, 2, 3)], 6),
        ([(0, 0, 2, 2), (0, 0, 2, 2), (1, 1, 3, 3)], 7),
        ([(0, 0, 1, 1), (2, 0, 3, 1), (0, 5, 3, 6)], 5),
        ([(0, 0, 10, 10), (2, 2, 3, 3)], 100),
        ([(0, n, 5, n + 1) for n in range(300)], 1500),
    ],
)
def test_what_several_boxes_cover_counts_once(boxes: list[Box], area: float) -> None:
    assert union_area(boxes) == pytest.approx(area)
