"""One pass through a content, word by word: what breaks the rules of PDF, and what was meant instead.

Sources: ISO 32000-1, 7.3.3, 7.8.2 and annex A; `Lexer` of pdf.js 5.4, which reads most of it so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ocr_worker.engines.pdf.content_words import NESTED, NUMBER, OPAQUE, OPERANDS, REGULAR, VALUES

_TOKEN = re.compile(
    rb"(?P<blank>[\0\t\n\f\r ]+|%[^\r\n]*)|(?P<string>" + NESTED + rb"|<[0-9A-Fa-f\s]*>)|(?P<name>/" + REGULAR + rb"*)"
    rb"|(?P<mark><<|>>|[\[\]{}])|(?P<word>" + REGULAR + rb"+)|(?P<stray>.)",
    re.DOTALL,
)  # fmt: skip
_EXPONENT = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)[eE][+-]?\d{1,3}")
_LEADING = re.compile(rb"([+-]*)((?:\d[\d-]*)?(?:[.,][\d-]*)?)(.*)", re.DOTALL)
_NO_NUMBER = re.compile(rb"[+-]?(?:nan|inf|infinity|1\.#[a-z]+)\d*", re.IGNORECASE)
_FOREIGN = re.compile(rb"[^\x21-\x3a\x3c-\x7e]+")
"""Blanks of other encodings, and semicolons."""
_MOST_DIGITS = 38


@dataclass(slots=True)
class Scan:
    """One pass through a content, which notes what to change and what breaks the rules."""

    data: bytes
    resources: Any
    edits: list[tuple[int, int, bytes]] = field(default_factory=list)
    faults: int = 0
    first_fault: bytes = b""
    operands: int = 0
    open_marks: list[bytes] = field(default_factory=list)
    compatible: int = 0
    """Sections in which unknown operators are allowed."""

    def __post_init__(self) -> None:
        at = 0
        while at < len(self.data):
            token = _TOKEN.match(self.data, at)
            assert token is not None
            at = self._take(token, token.lastgroup or "")
        if self.open_marks or self.operands:
            self._fault(b"an end without an operator")

    def content(self) -> bytes:
        pieces, at = [], 0
        for start, end, text in self.edits:
            pieces += [self.data[at:start], text]
            at = end
        return b"".join((*pieces, self.data[at:]))

    def _take(self, token: re.Match[bytes], kind: str) -> int:
        match kind:
            case "string" | "name":
                self._operand()
            case "mark":
                self._mark(token[0])
            case "word":
                return self._word(token)
            case "stray":
                return self._stray(token.start())
            case _:
                pass
        return token.end()

    def _operand(self, count: int = 1) -> None:
        if not self.open_marks:
            self.operands += count

    def _mark(self, mark: bytes) -> None:
        if mark in (b"[", b"<<"):
            self.open_marks.append(mark)
        elif mark in (b"]", b">>") and self.open_marks:
            self.open_marks.pop()
            self._operand()

    def _stray(self, at: int) -> int:
        """Of strings within strings within strings; or of one that has no end."""
        depth = 0
        for found in re.compile(rb"\\.|[()]", re.DOTALL).finditer(self.data, at):
            depth += (found[0] == b"(") - (found[0] == b")")
            if depth == 0 and found[0] == b")":
                self._operand()
                return found.end()
            if depth < 0:
                break
        self._fault(self.data[at : at + 20])
        return len(self.data) if depth > 0 else at + 1

    def _word(self, token: re.Match[bytes]) -> int:
        word, start, end = token[0], token.start(), token.end()
        if NUMBER.fullmatch(word) or word in VALUES:
            self._operand()
        elif word in OPERANDS:
            self._close_before(start)
            self._operate(word)
        elif word == b"BI":
            return self._picture(start)
        elif (sense := list(_sense(word, self.operands))) and sense != [word]:
            self._edit(start, end, b" ".join((b"", *sense, b"")))
            for one in sense:
                if one in OPERANDS:
                    self._operate(one)
                else:
                    self._operand()
        elif not self.open_marks and not self.compatible:
            self._fault(word)
            self.operands = 0
        return end

    def _operate(self, word: bytes) -> None:
        due = OPERANDS[word]
        if due is not None and self.operands != due and not self.open_marks:
            self._fault(word)
        self.operands = self.operands if self.open_marks else 0
        self.compatible = max(0, self.compatible + (word == b"BX") - (word == b"EX"))

    def _close_before(self, start: int) -> None:
        """What is still open at an operator, and is closed nowhere."""
        if self.open_marks and not self._is_closed_later(start):
            closing = b"".join(b"]" if mark == b"[" else b">>" for mark in reversed(self.open_marks))
            self._edit(start, start, closing + b" ")
            self.open_marks.clear()
            self.operands += 1

    def _is_closed_later(self, start: int) -> bool:
        closing = b"]" if self.open_marks[-1] == b"[" else b">>"
        rest = OPAQUE.sub(b" ", self.data[start : start + 10_000])
        closed, opened = rest.find(closing), rest.find(self.open_marks[-1])
        return closed >= 0 and not 0 <= opened < closed

    def _picture(self, start: int) -> int:
        # Late, as few contents hold pictures.
        from ocr_worker.engines.pdf.inline_images import end_of_data

        end, is_closed = end_of_data(self.data, start, self.resources)
        if end is None:
            return start + 2
        if not is_closed:
            self._edit(end, end, b"\nEI\n")
        self.operands = 0
        return end

    def _fault(self, word: bytes) -> None:
        self.first_fault = self.first_fault or word
        self.faults += 1

    def _edit(self, start: int, end: int, text: bytes) -> None:
        self.edits.append((start, end, text))
        self._fault(self.data[start:end] or b"something that is not closed")


def _sense(word: bytes, operands: int) -> Iterator[bytes]:
    """What a word was meant to be, behind so many operands: numbers and operators, as far as that can be told."""
    if _FOREIGN.search(word):
        for piece in filter(None, _FOREIGN.split(word)):
            found = list(_sense(piece, operands))
            yield from found
            operands = _left(found, operands)
    elif word in OPERANDS or NUMBER.fullmatch(word):
        yield word
    elif _NO_NUMBER.fullmatch(word):
        yield b"0"
    elif _EXPONENT.fullmatch(word):
        yield _plain(float(word))
    elif word[0] in b"+-.0123456789":
        yield from _from_number(word, operands)
    else:
        yield from _from_operator(word, operands)


def _left(words: list[bytes], operands: int) -> int:
    for word in words:
        operands = 0 if word in OPERANDS else operands + 1
    return operands


def _from_number(word: bytes, operands: int) -> Iterator[bytes]:
    found = _LEADING.fullmatch(word)
    assert found is not None
    signs, digits, rest = found.groups()
    if not digits.strip(b"-.,"):
        return
    sign = b"-" if b"-" in signs else b""
    yield sign + digits.replace(b"-", b"").replace(b",", b".")
    # As 1.2.3 is read by most: 1.2.
    if rest and rest[0] not in b".,+":
        behind = list(_sense(rest, operands + 1))
        if behind and behind[0] in OPERANDS and OPERANDS[behind[0]] in (None, operands + 1):
            yield from behind


def _from_operator(word: bytes, operands: int) -> Iterator[bytes]:
    """The longest that takes so many operands."""
    for length in (3, 2, 1):
        first, rest = word[:length], word[length:]
        if rest and first in OPERANDS and OPERANDS[first] in (None, operands):
            behind = list(_sense(rest, 0))
            if behind:
                yield first
                yield from behind
                return


def _plain(value: float) -> bytes:
    text = f"{value:.6f}"
    return text.encode("ascii") if math.isfinite(value) and len(text) <= _MOST_DIGITS else b"0"
