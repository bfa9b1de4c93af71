"""Case 27: a Chinese, Japanese or Korean word is found in the PDF: spaces stand only where the text has one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocr_worker.model.page import Line, Page, Word
from tests.readers.made_pages import language, save_layer
from tests.readers.texts import READERS, Reader

PIECES = {
    "Chinese after Latin": [("PDF", True), ("中文", True), ("搜索", False), ("问题", False), ("2021", True), ("年", True)],
    "Chinese whose first word has a space": [("北京", True), ("大学", False), ("图书", False), ("馆", False)],
    "Korean": [("모든", True), ("인간은", True), ("자유", True), ("로우며", False)],
}  # fmt: skip


@pytest.mark.parametrize("degrees", [0, 0.7])
@pytest.mark.parametrize("name", ["Chinese", "Japanese", "Korean"])
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_the_layer_says_what_the_text_says(reader: Reader, name: str, degrees: float, tmp_path: Path) -> None:
    reader.require()
    page = language(name, degrees)

    text = reader.read(save_layer(page, tmp_path / "layer.pdf"))

    assert _lines(text) == _lines(page.text)


@pytest.mark.parametrize("pieces", PIECES.values(), ids=PIECES)
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_space_stands_where_the_later_word_has_one_before_it(
    reader: Reader, pieces: list[tuple[str, bool]], tmp_path: Path
) -> None:
    reader.require()
    words, at = [], 300
    for text, spaced in pieces:
        at += 14 * spaced
        wide = 26 * len(text) if text.isascii() else 46 * len(text)
        words.append(Word(text, (at, 400, at + wide, 444), 90.0, spaced))
        at += wide
    line = Line(tuple(words), (300, 400, at, 444), (300, 440, at, 440), 0, 0)
    page = Page(1, "ok", 2480, 3508, dpi=300, lines=(line,))

    text = reader.read(save_layer(page, tmp_path / "layer.pdf"))

    assert _lines(text) == [line.text]


@pytest.mark.parametrize("climb", [0, 20])
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_box_that_is_too_narrow_for_its_character_makes_no_space(
    reader: Reader, climb: int, tmp_path: Path
) -> None:
    reader.require()
    places = {"平": (300, 340), "等": (350, 364), "。": (405, 420), "他": (420, 470)}
    words = tuple(
        Word(text, (left, 400, right, 444), 90.0, space_before=False)
        for text, (left, right) in places.items()
    )
    line = Line(words, (300, 400 - climb, 470, 444), (300, 440, 470, 440 - climb), 0, 0)
    page = Page(1, "ok", 2480, 3508, dpi=300, lines=(line,))

    text = reader.read(save_layer(page, tmp_path / "layer.pdf"))

    assert _lines(text) == ["平等。他"]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\f", "\n").splitlines() if line.strip()]
