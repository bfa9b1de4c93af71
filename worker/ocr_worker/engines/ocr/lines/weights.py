"""Read the network out of a language's data: the layers of a line reader, and nothing that is built otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocr_worker.engines.ocr.lines.scan import DamagedDataError, Scan

GATES = 4
"""Of an LSTM, in the order of the file: new content, input, forget, output."""
DEEPEST, MOST_LAYERS, MOST_UNITS = 6, 64, 1 << 16
MOST_BYTES = 1 << 25
"""Of a network: of twenty that Tesseract publishes the largest has 1.6 million, of fractions eight times that."""
MOST_WEIGHT = 1e6
"""Far beyond what any network learns: products of these are still numbers."""
LEAST_HEIGHT_PX, MOST_HEIGHT_PX = 12, 128
MOST_POOLED_PX = 8
_HOLDERS = {"Series", "RTLReversed", "XYTranspose"}
_WITH_RATES = 64
"""A flag of a layer that holds others: the rates follow by which each has learned."""
_INT8, _ADAM, _DOUBLE = 1, 4, 128
"""What a matrix says of itself; how it was trained is of no use here."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A row for each output: a weight for each input, then the bias."""

    values: NDArray[Any]
    scales: NDArray[Any] | None
    """What a step of each row's whole numbers is worth; None where the values are the weights."""

    @property
    def outputs(self) -> int:
        return int(self.values.shape[0])

    @property
    def inputs(self) -> int:
        return int(self.values.shape[1]) - 1

    def floats(self) -> Floats:
        floats = self.values.astype(np.float32)
        if self.scales is not None:
            floats *= self.scales.astype(np.float32)[:, None]
        return floats


@dataclass(frozen=True, slots=True)
class Lstm:
    gates: tuple[Matrix, ...]
    """Each row: a weight for each input, one for each state before, the bias."""
    is_backward: bool = False
    """From the end of the line to its beginning."""

    @property
    def states(self) -> int:
        return self.gates[0].outputs

    @property
    def inputs(self) -> int:
        return self.gates[0].inputs - self.states


@dataclass(frozen=True, slots=True)
class Network:
    """A line of `height` pixels goes through a 3 × 3 convolution, is pooled, each column is summed up, and read along."""

    height: int
    convolution: Matrix
    pool: tuple[int, int]
    """Pixels across and down that become one."""
    columns: Lstm
    along: tuple[Lstm, ...]
    output: Matrix
    blank: int
    """The class that stands for no character."""
    seed: int
    """Of the noise around lines."""

    @property
    def is_whole(self) -> bool:
        """Whether all its layers reckon in whole numbers, each a 127th."""
        gates = (gate for lstm in (self.columns, *self.along) for gate in lstm.gates)
        return all(one.scales is not None for one in (self.convolution, *gates, self.output))

    @property
    def classes(self) -> int:
        return self.output.outputs


@dataclass(frozen=True, slots=True)
class _Layer:
    kind: str
    numbers: tuple[int, ...] = ()
    inner: tuple[_Layer, ...] = ()
    matrices: tuple[Matrix, ...] = ()


def read_network(content: bytes) -> Network:
    """Raises DamagedDataError, also for networks that are sound and built in another way."""
    if len(content) > MOST_BYTES:
        raise DamagedDataError("has a larger network than any line reader's")
    scan = Scan(content)
    root = _layer(scan, DEEPEST, [MOST_LAYERS])
    scan.text()
    _, _, seed, blank = (scan.number("i") for _ in range(4))
    network = _network(root, blank, seed)
    if not 0 <= network.blank < network.classes:
        raise DamagedDataError("has no class for blanks")
    return network


def _layer(scan: Scan, depth: int, left: list[int]) -> _Layer:
    """`left` is a number of layers that may still come, which the layers within share."""
    left[0] -= 1
    if scan.number("b") != 0 or depth == 0 or left[0] < 0:
        raise DamagedDataError("has layers of no kind that is known")
    kind = scan.text()
    is_trained, _ = scan.number("b"), scan.number("b")
    flags, inputs, outputs, _ = (scan.number("i") for _ in range(4))
    scan.text()
    if is_trained or not (0 <= inputs <= MOST_UNITS and 0 < outputs <= MOST_UNITS):
        raise DamagedDataError(f"has a layer {kind[:20]!r} of no use")
    if kind not in _HOLDERS:
        return _inmost(scan, kind)
    inner = tuple(_layer(scan, depth - 1, left) for _ in range(scan.count(MOST_LAYERS)))
    if flags & _WITH_RATES:
        scan.array("<f4", scan.count(MOST_LAYERS))
    return _Layer(kind, inner=inner)


def _inmost(scan: Scan, kind: str) -> _Layer:
    match kind:
        case "Input":
            return _Layer(kind, tuple(scan.number("i") for _ in range(5)))
        case "Convolve" | "Maxpool":
            return _Layer(kind, (scan.number("i"), scan.number("i")))
        case "LSTM" | "SummLSTM":
            width = scan.number("i")
            return _Layer(kind, (width,), matrices=tuple(_matrix(scan) for _ in range(GATES)))
        case "Tanh" | "Softmax":
            return _Layer(kind, matrices=(_matrix(scan),))
        case _:
            raise DamagedDataError(f"has a layer {kind[:20]!r}, which no line reader has")


def _matrix(scan: Scan) -> Matrix:
    mode = scan.number("B") & ~_ADAM
    if mode not in {_DOUBLE, _DOUBLE | _INT8}:
        raise DamagedDataError("has weights of a kind that is not known")
    rows, columns = scan.number("i"), scan.number("i")
    if not (0 < rows <= MOST_UNITS and 1 < columns <= 2 * MOST_UNITS):
        raise DamagedDataError(f"has {rows} × {columns} weights in a layer")
    if mode == _DOUBLE:
        scan.bytes(8)
        values = scan.array("<f8", rows * columns).reshape(rows, columns)
        if not _are_weights(values):
            raise DamagedDataError("has weights that are no numbers")
        return Matrix(values, None)
    scan.bytes(1)
    values = scan.array("i1", rows * columns).reshape(rows, columns)
    scales = scan.array("<f8", scan.count(2 * MOST_UNITS))[:rows]
    if len(scales) < rows or not _are_weights(scales):
        raise DamagedDataError("has weights without a scale")
    return Matrix(values, scales)


def _are_weights(values: NDArray[Any]) -> bool:
    return bool((np.abs(values) <= MOST_WEIGHT).all())


def _network(root: _Layer, blank: int, seed: int) -> Network:
    """The layers by the parts they play; their sizes have to fit."""
    _require(root.kind == "Series" and len(root.inner) >= 6)
    first, convolved, pooled, columns, *along, output = root.inner
    _require(first.kind == "Input" and convolved.kind == "Series" and pooled.kind == "Maxpool")
    _require([layer.kind for layer in convolved.inner] == ["Convolve", "Tanh"])
    _require(columns.kind == "XYTranspose" and output.kind == "Softmax")
    _require([layer.kind for layer in columns.inner] == ["SummLSTM"])
    height, depth = first.numbers[1], first.numbers[3]
    around, convolution = convolved.inner
    _require(LEAST_HEIGHT_PX <= height <= MOST_HEIGHT_PX and depth == 1 and around.numbers == (1, 1))
    across, down = pooled.numbers
    _require(1 <= across <= MOST_POOLED_PX and 1 <= down <= MOST_POOLED_PX and height % down == 0)
    network = Network(
        height, convolution.matrices[0], (across, down), _lstm(columns.inner[0]),
        tuple(_along(layer) for layer in along), output.matrices[0], blank, seed,
    )  # fmt: skip
    _require_fitting(network)
    return network


def _along(layer: _Layer) -> Lstm:
    if layer.kind != "RTLReversed":
        return _lstm(layer)
    _require(len(layer.inner) == 1)
    return _lstm(layer.inner[0], is_backward=True)


def _lstm(layer: _Layer, *, is_backward: bool = False) -> Lstm:
    _require(layer.kind in {"LSTM", "SummLSTM"})
    lstm = Lstm(layer.matrices, is_backward)
    _require(len({gate.values.shape for gate in lstm.gates}) == 1 and lstm.inputs > 0)
    _require(layer.numbers == (lstm.inputs + lstm.states,))
    return lstm


def _require_fitting(network: Network) -> None:
    _require(network.convolution.inputs == 3 * 3)
    passed = network.convolution.outputs
    for lstm in (network.columns, *network.along):
        _require(lstm.inputs == passed)
        passed = lstm.states
    _require(network.output.inputs == passed)


def _require(condition: bool) -> None:  # noqa: FBT001 (an assertion that holds with -O, too)
    if not condition:
        raise DamagedDataError("has a network that is built in another way than a line reader's")
