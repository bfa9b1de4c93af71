"""A scan that its scanner wrapped into a form is read as when it is drawn directly, at the same resolution.

A form's objects are placed by the form's matrix and by that under which it is drawn.
"""

from __future__ import annotations

from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary

from tests.cases.shown import LINES, WHOLE_PAGE, form, jpeg, page, saved, sheet, text
from tests.pages.desk import Desk, Done

STAMP = "RECEIVED 12 MAY 2024"


@pytest.mark.parametrize(
    ("content", "inner", "matrix"),
    [
        (b"q 595.2 0 0 841.92 0 0 cm /Fm Do Q\n", b"/Scan Do", [1, 0, 0, 1, 0, 0]),
        (b"/Fm Do\n", b"/Scan Do", [595.2, 0, 0, 841.92, 0, 0]),
        (b"q 59.52 0 0 84.192 0 0 cm /Fm Do Q\n", b"q .5 0 0 .5 0 0 cm /Scan Do Q", [20, 0, 0, 20, 0, 0]),
    ],
    ids=["drawn large", "large by its matrix", "both"],
)
@pytest.mark.parametrize("depth", [1, 3])
def test_a_scan_in_a_form_is_read_like_one_that_is_drawn_directly(
    content: bytes, inner: bytes, matrix: list[float], depth: int, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        wrapped = form(pdf, inner, (0, 0, 1, 1), XObject=Dictionary(Scan=jpeg(pdf, sheet())))
        wrapped.Matrix = Array(matrix)
        for _ in range(depth - 1):
            wrapped = form(pdf, b"/In Do", (0, 0, 600, 900), XObject=Dictionary(In=wrapped))
        page(pdf, content + text(STAMP, 30, 12, 12), {"Fm": wrapped})
        path = saved(pdf, tmp_path / "wrapped.pdf")
    with pikepdf.new() as pdf:
        page(pdf, WHOLE_PAGE + text(STAMP, 30, 12, 12))
        direct = saved(pdf, tmp_path / "direct.pdf")

    done, plain = desk.process(path), desk.process(direct)

    assert _lines(done) == _lines(plain) == [*LINES, STAMP]
    assert done.record["pages"][0]["dpi"] == pytest.approx(plain.record["pages"][0]["dpi"], abs=0.1)


def _lines(done: Done) -> list[str]:
    return [line for line in done.text.splitlines() if line]
