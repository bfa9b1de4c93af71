"""What comes of an iterator's answers, where Tesseract's own order of letters and spaces is that of the paper."""

from __future__ import annotations

from itertools import groupby

from tesserocr import RIL

from ocr_worker.engines.ocr.tesserocr_lines import lines


class PaperIterator:
    """Walks one line as Tesseract does: words and symbols in reading order, a word's letters and spaces from left to right."""

    def __init__(self, words: list[tuple[list[str], int, bool]]) -> None:
        self._words = words
        """Symbols in reading order, the left edge, whether a space is at the left."""
        self._word = self._symbol = 0

    def ParagraphIsLtr(self) -> bool:  # noqa: N802 (Tesseract's names)
        return not any(map(_is_backwards, self._words))

    def Empty(self, level: int) -> bool:  # noqa: N802
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
        if level == RIL.SYMBOL:
            return symbols[self._symbol]
        is_as_read = "".join(symbols).isascii() and self.ParagraphIsLtr()
        return "".join(symbols if is_as_read else _from_the_left(symbols))

    def Next(self, level: int) -> bool:  # noqa: N802
        if level == RIL.SYMBOL:
            self._symbol += 1
            return True
        self._word, self._symbol = self._word + 1, 0
        return self._word < len(self._words)


def _is_backwards(word: tuple[list[str], int, bool]) -> bool:
    return any("א" <= symbol[0] <= "ת" for symbol in word[0])


def _from_the_left(symbols: list[str]) -> list[str]:
    """As they stand on the paper: all turned about but for digits."""
    runs = [list(run) for _, run in groupby(symbols, key=str.isdigit)]
    return [symbol for run in reversed(runs) for symbol in (run if run[0].isdigit() else reversed(run))]


def test_right_to_left_words_are_spelt_in_reading_order_symbol_by_symbol() -> None:
    # A symbol may be several characters, which stay as they are.
    at = PaperIterator([(["ש", "ל", "ום"], 300, True), (list("1250"), 200, True), (list("טוב"), 100, False)])

    (line,) = lines(at)

    assert [word.text for word in line.words] == ["שלום", "1250", "טוב"]


def test_brackets_and_colons_beside_numbers_stand_as_they_are_read() -> None:
    at = PaperIterator([(list("(492:"), 300, True), (list("טוב"), 100, False)])

    (line,) = lines(at)

    assert line.text == "(492: טוב"


def test_the_space_of_two_right_to_left_words_is_the_right_ones() -> None:
    at = PaperIterator([(list("שלום"), 300, True), (list("עולם"), 200, False), (list("טוב"), 100, True)])

    (line,) = lines(at)

    assert line.text == "שלום עולםטוב"


def test_left_to_right_words_are_taken_as_they_are() -> None:
    at = PaperIterator([(list("one"), 100, False), (list("two"), 200, True), (list("three"), 300, False)])

    (line,) = lines(at)

    assert line.text == "one twothree"
