"""Which words the language's data knows: its lists of words, of numbers, and of the punctuation around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ocr_worker.engines.ocr.lines.scan import DamagedDataError, Scan

_MAGIC = 42
_LAST, _BACKWARD, _WORD_END = 1, 2, 4
_FLAG_BITS = 3
_PATTERN = 0
"""In a list of punctuation a word, in a list of numbers a digit: the number of the space, which is in no word."""
_LONGEST_WORD = 64
_REMEMBERED = 4096
_Edges = dict[int, tuple[int, bool]]


class Graph:
    """One list: nodes, and from each a way on for each character. Nodes are looked at when first visited."""

    def __init__(self, content: bytes) -> None:
        """Raises DamagedDataError."""
        scan = Scan(content)
        if scan.number("h") != _MAGIC:
            raise DamagedDataError("has a list of words that is none")
        characters, count = scan.number("I"), scan.number("I")
        self._bits = characters.bit_length()
        self._edges = scan.array("<u8", count).astype(np.uint64, copy=False)
        if not (0 < self._bits < 32 and count):
            raise DamagedDataError("has a list of words that is empty")
        self._require_whole()
        self._nodes: dict[int, _Edges] = {}

    def _require_whole(self) -> None:
        """Every way leads to a node that there is, and every node has an end."""
        nodes = self._edges >> np.uint64(self._bits + _FLAG_BITS)
        nowhere = np.uint64((1 << (64 - self._bits - _FLAG_BITS)) - 1)
        if not ((nodes < len(nodes)) | (nodes == nowhere)).all():
            raise DamagedDataError("has a list of words that leads nowhere")
        if not int(self._edges[-1]) >> self._bits & _LAST:
            raise DamagedDataError("has a list of words without an end")
        self._nowhere = int(nowhere)

    def ways(self, node: int) -> _Edges:
        """From this node: by character the node that it leads to, and whether a word may end there."""
        found = self._nodes.get(node)
        if found is None:
            found = self._nodes[node] = self._read(node)
        return found

    def _read(self, node: int) -> _Edges:
        found: _Edges = {}
        mask = (1 << self._bits) - 1
        while True:
            edge = int(self._edges[node])
            flags, target = edge >> self._bits & 7, edge >> self._bits + _FLAG_BITS
            if target != self._nowhere and not flags & _BACKWARD:
                found[edge & mask] = target, bool(flags & _WORD_END)
            if flags & _LAST:
                return found
            node += 1


@dataclass(slots=True)
class WordList:
    """What a word is: punctuation, and within it words or numbers."""

    characters: dict[str, int]
    """Their numbers."""
    words: Graph
    punctuation: Graph | None = None
    numbers: Graph | None = None
    _known: dict[str, bool] = field(default_factory=dict)

    def holds(self, text: str) -> bool:
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[text] = self._holds(text)
        return known

    def _holds(self, text: str) -> bool:
        letters = [self.characters.get(one, -1) for one in text]
        if not 0 < len(letters) <= _LONGEST_WORD:
            return False
        digits = [_PATTERN if one.isdigit() else letter for one, letter in zip(text, letters, strict=True)]
        if self.punctuation is None:
            return len(letters) in set(_ends(self.words, letters, 0))
        return self._fits(letters, digits)

    def _fits(self, letters: Sequence[int], digits: Sequence[int]) -> bool:
        """Whether a way through the punctuation leads to its end, each place that it has for a word being filled."""
        assert self.punctuation is not None
        todo, seen = [(0, 0)], {(0, 0)}
        while todo:
            at, node = todo.pop()
            for character, (target, is_end) in self.punctuation.ways(node).items():
                for after in self._after(character, letters, digits, at):
                    if after == len(letters) and is_end:
                        return True
                    if target and (after, target) not in seen:
                        seen.add((after, target))
                        todo.append((after, target))
        return False

    def _after(self, character: int, letters: Sequence[int], digits: Sequence[int], at: int) -> Sequence[int]:
        """Where one may be after this step of the punctuation."""
        if character != _PATTERN:
            return [at + 1] if at < len(letters) and letters[at] == character else []
        ends = _ends(self.words, letters, at)
        return [*ends, *_ends(self.numbers, digits, at)] if self.numbers else ends


def _ends(graph: Graph, letters: Sequence[int], at: int) -> list[int]:
    """Where a word of the list may end that begins here."""
    found, node = [], 0
    while at < len(letters):
        way = graph.ways(node).get(letters[at])
        if way is None:
            break
        node, is_end = way
        at += 1
        if is_end:
            found.append(at)
        if not node:
            break
    return found
