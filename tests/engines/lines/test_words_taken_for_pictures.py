"""Words that Tesseract's layout takes for a picture in the midst of a line."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="needs onnxruntime", exc_type=ImportError)

from ocr_worker.engines.ocr.lines.runs import _Found, _give_back_words, _Word
from ocr_worker.model.page import Box
from samples import build
from tests.pages.desk import Desk

LINE = 0, 100, 900, 140


def test_words_that_the_layout_of_a_page_takes_for_a_picture_are_read(tmp_path: Path) -> None:
    """At two fifths of its width, this page has a picture in the place of "at all"."""
    [page] = build("clean", tmp_path)
    assert "no weather at all, only" in " ".join(page.truth.split())

    assert "no weather at all, only" in " ".join(Desk(tmp_path).process(page.path).text.split())


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((310, 102, 390, 138), 3),
        ((310, 102, 345, 138), 2),
        ((310, 132, 390, 138), 2),
        ((310, 40, 390, 138), 2),
        ((310, 102, 590, 138), 2),
        ((910, 102, 990, 138), 2),
    ],
    ids=["a-word", "a-box-to-tick", "a-rule", "higher-than-the-line", "over-words", "beyond-the-line"],
)
def test_what_lies_like_a_word_between_two_words_of_a_line_is_one(box: Box, words: int) -> None:
    line = _row(LINE, [(0, 100, 300, 140), (400, 100, 900, 140)])

    _give_back_words([line, _row(box, [box], is_text=False)])

    assert len(line.words) == words
    assert words == 2 or line.words[1].box == box


def _row(box: Box, words: list[Box], *, is_text: bool = True) -> _Found:
    found = [_Word(word, None, [word]) for word in words]
    return _Found(box, None, begins_block=True, begins_paragraph=True, is_text=is_text, words=found)
