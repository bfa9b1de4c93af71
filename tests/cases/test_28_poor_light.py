"""Pages photographed in poor light, small originals on a black scanner bed and white print on black are read as they are.

From threads of docling and paperless on phone photos.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from samples import build
from samples.scores import score
from tests.cases.plain import plain_text
from tests.long_rows import first
from tests.pages.desk import Desk


@pytest.mark.parametrize(
    "kind",
    first(
        2,
        [
            "dim_vignette",
            "half_shadow",
            "receipt_on_black",
            "white_on_grey",
            "dim",
            "dim_grainy",
            "night",
            "receipt_on_grain",
            "receipt_on_grey",
            "card_on_black",
            "white_on_black",
        ],
    ),
)
def test_a_dark_picture_is_read_no_worse_than_by_plain_tesseract(
    desk: Desk, tmp_path: Path, kind: str
) -> None:
    [page] = build(kind, tmp_path)
    plain = score(page.truth, plain_text(page.path, tmp_path / "cache"))

    ours = score(page.truth, desk.process(page.path).text)

    assert ours.cer <= plain.cer + 0.5
    assert ours.f1 >= plain.f1 - 0.5
