"""What comes of an iterator's answers, where Tesseract's own order of letters and spaces is that of the paper."""

from __future__ import annotations

import pytest
from tesserocr import RIL

from ocr_worker.engines.ocr.tesserocr_lines import lines


class PaperIterator:
    """Walks one line as Tesseract does: words and symbols in reading order, a word's letters and spaces from left to right."""

    def __init__(self, words: list[tuple[list[str], int, bool]], paper: dict[str, str] | None = None) -> None:
        self._words = words
        """Symbols in reading order, the left edge, whether a space is at the left."""
        self._paper = paper or {}
        """Words that stand on paper in another order than they are read."""
        self._word = self._symbol = 0

    def Empty(self, level: int) -> bool:  # noqa: N802 (Tesseract's names)
        return False

    def IsAtBeginningOf(self, level: int) -> bool:  # noqa: N802
        return self._word == 0

    def IsAtFinalElement(self, level: int, element: int) -> bool:  # noqa: N802
        return self._symbol == len(self._words[self._word][0]) - 1

    def BoundingBox(self, level: int) -> tuple[int, int, int, int]:  # noqa: N802
        left = self._words[self._word][1]
        return left, 100, left + 80, 140

    def Baseline(self, level: int) -> tuple[tuple[int, int], tuple[int, int]]:  # noqa: N802
        return (0, 135), (900, 135)

    def Confidence(self, level: int) -> float:  # noqa: N802
        return 90.0

    def BlanksBeforeWord(self) -> int:  # noqa: N802
        return int(self._words[self._word][2])

    def GetUTF8Text(self, level: int) -> str:  # noqa: N802
        symbols = self._words[self._word][0]
        is_backwards = any("א" <= symbol[0] <= "ת" for symbol in symbols)
        if level == RIL.SYMBOL:
            return symbols[self._symbol]
        text = "".join(reversed(symbols) if is_backwards else symbols)
        return self._paper.get(text, text)

    def Next(self, level: int) -> bool:  # noqa: N802
        if level == RIL.SYMBOL:
            self._symbol += 1
            return True
        self._word, self._symbol = self._word + 1, 0
        return self._word < len(self._words)


def test_right_to_left_words_are_spelt_in_reading_order_symbol_by_symbol() -> None:
    # A symbol may be several characters, which stay as they are.
    at = PaperIterator([(["ש", "ל", "ום"], 300, True), (list("1,250"), 200, True), (list("טוב"), 100, False)])

    (line,) = lines(at)

    assert [word.text for word in line.words] == ["שלום", "1,250", "טוב"]


def test_the_space_of_two_right_to_left_words_is_the_right_ones() -> None:
    at = PaperIterator([(list("שלום"), 300, True), (list("עולם"), 200, False), (list("טוב"), 100, True)])

    (line,) = lines(at)

    assert line.text == "שלום עולםטוב"


def test_left_to_right_words_are_taken_as_they_are() -> None:
    at = PaperIterator([(list("one"), 100, False), (list("two"), 200, True), (list("three"), 300, False)])

    (line,) = lines(at)

    assert line.text == "one twothree"


def test_marks_beside_numbers_of_a_right_to_left_line_are_put_where_they_are_read() -> None:
    words = [(list("שנת"), 400, True), (list("(249.90),"), 300, True), (list("שלום"), 100, True)]

    (line,) = lines(PaperIterator(words, {"(249.90),": ",)249.90("}))

    assert [word.text for word in line.words] == ["שנת", "(249.90),", "שלום"]


@pytest.mark.parametrize(
    ("paper", "read"),
    [(",Windows", "Windows,"), ("(Windows)", "(Windows)"), (".(Windows", "Windows)."), ("NET.", ".NET")],
)
def test_marks_beside_a_latin_word_of_a_right_to_left_line_are_put_where_they_are_read(
    paper: str, read: str
) -> None:
    words = [(list("מערכת"), 400, True), (list(paper), 250, True), (list("שלום"), 100, True)]

    (line,) = lines(PaperIterator(words))

    assert line.words[1].text == read


def test_marks_of_latin_words_stay_in_a_row_of_them_and_in_left_to_right_lines() -> None:
    row = [(list("חברת"), 500, True), (list("Acme,"), 250, True), (list("Inc"), 350, True)]
    mixed = [(list("The"), 100, False), (list("שלום"), 200, True), (list("(Acme)."), 350, True)]

    (first,), (second,) = lines(PaperIterator(row)), lines(PaperIterator(mixed))

    assert first.text == "חברת Acme, Inc"
    assert second.words[2].text == "(Acme)."
