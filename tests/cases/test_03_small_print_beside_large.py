"""Small print is read beside large print, however little of it there is. From docling #3587 and OCRmyPDF #1281."""

from __future__ import annotations

from pathlib import Path

import pytest

from samples import build
from tests.cases.plain import plain_text, words_found
from tests.long_rows import first
from tests.pages.desk import Desk


@pytest.mark.parametrize(
    "kind", first(3, ["big_and_small_200", "footnotes", "mixed_words", "big_and_small", "notice", "labels"])
)
def test_all_print_of_a_page_is_read(desk: Desk, tmp_path: Path, kind: str) -> None:
    [page] = build(kind, tmp_path)
    plain = words_found(page.truth, plain_text(page.path, tmp_path / "cache"))

    found = words_found(page.truth, desk.process(page.path).text)

    assert found >= 0.99 * plain
    assert plain > 50
