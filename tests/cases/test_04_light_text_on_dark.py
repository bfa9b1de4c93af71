"""White text in a dark bar or banner is read beside black text. From OCRmyPDF #1061 and #624, and surya #112."""

from __future__ import annotations

from pathlib import Path

import pytest

from samples import build
from samples.scores import score
from tests.cases.plain import plain_text, words_found
from tests.long_rows import first
from tests.pages.desk import Desk


@pytest.mark.parametrize("kind", first(2, ["banner", "side_bar_dim", "side_bar", "barred", "striped"]))
def test_words_of_both_kinds_are_read(desk: Desk, tmp_path: Path, kind: str) -> None:
    [page] = build(kind, tmp_path)
    plain = words_found(page.truth, plain_text(page.path, tmp_path / "cache"))

    found = words_found(page.truth, desk.process(page.path).text)

    assert found >= 0.99 * plain
    assert plain > 50


def test_under_a_shadow_too(desk: Desk, tmp_path: Path) -> None:
    """Plain Tesseract loses half of such a page: one threshold parts neither kind of ink from its ground."""
    [page] = build("half_shadow_bar", tmp_path)

    assert score(page.truth, desk.process(page.path).text).cer < 2
