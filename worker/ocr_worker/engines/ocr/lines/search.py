"""Search a stretch of steps for what it reads as: the likeliest text, where words of a list weigh less than others.

The rules are those of Tesseract's search (`RecodeBeamSearch`), for codes of one class a character: of each step the two
likeliest classes count, and the blank; five beginnings of each kind are followed. So single words come out as there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ocr_worker.engines.ocr.lines.weights import Floats
from ocr_worker.engines.ocr.lines.word_list import State, WordList

PER_STEP = -0.085
"""Added to the logarithm of how likely each step is."""
UNKNOWN_WORD = 2.25
"""By so much that weighs more in a word that no list has; all weights are negative."""
KEPT = 5
"""So many beginnings of each kind are followed at a time."""
WORST_KNOWN = -25 / 7
"""A step that weighs less is none of a word of the list."""
WORST = -20.0
_UNLIKELY = 1e-5
"""What is less likely is left out, for speed."""
_HOPELESS = 12.0
"""So much behind the best of its kind a beginning is given up, for speed."""
_FREELY, _AGAIN, _OVER = range(3)
"""How a beginning goes on: with anything; with its last character once more; with anything but that."""
_SEEN_BEFORE_SPACE, _UNKNOWN, _KNOWN = range(3)
"""What a character belongs to: the space before a word of the list that follows another one, any text, a word of the list."""


class Letter(NamedTuple):
    """A character of the text that was found."""

    character: int
    """Its class."""
    first: int
    last: int
    """Steps that see it."""
    weight: float
    """Of its worst step, or of the worst between it and the letter before."""

    def at_least_as_doubtful(self, weight: float) -> Letter:
        return self._replace(weight=min(self.weight, weight))


class _Node:
    """A beginning up to a step, by its last step."""

    __slots__ = (
        "before", "code", "is_end", "is_same", "is_start", "kind", "letter", "score", "state", "text", "weight",
    )  # fmt: skip

    def __init__(self, code: int, weight: float, before: _Node | None, kind: int) -> None:
        self.code, self.weight, self.before, self.kind = code, weight, before, kind
        self.score: float = weight + (before.score if before else 0.0)
        self.text: int = before.text if before else 0
        """Stands for the characters so far."""
        self.letter: _Node | None = before.letter if before else None
        """The step in which the last character was first seen."""
        self.is_same = False
        """Whether the step sees the same character as the one before it."""
        self.state: State | None = None
        self.is_end = False
        self.is_start = False
        """Whether a word of the list may begin after it."""


_Beam = dict[tuple[int, int, int, bool], _Node]


@dataclass(frozen=True, slots=True)
class _Step:
    """How much a class weighs in a step; alone, with the blank beside it, and with its rival too."""

    alone: dict[int, float]
    blurred: dict[int, float]
    rivals: frozenset[int]
    disputed: float


@dataclass(frozen=True, slots=True)
class Search:
    """Knows what the classes stand for, and which words there are."""

    texts: Sequence[str]
    """Of each class; empty for what is no character."""
    blank: int
    space: int
    words: WordList | None

    def read(self, steps: Floats) -> list[Letter]:
        """The letters of (steps, classes) likelihoods."""
        beams = _Beams(self)
        for step in self._steps(steps):
            beams = beams.followed(step)
        return _letters(beams.best(), self.blank, self.space)

    def _steps(self, steps: Floats) -> Iterator[_Step]:
        order = steps.argpartition(-2, axis=1)[:, -2:].tolist()
        for row, (one, other) in zip(steps, order, strict=True):
            nothing = float(row[self.blank])
            shares = {code: float(row[code]) for code in {one, other} if self.texts[code]}
            most = max(shares.values(), default=0.0)
            shares = {
                code: share for code, share in shares.items() if share >= _UNLIKELY or share == most > nothing
            }
            alone = {code: _weight(share) for code, share in shares.items()}
            blurred = {code: _weight(share + nothing) for code, share in shares.items()}
            if nothing >= _UNLIKELY or not alone:
                alone[self.blank] = _weight(nothing)
            yield _Step(alone, blurred, frozenset(shares), _weight(sum(shares.values()) + nothing))


class _Beams:
    """The beginnings that are followed: by how they go on those of any text, and those within a word of the list."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._unknown: tuple[_Beam, ...] = ({}, {}, {})
        self._known: tuple[_Beam, ...] = ({}, {}, {})
        self._starts: list[_Node | None] = [None, None, None]
        """Before a word of the list: the best alone."""
        self._is_first = True

    def followed(self, step: _Step) -> _Beams:
        after = _Beams(self._search)
        after._is_first = False
        if self._is_first:
            after._go_on(None, step, _FREELY, after._begin_unknown)
            if self._search.words is not None:
                after._go_on(None, step, _FREELY, after._begin_known)
        after._follow(self._unknown, step, is_known=False)
        after._follow(self._known, step, is_known=True)
        for go_on, start in enumerate(after._starts):
            if start is not None:
                _keep(after._known[go_on], start)
        return after

    def _follow(self, beams: Sequence[_Beam], step: _Step, *, is_known: bool) -> None:
        begin = self._begin_known if is_known else self._begin_unknown
        nodes = [(go_on, node) for go_on, beam in enumerate(beams) for node in beam.values()]
        least = max((node.score for _, node in nodes), default=0.0) - _HOPELESS
        for go_on, node in nodes:
            if node.score >= least:
                self._repeat(node, step, go_on, is_known=is_known)
                self._go_on(node, step, go_on, begin)

    def best(self) -> _Node | None:
        """At its end, a word of the list is whole."""
        ends = [node for go_on in (_FREELY, _OVER) for node in self._unknown[go_on].values()]
        ends += [
            node for go_on in (_FREELY, _OVER) for node in self._known[go_on].values()
            if node.letter and (node.letter.is_end or node.letter.code == self._search.space)
        ]  # fmt: skip
        return max(ends, key=lambda node: node.score, default=None)

    def _repeat(self, node: _Node, step: _Step, go_on: int, *, is_known: bool) -> None:
        code = node.code
        if code not in step.alone:
            return
        if go_on != _OVER:
            self._push_same(node, step.alone[code], _FREELY, is_known=is_known)
        if go_on == _FREELY and code != self._search.blank:
            self._push_same(node, step.blurred[code], _OVER, is_known=is_known)

    def _push_same(self, node: _Node, weight: float, go_on: int, *, is_known: bool) -> None:
        if not is_known:
            weight *= UNKNOWN_WORD
        if weight > WORST_KNOWN if is_known else (weight >= WORST or node.code == self._search.blank):
            same = _Node(node.code, weight, node, node.kind)
            same.is_same = True
            _keep((self._known if is_known else self._unknown)[go_on], same)

    def _go_on(
        self,
        node: _Node | None,
        step: _Step,
        go_on: int,
        begin: Callable[[int, float, int, _Node | None], None],
    ) -> None:
        """With another character, or with none."""
        if go_on == _AGAIN:
            return
        blank, last = self._search.blank, node.code if node else -1
        is_disputed = go_on == _FREELY and last in step.rivals
        for code, weight in step.alone.items():
            if code == last or (weight < WORST and code != blank):
                continue
            begin(code, weight, _FREELY, node)
            if code != blank:
                begin(code, step.disputed if is_disputed else step.blurred[code], _AGAIN, node)

    def _begin_unknown(self, code: int, weight: float, go_on: int, before: _Node | None) -> None:
        self._push_letter(self._unknown[go_on], _Node(code, weight * UNKNOWN_WORD, before, _UNKNOWN))
        if code == self._search.space and self._search.words is not None and weight > WORST_KNOWN:
            self._start(_Node(code, weight, before, _SEEN_BEFORE_SPACE), go_on)

    def _begin_known(self, code: int, weight: float, go_on: int, before: _Node | None) -> None:
        if weight <= WORST_KNOWN:
            return
        words, letter = self._search.words, before.letter if before else None
        assert words is not None
        if code == self._search.blank:
            _keep(self._known[go_on], _Node(code, weight, before, _SEEN_BEFORE_SPACE))
        elif code == self._search.space:
            if letter and letter.is_end:
                self._start(_Node(code, weight, before, letter.kind), go_on)
                self._push_letter(self._unknown[go_on], _Node(code, weight, before, letter.kind))
        elif state := (letter.state if letter else words.start):
            after, is_end = words.after(state, self._search.texts[code])
            if after is not None:
                node = _Node(code, weight, before, _KNOWN)
                node.state, node.is_end = after, is_end
                self._push_letter(self._known[go_on], node)

    def _start(self, space: _Node, go_on: int) -> None:
        best = self._starts[go_on]
        if best is None or space.score > best.score:
            words = self._search.words
            assert words is not None
            space.state, space.is_start = words.start, True
            self._named(space)
            self._starts[go_on] = space

    def _push_letter(self, beam: _Beam, node: _Node) -> None:
        if node.code != self._search.blank:
            self._named(node)
        _keep(beam, node)

    @staticmethod
    def _named(node: _Node) -> None:
        node.text = hash((node.text, node.code))
        node.letter = node


def _keep(beam: _Beam, node: _Node) -> None:
    """Of two that have read the same, the better one; of all, the best."""
    name = node.code, node.text, node.kind, node.is_start
    same = beam.get(name)
    if same is None and len(beam) >= KEPT:
        worst = min(beam, key=lambda other: beam[other].score)
        if node.score <= beam[worst].score:
            return
        del beam[worst]
    if same is None or node.score > same.score:
        beam[name] = node


def _weight(share: float) -> float:
    return math.log(max(share, 2e-9)) + PER_STEP


def _letters(end: _Node | None, blank: int, space: int) -> list[Letter]:
    """The steps up to this one as letters: what lies between two counts for the later one, or for the one before a space."""
    nodes: list[_Node] = []
    while end is not None:
        nodes.append(end)
        end = end.before
    letters: list[Letter] = []
    between = 0.0
    for step, node in enumerate(reversed(nodes)):
        if node.code == blank:
            between = min(between, node.weight)
        elif node.is_same:
            letters[-1] = letters[-1]._replace(last=step, weight=min(letters[-1].weight, node.weight))
        else:
            if node.code == space:
                letters[-1:] = [letter.at_least_as_doubtful(between) for letter in letters[-1:]]
                between = 0.0
            letters.append(Letter(node.code, step, step, min(between, node.weight)))
            between = 0.0
    letters[-1:] = [letter.at_least_as_doubtful(between) for letter in letters[-1:]]
    return letters
