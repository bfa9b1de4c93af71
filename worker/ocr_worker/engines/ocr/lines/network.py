"""The network in ONNX Runtime: lines in, and how likely each class is in each of their steps out."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocr_worker.engines.ocr.lines import graphs, whole_numbers
from ocr_worker.engines.ocr.lines.crops import WIDEST_PX, Pixels, evened
from ocr_worker.engines.ocr.lines.edges import Edges, whole
from ocr_worker.engines.ocr.lines.weights import Floats, Network
from ocr_worker.engines.ocr.onnx_runtime import onnxruntime
from ocr_worker.errors import EngineMissingError

STEPS_AT_ONCE = 16_000
"""Of lines that are read along together, with what they are padded with: it bounds the memory that they take."""
OF_A_BATCH = 6
"""Lines: so much as a step of them takes, it takes beside them, however few they are."""
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

    def __init__(self, network: Network, provider: str = CPU, *, in_whole_numbers: bool = True) -> None:
        """Raises EngineMissingError where the CPU can't run it either."""
        self._may_be_whole = in_whole_numbers and network.is_whole
        onnxruntime.set_default_logger_severity(_FATAL)
        self._network, self._provider = network, provider
        self._edges = Edges(network, WIDEST_PX)
        try:
            self._load_or_give_up()
        except MemoryError:
            raise
        except Exception as error:
            version = onnxruntime.__version__
            raise EngineMissingError(f"ONNX Runtime {version} can't run the network ({error})") from error

    @property
    def version(self) -> str:
        provider = "" if self._provider == CPU else f" on {self._provider}"
        return f"ONNX Runtime {onnxruntime.__version__}{provider}"

    def read(self, lines: Sequence[Pixels]) -> list[Floats]:
        """For each line of greys (height, width) its (steps, classes)."""
        try:
            return self._read(lines)
        except Exception as error:  # noqa: BLE001 (as above; what the CPU can't read is raised by it)
            self._give_up(error)
            return self._read(lines)

    @property
    def is_in_whole_numbers(self) -> bool:
        """As libtesseract reads. Other providers have an LSTM of their own, in fractions."""
        return self._may_be_whole and self._provider == CPU

    def _load_or_give_up(self) -> None:
        try:
            self._load()
        except Exception as error:  # noqa: BLE001 (a provider's library may raise anything)
            self._give_up(error)

    def _load(self) -> None:
        self._columns, self._along = (
            session(make(self._network, in_whole_numbers=self.is_in_whole_numbers), self._provider)
            for make in (graphs.columns_graph, graphs.along_graph)
        )

    def _give_up(self, error: Exception) -> None:
        """Go on with the CPU. Raises the error where it came from that."""
        if self._provider == CPU:
            raise error
        log.warning("%s fails, so lines are read on the CPU: %s", self._provider, error)
        self._provider = CPU
        self._load()

    def _read(self, lines: Sequence[Pixels]) -> list[Floats]:
        # A line at a time: in light that is even it takes four times as much memory.
        columns = [self._read_columns(evened(line)) for line in lines]
        found: dict[int, Floats] = {}
        for batch in _batches([len(line) for line in columns]):
            read = self._read_along([columns[number] for number in batch])
            found.update(zip(batch, read, strict=True))
        return [found[number] for number in range(len(lines))]

    def _read_columns(self, line: Floats) -> NDArray[Any]:
        if self._network.is_whole:
            line = whole(line, 128)
        inputs = {graphs.LINE: line[None, None], graphs.EDGES: self._edges.patches(line)}
        columns: NDArray[Any] = self._columns.run(None, inputs)[0]
        return columns

    def _read_along(self, batch: Sequence[NDArray[Any]]) -> list[Floats]:
        is_whole = self.is_in_whole_numbers
        lengths = np.array([len(line) for line in batch], np.int64 if is_whole else np.int32)
        size = int(lengths.max()), len(batch), self._network.columns.states
        padded = np.full(size, whole_numbers.ZERO if is_whole else 0, batch[0].dtype)
        for number, line in enumerate(batch):
            padded[: len(line), number] = line
        (steps,) = self._along.run(None, {graphs.COLUMNS: padded, graphs.LENGTHS: lengths})
        return [steps[:length, number] for number, length in enumerate(lengths)]


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The lines that are read along together, by their numbers: as many as do, but for those that would be mostly padded."""
    batch: list[int] = []
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    for at, number in enumerate(order):
        length, longest = lengths[number], lengths[batch[0]] if batch else 0
        is_full = longest * (len(batch) + 1) > STEPS_AT_ONCE
        if batch and (is_full or (longest - length) * (len(order) - at) > OF_A_BATCH * length):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


@cache
def runs_over() -> bool:
    """Whether products of bytes are more than this processor takes, as of those without VNNI."""
    (made,) = onnxruntime.InferenceSession(
        whole_numbers.probe(), _options(), providers=[_PROVIDERS[CPU]]
    ).run(None, {"known": whole_numbers.KNOWN})
    return not np.allclose(made, whole_numbers.PROBED)


def session(model: bytes, provider: str) -> Any:
    """A graph, ready to run. Raises what the provider raises."""
    name = _PROVIDERS[provider]
    if name not in onnxruntime.get_available_providers():
        raise RuntimeError(f"this ONNX Runtime has no {name}")
    options = _options()
    if runs_over():
        # It takes wider numbers then.
        options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(model, options, providers=[name])


def _options() -> Any:
    options = onnxruntime.SessionOptions()
    # Pages are read side by side by processes; threads of one page would only wait for each other.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Lines differ in length: what is kept for the longest would be kept for good.
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.log_severity_level = _FATAL
    return options
