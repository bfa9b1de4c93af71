"""The network as two graphs: the columns of a line, and then all lines of a batch along their length."""

from __future__ import annotations

import numpy as np

from ocr_worker.engines.ocr.lines.onnx_file import FLOAT, INT32, Graph
from ocr_worker.engines.ocr.lines.weights import Lstm, Network

LINE, COLUMNS, LENGTHS = "line", "columns", "lengths"
"""What goes in: a line's pixels; the columns of a batch of lines, padded; and how many each line has."""


def columns_graph(network: Network) -> bytes:
    """From pixels (1, 1, height, width) to (steps, states): what stands in each column of the line."""
    graph, (across, down) = Graph(), network.pool
    weights, depth = network.convolution.floats(), network.convolution.outputs
    # The file has them column by column.
    kernel = weights[:, :9].reshape(depth, 1, 3, 3).transpose(0, 1, 3, 2)
    inputs = [
        LINE,
        graph.constant(np.ascontiguousarray(kernel)),
        graph.constant(np.ascontiguousarray(weights[:, 9])),
    ]
    image = graph.add("Conv", inputs, kernel_shape=(3, 3), pads=(1, 1, 1, 1))
    # Tesseract takes the hyperbolic tangent before it pools: that is the same, of nine times as many numbers.
    image = graph.add("MaxPool", [image], kernel_shape=(down, across), strides=(down, across))
    image = _rounded(graph, graph.add("Tanh", [image]), network)
    steps = graph.add("Transpose", [image], perm=(2, 0, 3, 1))
    shape = graph.constant(np.array([network.height // down, -1, depth], np.int64))
    state = _lstm(graph, network.columns, graph.add("Reshape", [steps, shape]), lengths="", last=True)
    first = graph.constant(np.array([0], np.int64))
    size: tuple[int | str, ...] = (1, 1, network.height, "width")
    state = _rounded(graph, graph.add("Squeeze", [state, first]), network)
    return graph.file({LINE: (FLOAT, size)}, state, ("steps", network.columns.states))


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
    if network.output.scales is None:
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
