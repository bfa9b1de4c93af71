"""ONNX Runtime as a page process needs it: one thread, and no memory kept from one line to the next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocr_worker.engines.ocr.onnx_runtime import onnxruntime

Floats = NDArray[np.float32]
VERSION = str(onnxruntime.__version__)
_FATAL = 4


class Network:
    """A model, loaded: an array in, an array out."""

    def __init__(self, file: Path) -> None:
        onnxruntime.set_default_logger_severity(_FATAL)
        options = onnxruntime.SessionOptions()
        # Pages are read side by side by processes; threads of one page would only wait for each other.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        # What is kept for the longest line would be kept for good.
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        options.log_severity_level = _FATAL
        self._session: Any = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def run(self, array: Floats) -> Floats:
        result: Floats = self._session.run(None, {self._input: array})[0]
        return result

    def noted(self, key: str) -> str:
        """What the model says of itself under this key; empty where nothing."""
        return str(self._session.get_modelmeta().custom_metadata_map.get(key, ""))


def three_channels(grey: NDArray[np.uint8]) -> Floats:
    """Levels from -1 to 1, thrice: the networks were trained with colours."""
    levels = grey.astype(np.float32) / 127.5 - 1
    return np.repeat(levels[None, None], 3, axis=1)
