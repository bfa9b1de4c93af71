"""Which words and which script a language's data knows: enough to tell languages apart, and read without any library."""

from __future__ import annotations

import struct
import sys
from array import array
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ocr_worker.engines.ocr.traineddata import CHARACTERS, WORDS, read_entries
from ocr_worker.errors import LanguageMissingError

_MAGIC = 42
_LAST, _BACKWARD, _WORD_END = 1, 2, 4
_FLAG_BITS = 3
_HEAD = struct.Struct("<hii")
_LONGEST_WORD, _LONGEST_CHARACTER = 64, 24
_MOST_EDGES_A_NODE = 1 << 16
_NO_SCRIPTS = {"Common", "Inherited", "NULL", "0"}
"""Of digits, punctuation and marks."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    script: str
    """The one of most of its characters, as Tesseract calls it; empty where it says none."""
    scripts: frozenset[str]
    """All of which it has more than one character in fifty."""
    _characters: dict[str, int]
    _edges: array[int]
    _bits: int

    @property
    def has_words(self) -> bool:
        return bool(self._edges)

    def knows(self, word: str) -> bool:
        """Whether the word is on the list, or would be if it did not begin a sentence."""
        return self._has(word) or (word[:1].isupper() and self._has(word.lower()))

    def _has(self, word: str) -> bool:
        letters = self._letters(word)
        if not letters or not self._edges:
            return False
        node, is_end = 0, False
        for number, letter in enumerate(letters):
            if number and not node:
                return False
            found = self._way(node, letter)
            if found is None:
                return False
            node, is_end = found
        return is_end

    def _letters(self, word: str) -> list[int]:
        """Numbers of its characters, each as long as can be: some scripts have several letters in one."""
        found, at = [], 0
        if len(word) > _LONGEST_WORD:
            return []
        while at < len(word):
            ends = range(min(len(word), at + _LONGEST_CHARACTER), at, -1)
            end = next((end for end in ends if word[at:end] in self._characters), None)
            if end is None:
                return []
            found.append(self._characters[word[at:end]])
            at = end
        return found

    def _way(self, node: int, letter: int) -> tuple[int, bool] | None:
        """Where a letter leads from a node, and whether a word may end there."""
        mask, edges = (1 << self._bits) - 1, self._edges
        for at in range(node, min(len(edges), node + _MOST_EDGES_A_NODE)):
            edge = edges[at]
            flags = edge >> self._bits & 7
            if edge & mask == letter and not flags & _BACKWARD:
                target = edge >> self._bits + _FLAG_BITS
                return (target if target < len(edges) else 0), bool(flags & _WORD_END)
            if flags & _LAST:
                return None
        return None


def vocabulary(file: Path) -> Vocabulary | None:
    """Of a data file, each looked at once while it stays as it is; None for one that can't be read."""
    try:
        status = file.stat()
    except OSError:
        return None
    return _read(file, (status.st_size, status.st_mtime_ns, status.st_ino))


def of_script(name: str) -> Vocabulary:
    """What stands for the data of a whole script, which is large, and knows the words of all its languages."""
    plain = name.removesuffix("_vert")
    script = "Han" if plain in ("HanS", "HanT", "Japanese") else plain
    marks = frozenset({"Hiragana", "Katakana"} if plain == "Japanese" else ())
    return Vocabulary(script, marks, {}, array("Q"), 0)


@lru_cache(maxsize=256)
def _read(file: Path, _: tuple[int, int, int]) -> Vocabulary | None:
    try:
        entries = read_entries(file)
        rows = entries.get(CHARACTERS, b"").decode("utf-8").split("\n")[1:]
    except (LanguageMissingError, UnicodeDecodeError):
        return None
    characters, counted = dict[str, int](), Counter[str]()
    for number, row in enumerate(filter(None, rows)):
        character, *facts = row.split(" ")
        characters.setdefault(character, number)
        counted.update(fact for fact in facts[1:3] if fact.isalpha() and fact not in _NO_SCRIPTS)
    edges, bits = _graph(entries.get(WORDS, b""))
    many = frozenset(script for script, count in counted.items() if count * 50 >= counted.total())
    script = counted.most_common(1)[0][0] if counted else ""
    return Vocabulary(script, many, characters, edges, bits)


def _graph(content: bytes) -> tuple[array[int], int]:
    """The edges of a list of words and how many bits of each are a letter; none for what is no such list."""
    none = array("Q")
    if len(content) < _HEAD.size:
        return none, 0
    magic, characters, count = _HEAD.unpack_from(content)
    body = content[_HEAD.size :]
    if magic != _MAGIC or not 0 < characters < 1 << 24 or not 0 < count <= len(body) // 8:
        return none, 0
    edges = array("Q", body[: 8 * count])
    if sys.byteorder == "big":
        edges.byteswap()
    return edges, characters.bit_length()
