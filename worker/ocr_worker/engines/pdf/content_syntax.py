"""Contents that break the rules of PDF, put as they were meant: viewers differ in what they make of them.

Put right are numbers with an exponent, a comma, several signs or letters behind them, operators that are not parted from
what is beside them, words that are split over two parts of a page's content, and brackets and inline pictures that
are left open. What is written well, as hardly any is not, is told by its letters; `content_scan` reads the rest word by
word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ocr_worker.engines.pdf.content_words import NUMBER, OPAQUE, OPERANDS, REGULAR, VALUES

if TYPE_CHECKING:
    from ocr_worker.engines.pdf.content_scan import Scan

_LONGEST = 8 << 20
"""Bytes of a content that is looked through: a second for what is well written, three for what is not."""
_ODD = re.compile(rb"[^\s0-9.+-][0-9.+-]|[0-9.][^\s0-9.]|[+-][+-]|[^\0-\x7f]|;|\bBI\b")
_LETTERS = re.compile(rb"[A-Za-z'\"*]+")
_APART = bytes.maketrans(b"\0()<>[]{}/%", b" " * 11)
"""What parts words, beside blanks."""
_WORDS = OPERANDS.keys() | VALUES
_LAST_WORD, _FIRST_WORD = re.compile(rb"/?" + REGULAR + rb"+\Z"), re.compile(REGULAR + rb"+")
_UNSAYABLE = re.compile(rb"[^\x20-\x7e]")


class Corrected(NamedTuple):
    """One that breaks the rules, as it was meant."""

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
        one, other = _scan(apart, resources), _scan(joined, resources)
        if other.faults < one.faults:
            return Corrected(other.content(), "a word in two streams")
    if not _is_odd(apart):
        return None
    scan = _scan(apart, resources)
    return Corrected(scan.content(), _sayable(scan.first_fault)) if scan.edits else None


def fault(parts: list[bytes], resources: Any) -> str | None:
    """The first word that breaks the rules; None where a content is written well."""
    scan = _scan(b"\n".join(parts), resources)
    return _sayable(scan.first_fault) if scan.faults else None


def is_content(data: bytes, resources: Any) -> bool:
    """Whether bytes that may be anything read like one."""
    if len(data) > _LONGEST or not any(word[0] in OPERANDS for word in _LETTERS.finditer(data)):
        return False
    return not _scan(data, resources).faults


def _scan(content: bytes, resources: Any) -> Scan:
    # Late, as hardly any content is odd.
    from ocr_worker.engines.pdf.content_scan import Scan

    return Scan(content, resources)


def _is_odd(content: bytes) -> bool:
    """Whether it is worth a closer look: a well written content hardly ever is."""
    plain = OPAQUE.sub(b" ", content)
    words = b" ".join(set(plain.translate(_APART).split()))
    return (
        plain.count(b"[") != plain.count(b"]")
        or plain.count(b"<<") != plain.count(b">>")
        or b"(" in plain
        or bool(_ODD.search(words))
        or not _WORDS.issuperset(_LETTERS.findall(words))
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
    return word in OPERANDS and (bool(NUMBER.fullmatch(following)) or OPERANDS.get(following) == 0)


def _sayable(word: bytes) -> str:
    return _UNSAYABLE.sub(b"?", b" ".join(word.split())[:30]).decode("ascii")
