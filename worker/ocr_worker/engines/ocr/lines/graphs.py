"""The network as two graphs: the columns of a line, and then all lines of a batch along their length."""

from __future__ import annotations

import numpy as np

from ocr_worker.engines.ocr.lines.onnx_file import FLOAT, INT32, Graph
from ocr_worker.engines.ocr.lines.weights import Lstm, Network

LINE, EDGES, COLUMNS, LENGTHS = "line", "edges", "columns", "lengths"
"""What goes in: a line's pixels, and patches of those at its edge; the columns of a batch of lines, padded; and how many each line has."""


def columns_graph(network: Network) -> bytes:
    """From pixels (1, 1, height, width) to (steps, states): what stands in each column of the line."""
    graph, (across, down) = Graph(), network.pool
    image = _convolved(graph, network)
    # Tesseract takes the hyperbolic tangent before it pools: that is the same, of nine times as many numbers.
    image = graph.add("MaxPool", [image], kernel_shape=(down, across), strides=(down, across))
    image = _rounded(graph, graph.add("Tanh", [image]), network)
    steps = graph.add("Transpose", [image], perm=(2, 0, 3, 1))
    shape = graph.constant(np.array([network.height // down, -1, network.convolution.outputs], np.int64))
    state = _lstm(graph, network.columns, graph.add("Reshape", [steps, shape]), lengths="", last=True)
    first = graph.constant(np.array([0], np.int64))
    state = _rounded(graph, graph.add("Squeeze", [state, first]), network)
    inputs = {LINE: (FLOAT, (1, 1, network.height, "width")), EDGES: (FLOAT, ("pixels", 9))}
    return graph.file(inputs, state, ("steps", network.columns.states))


def _convolved(graph: Graph, network: Network) -> str:
    """The line within, and what its edge is by the patches of it."""
    weights, depth, height = network.convolution.floats(), network.convolution.outputs, network.height
    # The file has them column by column.
    kernel = weights[:, :9].reshape(depth, 1, 3, 3).transpose(0, 1, 3, 2)
    bias = graph.constant(np.ascontiguousarray(weights[:, 9]))
    within = graph.add(
        "Conv", [LINE, graph.constant(np.ascontiguousarray(kernel)), bias], kernel_shape=(3, 3)
    )
    edge = graph.add("MatMul", [EDGES, graph.constant(np.ascontiguousarray(weights[:, :9].T))])
    edge = graph.add("Transpose", [graph.add("Add", [edge, bias])], perm=(1, 0))
    sides = 2 * (height - 2)
    rows = graph.add("Slice", [edge, *_whole_numbers(graph, 0, -sides, 1)])
    columns = graph.add("Slice", [edge, *_whole_numbers(graph, -sides, 1 << 40, 1)])
    rows = graph.add("Reshape", [rows, graph.constant(np.array([1, depth, 2, -1], np.int64))])
    columns = graph.add("Reshape", [columns, graph.constant(np.array([1, depth, 2, height - 2], np.int64))])
    columns = graph.add("Transpose", [columns], perm=(0, 1, 3, 2))
    left, right = (graph.add("Slice", [columns, *_whole_numbers(graph, at, at + 1, 3)]) for at in (0, 1))
    first, last = (graph.add("Slice", [rows, *_whole_numbers(graph, at, at + 1, 2)]) for at in (0, 1))
    middle = graph.add("Concat", [left, within, right], axis=3)
    return graph.add("Concat", [first, middle, last], axis=2)


def _whole_numbers(graph: Graph, *numbers: int) -> list[str]:
    return [graph.constant(np.array([number], np.int64)) for number in numbers]


def along_graph(network: Network) -> bytes:
    """From columns (steps, lines, states) to (steps, lines, classes): how likely each class is."""
    graph, known = Graph(), COLUMNS
    second = graph.constant(np.array([1], np.int64))
    for lstm in network.along:
        known = graph.add("Squeeze", [_lstm(graph, lstm, known, LENGTHS, last=False), second])
        known = _rounded(graph, known, network)
    weights = network.output.floats()
    known = graph.add("MatMul", [known, graph.constant(np.ascontiguousarray(weights[:, :-1].T))])
    known = graph.add("Add", [known, graph.constant(np.ascontiguousarray(weights[:, -1]))])
    inputs = {
        COLUMNS: (FLOAT, ("steps", "lines", network.columns.states)),
        LENGTHS: (INT32, ("lines",)),
    }
    return graph.file(inputs, graph.add("Softmax", [known], axis=-1), ("steps", "lines", network.classes))


def _rounded(graph: Graph, known: str, network: Network) -> str:
    """What a layer of whole numbers passes on: in steps of a 127th."""
    if not network.is_whole:
        return known
    steps = graph.add("Round", [graph.add("Mul", [known, graph.constant(np.array(127, np.float32))])])
    return graph.add("Mul", [steps, graph.constant(np.array(1 / 127, np.float32))])


def _lstm(graph: Graph, lstm: Lstm, known: str, lengths: str, *, last: bool) -> str:
    """All its states, or the last one of each line."""
    content, entry, forget, output = (gate.floats() for gate in lstm.gates)
    rows = np.concatenate([entry, output, forget, content])[None]
    inputs, states = lstm.inputs, lstm.states
    bias = np.concatenate([rows[:, :, -1], np.zeros_like(rows[:, :, -1])], axis=1)
    parts = (rows[:, :, :inputs], rows[:, :, inputs : inputs + states], bias)
    return graph.add(
        "LSTM", [known, *(graph.constant(np.ascontiguousarray(part)) for part in parts), lengths],
        result=1 if last else 0, hidden_size=states, direction="reverse" if lstm.is_backward else "forward",
    )  # fmt: skip
