"""What is read of the command's two answers: words and boxes of the hOCR, spaces of the text."""

from __future__ import annotations

import pytest

from ocr_worker.engines.ocr.tesseract_command import read_hocr

TEXTS = {
    "Chinese with Latin and numbers": "中文和 English 混合2021 年",
    "Korean, where Tesseract cuts words": "태어날 때부터 동등하다",
    "Latin": "plain words, and more",
}
WORDS = {
    "Chinese with Latin and numbers": ["中文", "和", "English", "混合", "2021", "年"],
    "Korean, where Tesseract cuts words": ["태어날", "때", "부터", "동", "등", "하다"],
    "Latin": ["plain", "words,", "and", "more"],
}


@pytest.mark.parametrize("name", TEXTS)
def test_words_are_parted_as_in_the_text(name: str) -> None:
    (line,) = read_hocr(_hocr([WORDS[name]]), TEXTS[name] + "\n")

    assert line.text == TEXTS[name]


def test_a_word_that_the_text_lacks_is_parted_and_the_next_are_found() -> None:
    (line,) = read_hocr(_hocr([["人人", "oddity", "生而", "自由"]]), "人人生而自由\n")

    assert line.text == "人人 oddity生而自由"


def test_words_of_the_next_line_begin_anew() -> None:
    first, second = read_hocr(_hocr([["自由", "在"], ["尊严", "和"]]), "自由在\n尊严 和\n")

    assert (first.text, second.text) == ("自由在", "尊严 和")


def _hocr(rows: list[list[str]]) -> bytes:
    lines = "".join(
        f'<span class="ocr_line" title="bbox 0 {100 * row} 900 {100 * row + 40}">'
        + "".join(
            f'<span class="ocrx_word" title="bbox {90 * n} {100 * row} {90 * n + 80} {100 * row + 40}; x_wconf 90">{word}</span>'
            for n, word in enumerate(words)
        )
        + "</span>"
        for row, words in enumerate(rows)
    )
    return f'<html><body><div class="ocr_page"><div class="ocr_carea"><p class="ocr_par">{lines}</p></div></div></body></html>'.encode()
