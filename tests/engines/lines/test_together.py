"""Of what networks of several languages read, the surer words are taken, and none is asked in vain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

pytest.importorskip("onnxruntime", reason="needs onnxruntime", exc_type=ImportError)

import numpy as np

from ocr_worker.engines.ocr.lines import together
from ocr_worker.engines.ocr.lines.crops import Pixels
from ocr_worker.engines.ocr.lines.reader import Reader
from ocr_worker.engines.ocr.lines.reading import ReadWord
from ocr_worker.engines.ocr.lines.together import Readers

Said = Sequence[tuple[str, float, float]]
"""Words of a line, their confidence and their rating."""


class Language:
    """Reads lines by their number, each of whose letters takes ten steps, and a space as many."""

    def __init__(self, known: str, *lines: Said) -> None:
        self._known, self._lines = known.split(), lines
        self.asked: list[int] = []

    def knows(self, word: str) -> bool:
        return word in self._known

    def read(self, lines: Sequence[Pixels]) -> list[list[ReadWord]]:
        numbers = [int(line[0, 0]) for line in lines]
        self.asked += numbers
        return [list(self._words(self._lines[number])) for number in numbers]

    def _words(self, line: Said) -> list[ReadWord]:
        words, at = [], 0
        for text, confidence, rating in line:
            words.append(ReadWord(text, at, at + 10 * len(text), confidence, rating))
            at += 10 * len(text) + 10
        return words


def read(*languages: Language) -> list[str]:
    lines = [np.full((1, 1), number, np.uint8) for number in range(len(languages[0]._lines))]
    readers = Readers(tuple(cast("Reader", language) for language in languages))
    return [" ".join(word.text for word in line) for line in readers.read(lines)]


def test_what_the_first_is_sure_of_no_other_reads() -> None:
    german = Language(
        "Haus", [("Haus", 92.1, 4), ("3", 93, 2)], [("Haus", 92, 4)], [("3", 91, 4)], [("Hof", 95, 9)]
    )
    english = Language("", *[[("?", 0, 99)]] * 4)

    assert read(german, english) == ["Haus 3", "Haus", "3", "Hof"]
    # Nor does a word without letters need to be in a list.
    assert english.asked == [1, 2, 3]


@pytest.mark.parametrize(
    ("first", "other", "taken"),
    [
        # Surer, and it weighs less.
        (("Tbe", 60, 9), ("The", 96, 3), "other"),
        (("Tbe", 60, 9), ("Thc", 70, 8), "other"),
        (("Tbe", 60, 9), ("Thc", 61, 8), "first"),
        (("Tbe", 60, 9), ("Thc", 70, 10), "first"),
        (("Tbe", 60, 9), ("Thc", 50, 8), "first"),
        # A word of the list may be less sure, and weigh more.
        (("Tbe", 70, 9), ("The", 60, 10), "other"),
        (("Tbe", 70, 9), ("The", 42, 10), "first"),
        (("Tbe", 70, 9), ("The", 60, 14), "first"),
        # Not beside one of another list.
        (("Thee", 70, 9), ("Then", 60, 8), "first"),
    ],
)
def test_of_two_words_the_likelier_is_taken(
    first: tuple[str, float, float], other: tuple[str, float, float], taken: str
) -> None:
    one, two = Language("Thee", [first]), Language("The Then", [other])

    assert read(one, two) == [{"first": first, "other": other}[taken][0]]


def test_a_number_is_no_word_of_a_list() -> None:
    assert read(Language("10", [("10", 70, 9)]), Language("The", [("The", 60, 9)])) == ["The"]
    assert read(Language("", [("l0", 70, 9)]), Language("10", [("10", 60, 9)])) == ["l0"]


def test_words_are_chosen_one_by_one_and_those_together_whose_spaces_differ() -> None:
    # Where one sees a space, the other sees two letters' steps go by.
    german = Language("Haus gut", [("Haus", 95, 4), ("ofthee", 60, 30), ("gut", 90, 4)])
    english = Language("of the", [("Hans", 50, 9), ("of", 90, 2), ("the", 92, 3), ("qut", 40, 8)])

    assert read(german, english) == ["Haus of the gut"]


def test_what_one_alone_sees_is_taken() -> None:
    assert read(Language("", [("x", 20, 9)], []), Language("", [], [])) == ["x", ""]


def test_after_a_line_in_one_language_that_is_asked_first() -> None:
    german = Language("", [("tbe", 60, 9)], *[[("tbe", 95, 1)]] * 40)
    english = Language("the", *[[("the", 96, 3)]] * 41)

    assert read(german, english) == ["the"] * 41
    assert max(german.asked) < together.AHEAD


@pytest.mark.parametrize("ahead", [1, 3, 100])
def test_how_many_lines_are_read_at_once_changes_nothing(ahead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sure, unsure = [("Haus", 95.0, 4.0)], [("Hous", 60.0, 9.0)]
    house, blurred = [("house", 96.0, 3.0)], [("hause", 55.0, 9.5)]
    german = [sure, unsure, sure, unsure, unsure, sure, sure, unsure]
    english = [blurred, house, house, blurred, house, blurred, house, blurred]
    expected = ["Haus", "house", "house", "Hous", "house", "Haus", "Haus", "Hous"]

    monkeypatch.setattr(together, "AHEAD", ahead)

    assert read(Language("Haus", *german), Language("house", *english)) == expected
