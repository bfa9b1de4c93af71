"""A lone heading that lies upside down or on its side is read: too few letters for orientation detection. From OCRmyPDF #581."""

from __future__ import annotations

from pathlib import Path

import pytest

from samples import drawing
from samples.sheets import A4, Line, Sheet, Type
from tests.long_rows import first
from tests.pages.desk import Desk


@pytest.mark.parametrize("clockwise", [90, 180, 270])
@pytest.mark.parametrize(
    ("words", "font", "size"),
    first(
        1,
        [
            ("Confidential", "Times-Bold", 18),
            ("Annex to the lease", "Times-Roman", 24),
            ("Chapter Seven", "Helvetica-Bold", 14),
        ],
    ),
)
def test_a_lone_heading_is_turned_upright(
    desk: Desk, tmp_path: Path, words: str, font: str, size: float, clockwise: int
) -> None:
    heading = Sheet(*A4, (Line(150, 200, words, Type(font, size, size)),))
    path = tmp_path / "heading.png"
    drawing.render(heading, 300).rotate(-clockwise, expand=True).save(path, dpi=(300, 300))

    done = desk.process(path)

    [page] = done.record["pages"]
    assert done.text.strip() == words
    assert page["rotation"] == (360 - clockwise) % 360
