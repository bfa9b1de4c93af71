"""Which words the language's data knows: its lists of words, of numbers, and of the punctuation around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ocr_worker.engines.ocr.lines.scan import DamagedDataError, Scan

_MAGIC = 42
_LAST, _BACKWARD, _WORD_END = 1, 2, 4
_FLAG_BITS = 3
_PATTERN = 0
"""In a list of punctuation a word, in a list of numbers a digit: the number of the space, which is in no word."""
_LONGEST_WORD = 64
_REMEMBERED = 4096
_NOWHERE = -1
_BEFORE, _WORD, _NUMBER, _AFTER = range(4)
"""Within punctuation before a word, within a word or a number, within punctuation after it."""
_Edges = dict[int, tuple[int, bool]]


class Graph:
    """One list: nodes, and from each a way on for each character. Nodes are looked at when first visited."""

    def __init__(self, content: bytes) -> None:
        """Raises DamagedDataError."""
        scan = Scan(content)
        if scan.number("h") != _MAGIC:
            raise DamagedDataError("has a list of words that is none")
        characters, count = scan.number("I"), scan.number("I")
        self._characters, self._bits = characters, characters.bit_length()
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

    def way(self, node: int, character: int) -> tuple[int, bool] | None:
        """The node that the character leads to from this one, `_NOWHERE` at an end, and whether a word may end with it."""
        if node == _NOWHERE:
            return None
        ways = self._nodes.get(node)
        if ways is None:
            ways = self._nodes[node] = self._read(node)
        return ways.get(character)

    def _read(self, node: int) -> _Edges:
        """Nodes share no ways, and have no more than there are letters: so a list, damaged or not, takes no more than its length."""
        found: _Edges = {}
        if node and not int(self._edges[node - 1]) >> self._bits & _LAST:
            return found
        mask = (1 << self._bits) - 1
        for edge in map(int, self._edges[node : node + self._characters]):
            flags, target = edge >> self._bits & 7, edge >> self._bits + _FLAG_BITS
            if target != self._nowhere and not flags & _BACKWARD:
                found[edge & mask] = target or _NOWHERE, bool(flags & _WORD_END)
            if flags & _LAST:
                break
        return found


class _Place(NamedTuple):
    kind: int
    node: int
    """In the list of that kind; `_NOWHERE` from where nothing follows."""
    is_end: bool = False
    """Whether the word or number may end there."""
    punctuation: int = _NOWHERE
    """The node of the punctuation after it."""
    may_be_last: bool = True
    """Whether nothing need follow after it."""


class State:
    """Where a word may be in the lists after its letters so far."""

    __slots__ = ("places", "ways")

    def __init__(self, places: frozenset[_Place]) -> None:
        self.places = places
        self.ways: dict[str, tuple[State | None, bool]] = {}
        """By the letter that follows: where that leads, and whether a word may end there."""


@dataclass(slots=True)
class WordList:
    """What a word is: punctuation, and within it a word or a number."""

    characters: dict[str, int]
    """Their numbers."""
    words: Graph
    punctuation: Graph | None = None
    numbers: Graph | None = None
    start: State = field(init=False)
    _states: dict[frozenset[_Place], State] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.start = State(frozenset(self._first_places()))

    def holds(self, text: str) -> bool:
        state: State | None = self.start
        is_end = False
        for character in text if len(text) <= _LONGEST_WORD else "":
            if state is None:
                return False
            state, is_end = self.after(state, character)
        return is_end

    def after(self, state: State, character: str) -> tuple[State | None, bool]:
        """Where this character leads, and whether a word may end with it."""
        known = state.ways.get(character)
        if known is None:
            known = state.ways[character] = self._after(state, character)
        return known

    def _after(self, state: State, character: str) -> tuple[State | None, bool]:
        letter = self.characters.get(character, -1)
        if letter <= _PATTERN:
            return None, False
        steps = [
            step
            for place in state.places
            for step in self._steps(place, letter, is_digit=character.isdigit())
        ]
        places = frozenset(place for place, _ in steps)
        if not places:
            return None, False
        if len(self._states) >= _REMEMBERED:
            self._states.clear()
            self.start.ways.clear()
        return self._states.setdefault(places, State(places)), any(is_end for _, is_end in steps)

    def _first_places(self) -> Iterator[_Place]:
        if self.punctuation:
            yield _Place(_BEFORE, 0)
            return
        yield _Place(_WORD, 0)
        if self.numbers:
            yield _Place(_NUMBER, 0)

    def _steps(self, place: _Place, letter: int, *, is_digit: bool) -> Iterator[tuple[_Place, bool]]:
        """Where the letter leads from there, and whether it may be the last one."""
        if place.kind in {_WORD, _NUMBER}:
            yield from self._within(place, letter, is_digit=is_digit)
            if place.is_end:
                yield from self._around(_AFTER, place.punctuation, letter)
            return
        yield from self._around(place.kind, place.node, letter)
        opened = self.punctuation.way(place.node, _PATTERN) if self.punctuation else None
        if place.kind == _BEFORE and opened:
            for kind in (_WORD, _NUMBER):
                first = _Place(kind, 0, punctuation=opened[0], may_be_last=opened[1])
                yield from self._within(first, letter, is_digit=is_digit)

    def _within(self, place: _Place, letter: int, *, is_digit: bool) -> Iterator[tuple[_Place, bool]]:
        graph = self.words if place.kind == _WORD else self.numbers
        if graph and (
            way := graph.way(place.node, _PATTERN if is_digit and place.kind == _NUMBER else letter)
        ):
            node, is_end = way
            yield place._replace(node=node, is_end=is_end), is_end and place.may_be_last

    def _around(self, kind: int, node: int, letter: int) -> Iterator[tuple[_Place, bool]]:
        if self.punctuation and (way := self.punctuation.way(node, letter)):
            yield _Place(kind, way[0]), way[1]
