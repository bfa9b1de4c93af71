"""Language data of a small network, made by code: as sound as Tesseract's, and quick to read."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.engines.ocr import language_data

LETTERS = "abcdeghimnorst"
HEIGHT, DEPTH, STATES = 12, 4, 6
BLANK = 1
WORDS = ("tea", "team", "one")


@dataclass(frozen=True, slots=True)
class Made:
    """What may be made otherwise."""

    letters: Sequence[str] = LETTERS
    is_int: bool = True
    seed: int = 1
    code: Callable[[int], tuple[int, ...]] = lambda number: (number + 1,)
    """The classes of a letter, by its number from 1 on."""


def entries(made: Made = Made()) -> dict[int, bytes]:
    classes = 2 + len(made.letters)
    return {
        17: _network(made, classes),
        19: words_graph(WORDS, made.letters),
        21: _characters(made.letters),
        22: _codes(made),
        23: b"made",
    }


def traineddata(made: Made = Made()) -> bytes:
    return language_data.plain(entries(made))


def _network(made: Made, classes: int) -> bytes:
    weights = _Weights(made)
    convolved = _holder(
        "Series", [_layer("Convolve", 1, 9, struct.pack("<ii", 1, 1)), weights.full("Tanh", 9, DEPTH)]
    )
    layers = [
        _layer("Input", 1, 1, struct.pack("<5i", 1, HEIGHT, 0, 1, 0)),
        convolved,
        _layer("Maxpool", DEPTH, DEPTH, struct.pack("<ii", 3, 3)),
        _holder("XYTranspose", [weights.lstm("SummLSTM", DEPTH)]),
        weights.lstm("LSTM", STATES),
        _holder("RTLReversed", [weights.lstm("LSTM", STATES)]),
        weights.full("Softmax", STATES, classes),
    ]
    return _holder("Series", layers) + _text("made") + struct.pack("<4i3f", 65, 1, 1, BLANK, 0, 0, 0)


@dataclass(slots=True)
class _Weights:
    made: Made
    _chance: random.Random | None = None

    def lstm(self, kind: str, inputs: int) -> bytes:
        gates = b"".join(self._matrix(STATES, inputs + STATES + 1) for _ in range(4))
        return _layer(kind, inputs, STATES, struct.pack("<i", inputs + STATES) + gates)

    def full(self, kind: str, inputs: int, outputs: int) -> bytes:
        return _layer(kind, inputs, outputs, self._matrix(outputs, inputs + 1))

    def _matrix(self, rows: int, columns: int) -> bytes:
        self._chance = self._chance or random.Random(self.made.seed)
        values = [self._chance.randint(-127, 127) for _ in range(rows * columns)]
        size = struct.pack("<ii", rows, columns)
        if self.made.is_int:
            scales = struct.pack(f"<I{rows}d", rows, *[1 / 64] * rows)
            return b"\x81" + size + b"\0" + struct.pack(f"<{len(values)}b", *values) + scales
        return b"\x80" + size + bytes(8) + struct.pack(f"<{len(values)}d", *(value / 64 for value in values))


def _layer(kind: str, inputs: int, outputs: int, content: bytes) -> bytes:
    return b"\0" + _text(kind) + struct.pack("<bb4i", 0, 0, 192, inputs, outputs, 0) + _text(kind) + content


def _holder(kind: str, inner: Sequence[bytes]) -> bytes:
    return _layer(kind, 1, 1, struct.pack("<I", len(inner)) + b"".join(inner) + bytes(4))


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode()


def _characters(letters: Sequence[str]) -> bytes:
    lines = [
        "NULL 0 Common 0",
        *(f"{letter} 3 0,255,0,255,0,0,0,0,0,0 Latin 1 0 1 {letter}" for letter in letters),
    ]
    return "\n".join([str(len(lines)), *lines, ""]).encode()


def _codes(made: Made) -> bytes:
    codes = [(0,), *(made.code(number) for number in range(1, len(made.letters) + 1))]
    content = (struct.pack(f"<bI{len(code)}i", 1, len(code), *code) for code in codes)
    return struct.pack("<I", len(codes)) + b"".join(content)


def words_graph(words: Sequence[str], letters: Sequence[str]) -> bytes:
    """As Tesseract's `wordlist2dawg` writes a tree of words, each node's ways after one another."""
    bits = (len(letters) + 1).bit_length()
    nodes: list[dict[int, tuple[int, bool]]] = [{}]
    for word in words:
        node = 0
        for at, letter in enumerate(word):
            number = letters.index(letter) + 1
            target, is_end = nodes[node].get(number, (0, False))
            if not target and at + 1 < len(word):
                target = len(nodes)
                nodes.append({})
            nodes[node][number] = target, is_end or at + 1 == len(word)
            node = target
    places, at = [], 0
    for ways in nodes:
        places.append(at)
        at += len(ways)
    edges = [
        number | ((number == max(ways)) | is_end << 2) << bits | places[target] << bits + 3
        for ways in nodes
        for number, (target, is_end) in sorted(ways.items())
    ]
    return struct.pack(f"<hII{len(edges)}Q", 42, len(letters) + 1, len(edges), *edges)
