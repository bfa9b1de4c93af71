"""Contents that break the rules of PDF, put as they were meant: viewers differ in what they make of them.

Put right are numbers with an exponent, a comma, several signs or letters behind them, operators that are not parted from
what is beside them, words that are split over two parts of a page's content, and brackets and inline pictures that
are left open. Sources: ISO 32000-1, 7.3.3, 7.8.2 and annex A; `Lexer` of pdf.js 5.4, which reads most of it so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ocr_worker.engines.pdf.inline_images import end_of_data

_LONGEST = 8 << 20
"""Bytes of a content that is looked through: a second for what is well written, three for what is not."""
REGULAR = rb"[^\0\t\n\f\r ()<>\[\]{}/%]"
_NESTED = rb"\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)"
_OPAQUE = re.compile(_NESTED + rb"|<[0-9A-Fa-f\s]*>|%[^\r\n]*|/" + REGULAR + rb"*", re.DOTALL)
_ODD = re.compile(
    rb"[^\0\s()<>\[\]{}/%0-9.+-][0-9.+-]|[0-9.][^\0\s()<>\[\]{}/%0-9.]|[+-][+-]|[^\0-\x7f]|;|\bBI\b|\("
)
_LETTERS = re.compile(rb"[A-Za-z'\"*]+")
_TOKEN = re.compile(
    rb"(?P<blank>[\0\t\n\f\r ]+|%[^\r\n]*)|(?P<string>" + _NESTED + rb"|<[0-9A-Fa-f\s]*>)|(?P<name>/" + REGULAR + rb"*)"
    rb"|(?P<mark><<|>>|[\[\]{}])|(?P<word>" + REGULAR + rb"+)|(?P<stray>.)",
    re.DOTALL,
)  # fmt: skip
_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)|[+-]?\.?")
_EXPONENT = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)[eE][+-]?\d{1,3}")
_LAST_WORD, _FIRST_WORD = re.compile(rb"/?" + REGULAR + rb"+\Z"), re.compile(REGULAR + rb"+")
_LEADING = re.compile(rb"([+-]*)((?:\d[\d-]*)?(?:[.,][\d-]*)?)(.*)", re.DOTALL)
_NO_NUMBER = re.compile(rb"[+-]?(?:nan|inf|infinity|1\.#[a-z]+)\d*", re.IGNORECASE)
_FOREIGN = re.compile(rb"[^\x21-\x3a\x3c-\x7e]+")
"""Blanks of other encodings, and semicolons."""
_UNSAYABLE = re.compile(rb"[^\x20-\x7e]")
_MOST_DIGITS = 38
_VALUES = {b"true", b"false", b"null"}
_OPERANDS = {
    **dict.fromkeys(b"b B b* B* f F f* n s S h q Q BT ET EMC BX EX T* W W* EI".split(), 0),
    **dict.fromkeys(b"Do gs cs CS ri i j J M w G g Tc Tw TL Tr Ts Tz Tj TJ ' BMC MP sh".split(), 1),
    **dict.fromkeys(b"d0 Td TD Tf m l d BDC DP".split(), 2),
    **dict.fromkeys(b'rg RG "'.split(), 3), **dict.fromkeys(b"re v y k K".split(), 4),
    **dict.fromkeys(b"d1 Tm cm c".split(), 6), **dict.fromkeys(b"SC sc SCN scn".split()),
}  # fmt: skip
"""How many each operator takes; None where that depends."""


@dataclass(frozen=True, slots=True)
class Corrected:
    content: bytes
    sample: str
    """What was put right first."""
    is_boundless: bool = False
    """A form whose /BBox is none."""


def corrected(parts: list[bytes], resources: Any) -> Corrected | None:
    """A content, which may come in several parts, as it was meant; None where it is written well."""
    apart = b"\n".join(parts)
    if len(apart) > _LONGEST:
        return None
    if joined := _joined(parts):
        one, other = _Scan(apart, resources), _Scan(joined, resources)
        if other.faults < one.faults:
            return Corrected(other.content(), "a word in two streams")
    if not _is_odd(apart):
        return None
    scan = _Scan(apart, resources)
    return Corrected(scan.content(), _sayable(scan.first_fault)) if scan.edits else None


def fault(parts: list[bytes], resources: Any) -> str | None:
    """The first word that breaks the rules; None where a content is written well."""
    scan = _Scan(b"\n".join(parts), resources)
    return _sayable(scan.first_fault) if scan.faults else None


def is_content(data: bytes, resources: Any) -> bool:
    """Whether bytes that may be anything read like one."""
    if len(data) > _LONGEST or not any(word[0] in _OPERANDS for word in _LETTERS.finditer(data)):
        return False
    return not _Scan(data, resources).faults


def _is_odd(content: bytes) -> bool:
    """Whether it is worth a closer look: a well written content hardly ever is."""
    plain = _OPAQUE.sub(b" ", content)
    return (
        plain.count(b"[") != plain.count(b"]")
        or plain.count(b"<<") != plain.count(b">>")
        or bool(_ODD.search(plain))
        or not _OPERANDS.keys() | _VALUES >= {word[0] for word in _LETTERS.finditer(plain)}
    )


def _joined(parts: list[bytes]) -> bytes:
    """With nothing between parts where a word may be split; empty where none may."""
    whole, is_split = b"", False
    for part in parts:
        last, first = _LAST_WORD.search(whole), _FIRST_WORD.match(part)
        meets = bool(last and first and not _are_apart(last[0], first[0]))
        is_split |= meets
        whole += part if meets or not whole else b"\n" + part
    return whole if is_split else b""


def _are_apart(word: bytes, following: bytes) -> bool:
    """An operator, and what may come after one."""
    return word in _OPERANDS and (bool(_NUMBER.fullmatch(following)) or _OPERANDS.get(following) == 0)


def _sayable(word: bytes) -> str:
    return _UNSAYABLE.sub(b"?", b" ".join(word.split())[:30]).decode("ascii")


@dataclass(slots=True)
class _Scan:
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
        if _NUMBER.fullmatch(word) or word in _VALUES:
            self._operand()
        elif word in _OPERANDS:
            self._close_before(start)
            self._operate(word)
        elif word == b"BI":
            return self._picture(start)
        elif (sense := list(_sense(word, self.operands))) and sense != [word]:
            self._edit(start, end, b" ".join((b"", *sense, b"")))
            for one in sense:
                if one in _OPERANDS:
                    self._operate(one)
                else:
                    self._operand()
        elif not self.open_marks and not self.compatible:
            self._fault(word)
            self.operands = 0
        return end

    def _operate(self, word: bytes) -> None:
        due = _OPERANDS[word]
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
        rest = _OPAQUE.sub(b" ", self.data[start : start + 10_000])
        closed, opened = rest.find(closing), rest.find(self.open_marks[-1])
        return closed >= 0 and not 0 <= opened < closed

    def _picture(self, start: int) -> int:
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
    elif word in _OPERANDS or _NUMBER.fullmatch(word):
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
        operands = 0 if word in _OPERANDS else operands + 1
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
        if behind and behind[0] in _OPERANDS and _OPERANDS[behind[0]] in (None, operands + 1):
            yield from behind


def _from_operator(word: bytes, operands: int) -> Iterator[bytes]:
    """The longest that takes so many operands."""
    for length in (3, 2, 1):
        first, rest = word[:length], word[length:]
        if rest and first in _OPERANDS and _OPERANDS[first] in (None, operands):
            behind = list(_sense(rest, 0))
            if behind:
                yield first
                yield from behind
                return


def _plain(value: float) -> bytes:
    text = f"{value:.6f}"
    return text.encode("ascii") if math.isfinite(value) and len(text) <= _MOST_DIGITS else b"0"


__all__ = ["REGULAR", "Corrected", "corrected", "fault", "is_content"]
