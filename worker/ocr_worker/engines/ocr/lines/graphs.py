"""The network as two graphs: the columns of a line, and then all lines of a batch along their length."""

from __future__ import annotations

import numpy as np

from ocr_worker.engines.ocr.lines import whole_numbers
from ocr_worker.engines.ocr.lines.onnx_file import FLOAT, INT32, INT64, UINT8, Graph
from ocr_worker.engines.ocr.lines.weights import Lstm, Network

_END = 1 << 40
LINE, EDGES, COLUMNS, LENGTHS = "line", "edges", "columns", "lengths"
"""What goes in: a line's pixels, and patches of those at its edge; the columns of a batch of lines, padded; and how many each line has."""


def columns_graph(network: Network, *, in_whole_numbers: bool) -> bytes:
    """From pixels (1, 1, height, width) to (steps, states): what stands in each column of the line."""
    graph, rows = Graph(), network.height // network.pool[1]
    # Tesseract takes the hyperbolic tangent before it pools: that is the same, of nine times as many numbers.
    image = graph.add("Tanh", [_pooled(graph, network)])
    image = whole_numbers.add_rounded(graph, image) if in_whole_numbers else _rounded(graph, image, network)
    steps = graph.add("Transpose", [image], perm=(0, 2, 3, 1))
    shape = graph.constant(np.array([rows, -1, network.convolution.outputs], np.int64))
    steps = graph.add("Reshape", [steps, shape])
    if in_whole_numbers:
        states = whole_numbers.add_lstm(graph, network.columns, steps, "columns")
        state = graph.add("Gather", [states, graph.constant(np.array(-1, np.int64))])
    else:
        state = _lstm(graph, network.columns, steps, lengths="", last=True)
        state = graph.add("Squeeze", [state, graph.constant(np.array([0], np.int64))])
        state = _rounded(graph, state, network)
    inputs = {LINE: (FLOAT, (1, 1, network.height, "width")), EDGES: (FLOAT, (9, "pixels"))}
    kind = UINT8 if in_whole_numbers else FLOAT
    return graph.file(inputs, {state: (kind, ("steps", network.columns.states))})


def _pooled(graph: Graph, network: Network) -> str:
    """The line within is convolved and pooled; what stands at its edge, told by its patches, is pooled with it."""
    weights, depth, (across, down) = network.convolution.floats(), network.convolution.outputs, network.pool
    # The file has them column by column.
    kernel = weights[:, :9].reshape(depth, 1, 3, 3).transpose(0, 1, 3, 2)
    bias = np.ascontiguousarray(weights[:, 9])
    inputs = [LINE, graph.constant(np.ascontiguousarray(kernel)), graph.constant(bias)]
    image = graph.add("Conv", inputs, kernel_shape=(3, 3))
    image = graph.add(
        "MaxPool", [image], kernel_shape=(down, across), strides=(down, across), pads=(1, 1, 1, 1)
    )
    edge = graph.add("MatMul", [graph.constant(np.ascontiguousarray(weights[:, :9])), EDGES])
    edge = graph.add("Add", [edge, graph.constant(bias[:, None])])
    sides = 2 * (network.height - 2)
    first, last = _edges(graph, _part(graph, edge, 1, (0, -sides)), depth, across, pad=0)
    left, right = _edges(graph, _part(graph, edge, 1, (-sides, _END)), depth, down, pad=1)
    column = graph.constant(np.array([1, depth, -1, 1], np.int64))
    image = _joined(graph, image, 2, (first, last))
    return _joined(
        graph, image, 3, (graph.add("Reshape", [left, column]), graph.add("Reshape", [right, column]))
    )


def _edges(graph: Graph, edge: str, depth: int, pool: int, *, pad: int) -> tuple[str, str]:
    """Two opposite edges, pooled along their length."""
    rows = graph.add("Reshape", [edge, graph.constant(np.array([1, depth, 2, -1], np.int64))])
    rows = graph.add("MaxPool", [rows], kernel_shape=(1, pool), strides=(1, pool), pads=(0, pad, 0, pad))
    return _part(graph, rows, 2, (0, 1)), _part(graph, rows, 2, (1, 2))


def _joined(graph: Graph, image: str, axis: int, edges: tuple[str, str]) -> str:
    """The image, what is greater at its two edges."""
    first = graph.add("Max", [_part(graph, image, axis, (0, 1)), edges[0]])
    last = graph.add("Max", [_part(graph, image, axis, (-1, _END)), edges[1]])
    return graph.add("Concat", [first, _part(graph, image, axis, (1, -1)), last], axis=axis)


def _part(graph: Graph, known: str, axis: int, stretch: tuple[int, int]) -> str:
    bounds = [graph.constant(np.array([number], np.int64)) for number in (*stretch, axis)]
    return graph.add("Slice", [known, *bounds])


def along_graph(network: Network, *, in_whole_numbers: bool) -> bytes:
    """From columns (steps, lines, states) to (steps, lines, classes): how likely each class is."""
    graph = Graph()
    if in_whole_numbers:
        known = COLUMNS
        for number, lstm in enumerate(network.along):
            known = whole_numbers.add_along(graph, lstm, known, LENGTHS, f"along{number}")
        known = whole_numbers.add_product(graph, known, [network.output])
    else:
        known = _along(graph, network)
    kinds = (UINT8, INT64) if in_whole_numbers else (FLOAT, INT32)
    inputs = {
        COLUMNS: (kinds[0], ("steps", "lines", network.columns.states)),
        LENGTHS: (kinds[1], ("lines",)),
    }
    likely = graph.add("Softmax", [known], axis=-1)
    return graph.file(inputs, {likely: (FLOAT, ("steps", "lines", network.classes))})


def _along(graph: Graph, network: Network) -> str:
    known, second = COLUMNS, graph.constant(np.array([1], np.int64))
    for lstm in network.along:
        known = graph.add("Squeeze", [_lstm(graph, lstm, known, LENGTHS, last=False), second])
        known = _rounded(graph, known, network)
    weights = network.output.floats()
    known = graph.add("MatMul", [known, graph.constant(np.ascontiguousarray(weights[:, :-1].T))])
    return graph.add("Add", [known, graph.constant(np.ascontiguousarray(weights[:, -1]))])


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
