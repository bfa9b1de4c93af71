"""What a content is made of: its words, and how many operands each operator takes. Source: ISO 32000-1, 7.3, 7.8.2 and annex A."""

from __future__ import annotations

import re

REGULAR = rb"[^\0\t\n\f\r ()<>\[\]{}/%]"
NESTED = rb"\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)"
"""A string, in which strings may be, in which no more may be."""
OPAQUE = re.compile(NESTED + rb"|<[0-9A-Fa-f\s]*>|%[^\r\n]*|/" + REGULAR + rb"*", re.DOTALL)
"""In which no word is one."""
NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)|[+-]?\.?")
VALUES = {b"true", b"false", b"null"}
OPERANDS = {
    **dict.fromkeys(b"b B b* B* f F f* n s S h q Q BT ET EMC BX EX T* W W* EI".split(), 0),
    **dict.fromkeys(b"Do gs cs CS ri i j J M w G g Tc Tw TL Tr Ts Tz Tj TJ ' BMC MP sh".split(), 1),
    **dict.fromkeys(b"d0 Td TD Tf m l d BDC DP".split(), 2),
    **dict.fromkeys(b'rg RG "'.split(), 3), **dict.fromkeys(b"re v y k K".split(), 4),
    **dict.fromkeys(b"d1 Tm cm c".split(), 6), **dict.fromkeys(b"SC sc SCN scn".split()),
}  # fmt: skip
"""How many each operator takes; None where that depends."""
