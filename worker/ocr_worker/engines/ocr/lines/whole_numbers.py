"""LSTMs in whole numbers, as libtesseract reckons them: what goes in and the states are 127ths, weights are bytes with scales.

ONNX Runtime's own LSTM reckons in fractions, and takes half as long again. Here each step is a few operators, repeated
along the line. Products are exact, so a line reads the same in any company. See docs/decisions/0223.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocr_worker.engines.ocr.lines.onnx_file import FLOAT, OF_THE_RUNTIME, UINT8, Graph
from ocr_worker.engines.ocr.lines.weights import Lstm, Matrix

ZERO = 128
"""What stands for 0 in bytes without a sign."""
_STEP = np.float32(1 / 127)
KNOWN = np.full((1, 64), 255, np.uint8)
PROBED = np.float32(65 * 127)


def probe() -> bytes:
    """A graph that takes KNOWN, the largest numbers that there are, and makes PROBED, if products of bytes do not run over."""
    graph, largest = Graph(), np.full((16, KNOWN.shape[1] + 1), 127, np.int8)
    product = add_product(graph, "known", [Matrix(largest, np.ones(len(largest)))])
    return graph.file({"known": (UINT8, KNOWN.shape)}, {product: (FLOAT, (1, len(largest)))})


def add_rounded(graph: Graph, known: str) -> str:
    """From -1 to 1 in bytes."""
    return graph.add("QuantizeLinear", [known, graph.constant(np.array(_STEP)), _zero(graph)])


def add_product(graph: Graph, known: str, matrices: Sequence[Matrix], times: Sequence[int] = (1,)) -> str:
    """The matrices' outputs after one another, of what is in bytes; each so many times as large."""
    weights = np.concatenate([one.values for one in matrices])
    scales = np.concatenate([time * scales_of(one) for one, time in zip(matrices, times, strict=True)])
    inputs = [
        known, graph.constant(np.ascontiguousarray(weights[:, :-1].T)),
        graph.constant(np.array(_STEP)), graph.constant(scales.astype(np.float32)),
        _zero(graph), graph.constant(np.array(0, np.int8)),
        graph.constant((weights[:, -1] * scales).astype(np.float32)),
    ]  # fmt: skip
    return graph.add("MatMulIntegerToFloat", inputs, domain=OF_THE_RUNTIME)


def scales_of(matrix: Matrix) -> NDArray[Any]:
    assert matrix.scales is not None
    return matrix.scales


def add_along(graph: Graph, lstm: Lstm, known: str, lengths: str, name: str) -> str:
    """The states along each line, whatever it is padded with."""
    if not lstm.is_backward:
        return add_lstm(graph, lstm, known, name)
    back = graph.add("ReverseSequence", [known, lengths], time_axis=0, batch_axis=1)
    return graph.add(
        "ReverseSequence", [add_lstm(graph, lstm, back, name), lengths], time_axis=0, batch_axis=1
    )


def add_lstm(graph: Graph, lstm: Lstm, known: str, name: str) -> str:
    """From (steps, lines, inputs) to (steps, lines, states)."""
    step = Graph(name)
    before, memory, now = step.name(), step.name(), step.name()
    after, kept, told = _step(step, lstm, before, memory, now)
    state = "lines", lstm.states
    body = step.part(
        {before: (UINT8, state), memory: (FLOAT, state), now: (UINT8, ("lines", lstm.inputs))},
        {after: (UINT8, state), kept: (FLOAT, state), told: (UINT8, state)},
    )
    lines = graph.add("Shape", [known], start=1, end=2)
    size = graph.add("Concat", [lines, graph.constant(np.array([lstm.states], np.int64))], axis=0)
    starts = (
        graph.add("Expand", [graph.constant(np.array([[start]], kind)), size])
        for start, kind in ((ZERO, np.uint8), (0, np.float32))
    )
    *_, states = graph.add_several("Scan", [*starts, known], 3, body=body, num_scan_inputs=1)
    return states


def _step(graph: Graph, lstm: Lstm, before: str, memory: str, now: str) -> tuple[str, str, str]:
    """State and memory after it, and the state once more, for it is passed on as well."""
    content, entry, forget, output = lstm.gates
    inputs = graph.add("Concat", [now, before], axis=-1)
    # A hyperbolic tangent is a sigmoid of twice as much, from -1 to 1: so all four are one operation.
    gates = add_product(graph, inputs, [entry, forget, output, content], (1, 1, 1, 2))
    sizes = graph.constant(np.array([lstm.states] * 4, np.int64))
    entry_, forget_, output_, content_ = graph.add_several(
        "Split", [graph.add("Sigmoid", [gates]), sizes], 4, axis=-1
    )
    one, two = (graph.constant(np.array(number, np.float32)) for number in (1, 2))
    content_ = graph.add("Sub", [graph.add("Mul", [content_, two]), one])
    kept = graph.add("Add", [graph.add("Mul", [forget_, memory]), graph.add("Mul", [entry_, content_])])
    state = add_rounded(graph, graph.add("Mul", [output_, graph.add("Tanh", [kept])]))
    return state, kept, graph.add("Identity", [state])


def _zero(graph: Graph) -> str:
    return graph.constant(np.array(ZERO, np.uint8))
