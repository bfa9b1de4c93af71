"""Right-to-left lines: what stands where on paper, and in which order it is read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from ocr_worker.model.page import Word

_RIGHT_TO_LEFT = frozenset({"R", "AL"})
_KINDS = {"EN": "e", "AN": "a", "CS": "c", "ES": "s", "ET": "t"}
_NUMBER = re.compile(r"t*e+(?:[cs]e+)*t*|a+(?:ca+)*|.")
"""Of kinds of characters: what stays from left to right by Unicode's bidirectional algorithm, or one character."""

MARK = "\u200f"
"""The right-to-left mark, which shows nothing."""

_MARKS = ".,:;!?…"
_PAIRS = "()[]{}«»“”‘’"
_ENDS = re.compile(rf"^([{re.escape(_MARKS + _PAIRS)}\"']*)(.*?)([{re.escape(_MARKS + _PAIRS)}\"']*)$")
_OTHER_SIDE = str.maketrans(_PAIRS, "".join(_PAIRS[n ^ 1] for n in range(len(_PAIRS))))


def is_right_to_left(text: str) -> bool:
    return not text.isascii() and any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in text)


def is_left_to_right(text: str) -> bool:
    return any(unicodedata.bidirectional(character) == "L" for character in text)


def runs_from_right(words: Sequence[Word]) -> bool:
    """Whether a line's words, in reading order, stand from right to left."""
    return words[0].box[0] > words[-1].box[0]


def with_marks_turned(words: Sequence[Word]) -> list[Word]:
    """Put the marks around lone left-to-right words of a right-to-left line from where they stand on paper to where they are read, or back: the comma that follows such a word stands at its left."""
    if not words or not runs_from_right(words):
        return list(words)
    others = zip([None, *words], [*words[1:], None], strict=False)
    return [
        replace(word, text=_turned_marks(word.text))
        if is_left_to_right(word.text)
        and all(other is None or is_right_to_left(other.text) for other in pair)
        else word
        for word, pair in zip(words, others, strict=False)
    ]


def visual_texts(words: Sequence[Word]) -> list[str]:
    """The characters of a line's words from left to right as they stand on paper: readers turn them back to logical order."""
    from_right = bool(words) and runs_from_right(words)
    return [
        _reversed_runs(word.text)
        if is_right_to_left(word.text) or (from_right and not is_left_to_right(word.text))
        else word.text
        for word in with_marks_turned(words)
    ]


def marked(text: str, left: str) -> str:
    """A word of a right-to-left line, as it stands on paper, with marks of direction around its numbers and Latin letters, unless it goes on from the Latin word at its left: poppler joins such words to the next one, and PDFium leaves a number's stop at its other side."""
    if is_left_to_right(left) or not (is_left_to_right(text) or any(map(str.isdigit, text))):
        return text
    if is_left_to_right(text):
        head, rest, tail = _ENDS.findall(text)[0]
        runs = [*head, rest + tail]
    else:
        runs = _runs(text)
    return "".join(MARK + run if _needs_mark(run) else run for run in runs)


def _needs_mark(run: str) -> bool:
    return not is_right_to_left(run) and unicodedata.category(run[0])[0] != "M"


def _turned_marks(text: str) -> str:
    head, body, tail = _ENDS.findall(text)[0]
    first, last = (ends[::-1].translate(_OTHER_SIDE) for ends in (tail, head))
    return f"{first}{body}{last}" if body else text


def _reversed_runs(text: str) -> str:
    """Turned round, but for numbers within it. Marks go before their letters: readers swap them back."""
    return "".join(reversed(_runs(text)))


def _runs(text: str) -> list[str]:
    kinds = "".join(_KINDS.get(unicodedata.bidirectional(character), "x") for character in text)
    return [text[run.start() : run.end()] for run in _NUMBER.finditer(kinds)]
