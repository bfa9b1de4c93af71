"""The network in ONNX Runtime: lines in, and how likely each class is in each of their steps out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from ocr_worker.engines.ocr.lines import graphs
from ocr_worker.engines.ocr.lines.crops import WIDEST_PX
from ocr_worker.engines.ocr.lines.edges import Edges, whole
from ocr_worker.engines.ocr.lines.weights import Floats, Network
from ocr_worker.engines.ocr.onnx_runtime import onnxruntime

AT_ONCE = 4
"""Lines that are read along together: those after one another by length, so that little is padded."""
CPU = "cpu"
_PROVIDERS = {
    CPU: "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
_FATAL = 4
log = logging.getLogger(__name__)


class Runtime:
    """The two graphs of a network, ready to run: on one thread of the CPU, or on another provider for as long as that works."""

    def __init__(self, network: Network, provider: str = CPU) -> None:
        onnxruntime.set_default_logger_severity(_FATAL)
        self._states, self._is_whole = network.columns.states, network.is_whole
        self._edges = Edges(network, WIDEST_PX)
        self._graphs = graphs.columns_graph(network), graphs.along_graph(network)
        self._provider = provider
        try:
            self._load()
        except Exception as error:  # noqa: BLE001 (a provider's library may raise anything)
            self._give_up(error)

    @property
    def version(self) -> str:
        provider = "" if self._provider == CPU else f" on {self._provider}"
        return f"ONNX Runtime {onnxruntime.__version__}{provider}"

    def read(self, lines: Sequence[Floats], at_once: int) -> list[Floats]:
        """For each line (height, width) its (steps, classes)."""
        try:
            return self._read(lines, at_once)
        except Exception as error:  # noqa: BLE001 (as above; what the CPU can't read is raised by it)
            self._give_up(error)
            return self._read(lines, at_once)

    def _load(self) -> None:
        self._columns, self._along = (_session(graph, _PROVIDERS[self._provider]) for graph in self._graphs)

    def _give_up(self, error: Exception) -> None:
        """Go on with the CPU. Raises the error where it came from that."""
        if self._provider == CPU:
            raise error
        log.warning("%s fails, so lines are read on the CPU: %s", self._provider, error)
        self._provider = CPU
        self._load()

    def _read(self, lines: Sequence[Floats], at_once: int) -> list[Floats]:
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


def _session(model: bytes, provider: str) -> Any:
    if provider not in onnxruntime.get_available_providers():
        raise RuntimeError(f"this ONNX Runtime has no {provider}")
    options = onnxruntime.SessionOptions()
    # Pages are read side by side by processes; threads of one page would only wait for each other.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Lines differ in length: what is kept for the longest would be kept for good.
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.log_severity_level = _FATAL
    return onnxruntime.InferenceSession(model, options, providers=[provider])
