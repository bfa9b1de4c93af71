"""LSTMs in whole numbers reckon as libtesseract does, the same in any company and on any processor."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("onnxruntime", reason="needs onnxruntime", exc_type=ImportError)

import numpy as np
from numpy.typing import NDArray

from ocr_worker.engines.ocr.lines import network, whole_numbers
from ocr_worker.engines.ocr.lines.onnx_file import INT64, UINT8, Graph
from ocr_worker.engines.ocr.lines.weights import Floats, Lstm, Matrix

INPUTS, STATES = 5, 16
LENGTHS = (7, 3, 9)


def lstm(*, is_backward: bool) -> Lstm:
    chance = np.random.default_rng(3)
    gates = tuple(
        Matrix(
            chance.integers(-127, 128, (STATES, INPUTS + STATES + 1)).astype(np.int8),
            chance.uniform(0.005, 0.02, STATES),
        )
        for _ in range(4)
    )
    return Lstm(gates, is_backward=is_backward)


def lines() -> list[Floats]:
    chance = np.random.default_rng(4)
    return [chance.uniform(-1, 1, (length, INPUTS)).astype(np.float32) for length in LENGTHS]


def in_bytes(values: Floats) -> NDArray[np.uint8]:
    return (np.rint(values * 127) + whole_numbers.ZERO).astype(np.uint8)


def by_hand(known: Lstm, line: Floats) -> NDArray[Any]:
    """As `LSTM::Forward` goes along a line: what goes in and each state in whole 127ths."""
    state, memory = np.zeros(STATES), np.zeros(STATES)
    states = []
    for step in line[::-1] if known.is_backward else line:
        inputs = np.concatenate([np.rint(step * 127), state, [127]])
        content, entry, forget, output = (
            gate.values.astype(np.int64) @ inputs / 127 * gate.scales for gate in known.gates
        )
        memory = sigmoid(forget) * memory + sigmoid(entry) * np.tanh(content)
        state = np.rint(sigmoid(output) * np.tanh(memory) * 127)
        states.append(state + whole_numbers.ZERO)
    return np.array(states[::-1] if known.is_backward else states)


def sigmoid(values: NDArray[Any]) -> NDArray[Any]:
    made: NDArray[Any] = 1 / (1 + np.exp(-values))
    return made


def read(known: Lstm) -> NDArray[Any]:
    """All lines together, padded with what is no zero."""
    graph = Graph()
    states = whole_numbers.add_along(graph, known, "known", "lengths", "step")
    inputs = {"known": (UINT8, ("steps", "lines", INPUTS)), "lengths": (INT64, ("lines",))}
    file = graph.file(inputs, {states: (UINT8, ("steps", "lines", STATES))})
    padded = np.full((max(LENGTHS), len(LENGTHS), INPUTS), 7, np.uint8)
    for number, line in enumerate(lines()):
        padded[: len(line), number] = in_bytes(line)
    feeds = {"known": padded, "lengths": np.array(LENGTHS, np.int64)}
    made: NDArray[Any] = network.session(file, network.CPU).run(None, feeds)[0]
    return made


@pytest.mark.parametrize("is_backward", [False, True])
@pytest.mark.parametrize("runs_over", [False, True])
def test_states_are_those_that_are_reckoned_by_hand(
    *, runs_over: bool, is_backward: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if runs_over:
        monkeypatch.setattr(network, "runs_over", lambda: True)
    known = lstm(is_backward=is_backward)

    made = read(known)

    for number, line in enumerate(lines()):
        states = made[: len(line), number].astype(int)
        # A state between two steps may be rounded to either.
        assert np.abs(states - by_hand(known, line)).max() <= 1
        assert np.ptp(states) > 100


def test_products_of_the_largest_bytes_are_right_however_wide_they_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not network.runs_over():
        (made,) = network.session(whole_numbers.probe(), network.CPU).run(
            None, {"known": whole_numbers.KNOWN}
        )
        assert np.allclose(made, whole_numbers.PROBED)
    monkeypatch.setattr(network, "runs_over", lambda: True)

    (made,) = network.session(whole_numbers.probe(), network.CPU).run(None, {"known": whole_numbers.KNOWN})

    assert np.allclose(made, whole_numbers.PROBED)


@pytest.mark.parametrize(
    ("lengths", "batches"),
    [
        ([290, 12, 300, 14, 295, 10, 11], [[2, 4, 0], [3, 1, 6, 5]]),
        ([100, 90, 80], [[0, 1, 2]]),
        ([6000, 6000, 6000], [[0, 1], [2]]),
        ([], []),
    ],
)
def test_lines_are_read_together_unless_they_would_be_mostly_padded_or_too_many(
    lengths: list[int], batches: list[list[int]]
) -> None:
    assert list(network._batches(lengths)) == batches
