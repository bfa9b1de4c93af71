"""The network in ONNX Runtime: lines in, and how likely each class is in each of their steps out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime

from ocr_worker.engines.ocr.lines import graphs
from ocr_worker.engines.ocr.lines.crops import WIDEST_PX
from ocr_worker.engines.ocr.lines.edges import Edges, whole
from ocr_worker.engines.ocr.lines.weights import Floats, Network

AT_ONCE = 4
"""Lines that are read along together: those after one another by length, so that little is padded."""
_FATAL = 4


class Runtime:
    """The two graphs of a network, ready to run on one thread."""

    version = str(onnxruntime.__version__)

    def __init__(self, network: Network) -> None:
        onnxruntime.set_default_logger_severity(_FATAL)
        self._states, self._is_whole = network.columns.states, network.is_whole
        self._edges = Edges(network, WIDEST_PX)
        self._columns = _session(graphs.columns_graph(network))
        self._along = _session(graphs.along_graph(network))

    def read(self, lines: Sequence[Floats], at_once: int) -> list[Floats]:
        """For each line (height, width) its (steps, classes)."""
        columns = [self._read_columns(line) for line in lines]
        order = sorted(range(len(lines)), key=lambda number: len(columns[number]))
        found: dict[int, Floats] = {}
        for begin in range(0, len(order), at_once):
            batch = order[begin : begin + at_once]
            read = self._read_along([columns[number] for number in batch])
            found.update(zip(batch, read, strict=True))
        return [found[number] for number in range(len(lines))]

    def _read_columns(self, line: Floats) -> Floats:
        if self._is_whole:
            line = whole(line, 128)
        inputs = {graphs.LINE: line[None, None], graphs.EDGES: self._edges.patches(line)}
        columns: Floats = self._columns.run(None, inputs)[0]
        return columns

    def _read_along(self, batch: Sequence[Floats]) -> list[Floats]:
        lengths = np.array([len(line) for line in batch], np.int32)
        padded = np.zeros((int(lengths.max()), len(batch), self._states), np.float32)
        for number, line in enumerate(batch):
            padded[: len(line), number] = line
        (steps,) = self._along.run(None, {graphs.COLUMNS: padded, graphs.LENGTHS: lengths})
        return [steps[:length, number] for number, length in enumerate(lengths)]


def _session(model: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    # Pages are read side by side by processes; threads of one page would only wait for each other.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Lines differ in length: what is kept for the longest would be kept for good.
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.log_severity_level = _FATAL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
