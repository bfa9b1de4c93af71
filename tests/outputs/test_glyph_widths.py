"""How far text that is taken out had moved the pen."""

from __future__ import annotations

from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from ocr_worker.outputs.glyph_widths import TextState, advance

WIDE = Dictionary(
    Type=Name.Font, Subtype=Name.Type0, Encoding=Name("/Identity-H"),
    DescendantFonts=Array([Dictionary(DW=1000, W=Array([1, Array([500, 250]), 7, 9, 2000]))]),
)  # fmt: skip
NARROW = Dictionary(Type=Name.Font, Subtype=Name.TrueType, FirstChar=65, Widths=Array([600, 400]))
DRAWN = Dictionary(
    Type=Name.Font,
    Subtype=Name.Type3,
    FirstChar=65,
    Widths=Array([50]),
    FontMatrix=Array([0.01, 0, 0, 0.01, 0, 0]),
)


@pytest.mark.parametrize(
    ("font", "shown", "expected"),
    [
        (WIDE, String(b"\0\1\0\2\0\x08\0\x63"), 37.5),
        (NARROW, String("AB"), 10.0),
        (NARROW, Array([String("A"), 100, String("B")]), 9.0),
        (DRAWN, String("A"), 5.0),
        (Dictionary(Subtype=Name.Type1, BaseFont=Name.Courier), String("abc"), 18.0),
    ],
)
def test_widths_come_from_fonts_of_each_kind(font: Any, shown: Any, expected: float) -> None:
    assert advance(TextState(font=font, size=10), shown) == pytest.approx(expected)


def test_spaces_and_stretching_count() -> None:
    state = TextState(font=NARROW, size=10, stretch=0.5, character_space=1, word_space=4)

    assert advance(state, String("A A")) == pytest.approx((6 + 0 + 6 + 3 + 4) / 2)


@pytest.mark.parametrize(
    "font",
    [
        None,
        Dictionary(Subtype=Name.Type1, BaseFont=Name("/Unheard")),
        Dictionary(Subtype=Name.Type0, Encoding=Name("/90ms-RKSJ-H")),
    ],
)
def test_what_can_not_be_told_is_not_guessed(font: Any) -> None:
    assert advance(TextState(font=font, size=10), pikepdf.String("abc")) is None
