"""Character and word error rates and bag-of-words F1, defined as in the corpus's tools/cer.py --fold."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

_LETTERS = {
    "ſ": "s",
    "ﬁ": "fi",
    "ﬂ": "fl",
    "ﬀ": "ff",
    "ﬃ": "ffi",
    "ﬄ": "ffl",
    "ꝛ": "r",
    "\u00ad": "",
    "…": "...",
}
_QUOTES = dict.fromkeys("“”„‟", '"') | dict.fromkeys("‘’", "'") | dict.fromkeys("—–⸗", "-")
_FOLD = str.maketrans(_LETTERS | _QUOTES)
_UMLAUTS = (("a\u0364", "ä"), ("o\u0364", "ö"), ("u\u0364", "ü"))


@dataclass(frozen=True, slots=True)
class Score:
    """Counts rather than rates, so that pages add up to groups."""

    character_errors: int = 0
    characters: int = 0
    word_errors: int = 0
    words: int = 0
    words_found: int = 0
    words_common: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(
            self.character_errors + other.character_errors,
            self.characters + other.characters,
            self.word_errors + other.word_errors,
            self.words + other.words,
            self.words_found + other.words_found,
            self.words_common + other.words_common,
        )

    @property
    def cer(self) -> float:
        """Errors per hundred characters."""
        return 100 * self.character_errors / max(1, self.characters)

    @property
    def wer(self) -> float:
        """Errors per hundred words."""
        return 100 * self.word_errors / max(1, self.words)

    @property
    def f1(self) -> float:
        """Of the bag of words, 0 to 100: blind to the reading order. Nothing found where nothing is makes 100."""
        if not self.words + self.words_found:
            return 100.0
        return 200 * self.words_common / (self.words + self.words_found)


def score(truth: str, found: str) -> Score:
    """Compare two texts; runs of white space count as one space."""
    wanted, got = fold(truth), fold(found)
    wanted_words, got_words = wanted.split(), got.split()
    return Score(
        Levenshtein.distance(wanted, got),
        len(wanted),
        Levenshtein.distance(wanted_words, got_words),
        len(wanted_words),
        len(got_words),
        (Counter(wanted_words) & Counter(got_words)).total(),
    )


def score_pages(truth: str, found: str) -> Score:
    """Compare page with page where both have the same number of form feeds, else as a whole: a long text takes minutes."""
    wanted, got = truth.split("\f"), found.removesuffix("\f").split("\f")
    if len(wanted) != len(got):
        return score(truth, found)
    return sum(map(score, wanted, got), start=Score())


def fold(text: str) -> str:
    """Join words parted at a line's end and write old letters, ligatures, quotes and dashes in their plain form."""
    joined = re.sub(r"(\w)[-¬⸗\u00ad]\s*\n\s*(\w)", r"\1\2", unicodedata.normalize("NFC", text))
    plain = joined.translate(_FOLD)
    for old, new in _UMLAUTS:
        plain = plain.replace(old, new)
    return re.sub(r"\s+", " ", plain).strip()
