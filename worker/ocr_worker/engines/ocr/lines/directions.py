"""Words from left to right become text in the order of reading, as Tesseract's `ResultIterator` orders them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from ocr_worker.model.direction import with_marks_turned
from ocr_worker.model.page import Line, Word

_LEFT, _RIGHT, _NEUTRAL, _BOTH = range(4)
"""How a word runs: from left to right, from right to left, as what is around it, or both ways."""
_NUMBER, _SEPARATORS, _TERMINATOR = "EN", {"ES", "CS"}, "ET"
_WITHIN = {"CS", "ON"}
"""What may stand between letters of a stretch from left to right."""


def in_reading_order(lines: Sequence[Line]) -> list[Line]:
    """Lines of a page in a language that is written from right to left."""
    ordered: list[Line] = []
    for _, paragraph in groupby(lines, key=lambda line: (line.block, line.paragraph)):
        rows = list(paragraph)
        directions = [[_direction(word.text) for word in row.words] for row in rows]
        is_left = _runs_to_the_right([row for row in directions if row])
        ordered += [
            replace(row, words=tuple(with_marks_turned([*_ordered(row.words, ways, is_left=is_left)])))
            for row, ways in zip(rows, directions, strict=True)
        ]
    return ordered


def _direction(text: str) -> int:
    kinds = {unicodedata.bidirectional(character) for character in text}
    to_the_left, to_the_right = bool(kinds & {"R", "AL"}), bool(kinds & {"L", "AN"})
    if to_the_left:
        return _BOTH if to_the_right else _RIGHT
    return _LEFT if to_the_right else _NEUTRAL


def _runs_to_the_right(rows: Sequence[Sequence[int]]) -> bool:
    """Whether a paragraph is from left to right: its first line tells, or else most of its words."""
    if not rows or rows[0][0] == _RIGHT:
        return not rows
    if rows[0][-1] == _LEFT:
        return True
    words = [way for row in rows for way in row]
    return words.count(_LEFT) >= words.count(_RIGHT)


def _ordered(words: Sequence[Word], ways: Sequence[int], *, is_left: bool) -> Iterator[Word]:
    for at, is_minor in _order(ways, is_left=is_left):
        word = words[at]
        yield word if is_left != is_minor else replace(word, text=_turned(word.text))


def _order(ways: Sequence[int], *, is_left: bool) -> Iterator[tuple[int, bool]]:
    """The places of words in the order of reading, and whether they are in a stretch of the other direction."""
    major, minor = (_LEFT, _RIGHT) if is_left else (_RIGHT, _LEFT)
    places = list(range(len(ways)) if is_left else reversed(range(len(ways))))
    at = 0
    if not is_left and (tail := _tail(ways)):
        yield from ((place, True) for place in tail)
        at = len(tail)
    while at < len(places):
        if ways[places[at]] != minor:
            yield places[at], False
            at += 1
            continue
        end = at
        for further in range(at, len(places)):
            if ways[places[further]] == major:
                break
            if ways[places[further]] == minor:
                end = further
        yield from ((place, True) for place in reversed(places[at : end + 1]))
        at = end + 1


def _tail(ways: Sequence[int]) -> list[int]:
    """At the right end of a line words of no direction belong to those from left to right beside them."""
    last = len(ways) - 1
    while last > 0 and ways[last] == _NEUTRAL:
        last -= 1
    if not ways or last == len(ways) - 1 or ways[last] != _LEFT:
        return []
    first = last
    for at in range(last, -1, -1):
        if ways[at] == _RIGHT:
            break
        if ways[at] == _LEFT:
            first = at
    return list(range(first, len(ways)))


def _turned(text: str) -> str:
    """The characters of a word from right to left, but for numbers and words from left to right within it."""
    kinds = _settled([unicodedata.bidirectional(character) for character in text])
    turned: list[str] = []
    at = 0
    while at < len(text):
        end = _end_of_left(kinds, at)
        turned.append(text[at : end + 1])
        at = end + 1
    return "".join(reversed(turned))


def _end_of_left(kinds: Sequence[str], at: int) -> int:
    """The last character of the stretch from left to right that begins there; the same if none does."""
    end = at
    for further in range(at, len(kinds)) if kinds[at] in {"L", _NUMBER} else ():
        if kinds[further] in {"L", _NUMBER}:
            end = further
        elif kinds[further] not in _WITHIN:
            break
    return end


def _settled(kinds: list[str]) -> list[str]:
    """Separators between digits and signs beside them count as digits."""
    for at in range(1, len(kinds) - 1):
        if kinds[at - 1] == kinds[at + 1] == _NUMBER and kinds[at] in _SEPARATORS:
            kinds[at] = _NUMBER
    for number in (range(len(kinds)), reversed(range(len(kinds)))):
        before = ""
        for at in number:
            if kinds[at] == _TERMINATOR and before == _NUMBER:
                kinds[at] = _NUMBER
            before = kinds[at]
    return kinds
