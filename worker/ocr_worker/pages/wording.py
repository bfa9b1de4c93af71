"""Whether text reads like words of a language, or its letters stand for others: a character map can be wrong throughout.

Each pair of neighbouring letters costs as many bits as it is rare in the word lists of fifteen European languages in
Latin script (ces dan deu eng fin fra hun ita nld pol por ron spa swe tur). Pages of these, of lists and
of program code come to 3.2 to 4.4 bits a pair; with their letters exchanged, to 5.4 to 7.1. Other scripts are not judged.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import product
from string import ascii_lowercase
from typing import Literal

Verdict = Literal["words", "letters", "unknown"]
STRANGE_BITS = 5.1
STRANGE_SHARE = 0.3
"""Of a page: one line that was meant for nobody to read spoils none."""
LEAST_PAIRS = 60
"""Fewer tell nothing."""
_PIECE = 100
_MOST_CHARACTERS = 3_000
_LATIN_SHARE = 0.7
_MARKED = re.compile(r"[\u00c0-\u024f]")
_MARKED_SHARE = 0.6
"""Of the letters of no language: Vietnamese has 0.3. It is another script in a wrong encoding."""
_LEAST_LETTERS = 30
_LETTER = re.compile(r"[a-z]")
_FOLDED = str.maketrans({
    "\u00df": "ss", "\u00f8": "o", "\u0142": "l", "\u00e6": "ae", "\u0153": "oe", "\u0131": "i", "\u0111": "d", "\u017f": "s",
})  # fmt: skip
_ROWS = (
    "65446657565343859343558976"
    "26882999379487399357499969"
    "39693993384598399554599966"
    "37862988378686389557478966"
    "57546657565443769234768786"
    "39983489298498399465499979"
    "38972956399575399366499969"
    "29872999378676399575488969"
    "46454658675453468534759986"
    "28862899496676389766389988"
    "36882988386476389544488959"
    "27762877386466389965479959"
    "25982899398657349867499969"
    "38533647386785499943579957"
    "66556657675443659344555876"
    "39893796398488359355499979"
    "66666666666666666666166666"
    "36652767386655379654568966"
    "38493786394567459842478965"
    "28892996387677399454488958"
    "55555657465343659334768876"
    "29982999298697399678689969"
    "27872884298674389557797968"
    "37473796297667439863588658"
    "35453756575444459534566977"
    "27762987397676389876486954"
)
"""Of the second letter after the first: a row for each first one."""
_BITS = {pair: int(bits) for pair, bits in zip(product(ascii_lowercase, repeat=2), _ROWS, strict=True)}
_FOREIGN, _FOREIGN_BITS = "0123456789#$%&*+<=>^`{|}~\\", 9
"""Characters that seldom stand next to a letter; marks of punctuation do."""
_BITS |= {
    pair: _FOREIGN_BITS
    for letter, other in product(ascii_lowercase, _FOREIGN)
    for pair in ((letter, other), (other, letter))
}


FEW_PAIRS, FEWEST_PAIRS = 4, 8
BETTER_BITS = 0.15
"""Of a pair, between two readings of the same text."""


def judge(text: str) -> Verdict:
    """Words; letters that make none; unknown for too little text, or none in Latin script."""
    text = text[:_MOST_CHARACTERS]
    plain, letters = _folded(text), sum(map(str.isalpha, text))
    if letters >= _LEAST_LETTERS and len(_MARKED.findall(text)) > _MARKED_SHARE * letters:
        return "letters"
    if not plain.isascii() and len(_LETTER.findall(plain)) < _LATIN_SHARE * sum(map(str.isalpha, plain)):
        return "unknown"
    costs = _costs(plain)
    if len(costs) < LEAST_PAIRS:
        return "unknown"
    pieces = [costs[at : at + _PIECE] for at in range(0, max(1, len(costs) - _PIECE // 2), _PIECE)]
    strange = sum(sum(piece) >= STRANGE_BITS * len(piece) for piece in pieces)
    return "letters" if strange >= STRANGE_SHARE * len(pieces) else "words"


def is_strange(text: str) -> bool:
    """Whether a text that is too short to tell has hardly a pair of letters as words have them, or is of names and abbreviations."""
    costs = _costs(_folded(text[:_MOST_CHARACTERS]))
    return FEW_PAIRS <= len(costs) < LEAST_PAIRS and sum(costs) >= STRANGE_BITS * len(costs)


def reads_better(text: str, other: str) -> bool:
    """Whether the first of two readings is clearly more like words."""
    first, second = (_costs(_folded(one[:_MOST_CHARACTERS])) for one in (text, other))
    if min(len(first), len(second)) < FEWEST_PAIRS:
        return False
    return sum(first) / len(first) + BETTER_BITS <= sum(second) / len(second)


def _costs(plain: str) -> list[int]:
    # No pair costs nothing.
    return list(filter(None, map(_BITS.get, zip(plain, plain[1:], strict=False))))  # noqa: RUF007  # keeps no pair


def _folded(text: str) -> str:
    """Small letters without their marks."""
    text = text.lower()
    if text.isascii():
        return text
    return "".join(
        c for c in unicodedata.normalize("NFD", text.translate(_FOLDED)) if not unicodedata.combining(c)
    )
