"""Words that the network saw from left to right become text in the order in which they are read."""

from __future__ import annotations

import pytest

from ocr_worker.engines.ocr.lines.directions import in_reading_order
from ocr_worker.model.page import Line, Word

SEEN = {
    "words": (["דבע", "הזה", "םויה"], "היום הזה עבד"),
    "Arabic": (["سانلا", "عيمج"], "جميع الناس"),
    "a number": (["בוט", "1,250", "םולש"], "שלום 1,250 טוב"),
    "signs beside numbers": ([").הנש", "3-", ":492", "102("], "(102 492: -3 שנה.)"),
    "a percentage": (["%15", "15%", "םולש"], "שלום 15% %15"),
    "brackets and a stop": ([".)בוט(", "םולש"], "שלום (טוב)."),
    "words of another script": (["בוט", "big", "world", "םולש"], "שלום big world טוב"),
    "those with a number between": (["בוט", "big", "2", "worlds", "םולש"], "שלום big 2 worlds טוב"),
    "one word of both": (["בוט", "PDF-ל"], "ל-PDF טוב"),
    "numbers at the end of a line after words of another script": (["בוט", "big", "2"], "big 2 טוב"),
    "most of it in another script": (["Only", "one", "word", "םולש"], "Only one word שלום"),
    "words of another script in a paragraph of theirs": (["One", "םולש", "word"], "One שלום word"),
    "two words there": (["One", "בוט", "םולש", "word"], "One שלום טוב word"),
    "signs alone": (["*", "2"], "* 2"),
    "nothing": ([], ""),
}  # fmt: skip


@pytest.mark.parametrize(("seen", "text"), SEEN.values(), ids=SEEN)
def test_a_line_is_in_the_order_of_reading(seen: list[str], text: str) -> None:
    (line,) = in_reading_order([line_of(seen)])

    assert line.text == text


def test_a_word_keeps_its_place_on_the_paper_and_its_confidence() -> None:
    (line,) = in_reading_order([line_of(["בוט", "םולש"])])

    assert [(word.box[0], word.confidence) for word in line.words] == [(100, 91.0), (0, 90.0)]


def test_a_paragraph_tells_how_its_other_lines_run() -> None:
    # Alone the second and the third line would run from left to right.
    lines = [
        line_of(["בוט", "םולש"]),
        line_of(["12:", "14"]),
        line_of(["big", ":2"]),
        line_of(["12:", "14"], 1),
    ]

    read = in_reading_order(lines)

    assert [line.text for line in read] == ["שלום טוב", "14 :12", "big :2", "12: 14"]


def line_of(seen: list[str], paragraph: int = 0) -> Line:
    words = [Word(text, (100 * at, 0, 100 * at + 90, 40), 90.0 + at) for at, text in enumerate(seen)]
    return Line(tuple(words), (0, 0, 900, 40), (0, 40, 900, 40), 0, paragraph)
