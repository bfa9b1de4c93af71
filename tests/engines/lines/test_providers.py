"""ONNX Runtime runs on what was asked for as long as that works, and says what it ran on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onnxruntime", reason="needs onnxruntime", exc_type=ImportError)

import numpy as np
import onnxruntime

import ocr_worker
from ocr_worker.engines.ocr.lines.crops import Pixels
from ocr_worker.engines.ocr.lines.model import read_model
from ocr_worker.engines.ocr.lines.network import CPU, Runtime
from ocr_worker.engines.ocr.lines.reader import Reader
from ocr_worker.engines.ocr.lines.weights import Matrix, Network
from tests.engines.lines import made_data
from tests.limits import HANG_SECONDS

ON_CPU = f"ONNX Runtime {onnxruntime.__version__}"
LINE: Pixels = np.add.outer(np.arange(made_data.HEIGHT) * 5, np.arange(60) * 3).astype(np.uint8)


class Fake:
    """A graphics card: the CPU under another name, which may fail to start, or when it has run so often."""

    def __init__(self, *, starts: bool = True, runs: int = 1000) -> None:
        self.starts, self.runs, self.asked = starts, runs, 0
        self._real = onnxruntime.InferenceSession

    def session(self, model: bytes, options: Any, providers: list[str]) -> Any:
        real = self._real(model, options, providers=["CPUExecutionProvider"])
        if providers == ["CPUExecutionProvider"]:
            return real
        self.asked += 1
        if not self.starts:
            raise RuntimeError("no driver")
        return _Session(self, real)


class _Session:
    def __init__(self, fake: Fake, real: Any) -> None:
        self._fake, self._real = fake, real

    def run(self, *arguments: Any) -> Any:
        self._fake.runs -= 1
        if self._fake.runs < 0:
            raise RuntimeError("out of memory")
        return self._real.run(*arguments)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    (tmp_path / "xyz.traineddata").write_bytes(made_data.traineddata())
    return read_model(tmp_path / "xyz.traineddata").network


def with_card(monkeypatch: pytest.MonkeyPatch, fake: Fake) -> None:
    known = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: known)
    monkeypatch.setattr(onnxruntime, "InferenceSession", fake.session)


@pytest.mark.parametrize(
    ("fake", "version"),
    [(Fake(), f"{ON_CPU} on cuda"), (Fake(starts=False), ON_CPU), (Fake(runs=1), ON_CPU)],
    ids=["works", "does not start", "fails between the two graphs"],
)
def test_a_line_reads_the_same_whether_or_not_the_provider_works(
    fake: Fake, version: str, network: Network, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    (known,) = Runtime(network, CPU).read([LINE])
    with_card(monkeypatch, fake)

    runtime = Runtime(network, "cuda")
    (read,) = runtime.read([LINE])

    # A provider reckons in fractions, where the CPU reckons in whole numbers.
    assert np.allclose(read, known, atol=0 if version == ON_CPU else 0.05)
    assert runtime.version == version
    assert ("cuda fails, so lines are read on the CPU" in caplog.text) == (version == ON_CPU)


def test_what_is_read_in_fractions_asks_no_provider_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xyz.traineddata").write_bytes(made_data.traineddata())
    fake = Fake(starts=False)
    with_card(monkeypatch, fake)
    reader = Reader(read_model(tmp_path / "xyz.traineddata"), "cuda")
    asked = fake.asked

    assert not reader._in_fractions().is_in_whole_numbers
    assert fake.asked == asked > 0


def test_a_provider_that_this_runtime_lacks_is_named(
    network: Network, caplog: pytest.LogCaptureFixture
) -> None:
    runtime = Runtime(network, "tensorrt")

    assert runtime.version == ON_CPU
    assert "has no TensorrtExecutionProvider" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="looks at threads where Linux tells them")
def test_the_runtime_leaves_no_trace_and_starts_nothing_that_could_tell_of_it(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from ocr_worker.engines.ocr.lines import model, network;"
        "network.Runtime(model.read_model(Path(sys.argv[1])).network);"
        "print(len(os.listdir('/proc/self/task')))"
    )
    (tmp_path / "xyz.traineddata").write_bytes(made_data.traineddata())
    home = tmp_path / "home"
    home.mkdir()
    surroundings = {
        **os.environ,
        "HOME": str(home),
        "ORT_DISABLE_TELEMETRY": "0",
        "OPENBLAS_NUM_THREADS": "1",
    }
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
        surroundings.pop(name, None)

    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "xyz.traineddata")],
        env=surroundings, capture_output=True, text=True, check=True, timeout=HANG_SECONDS,
    )  # fmt: skip

    assert told.stdout.split() == ["1"]
    assert [*home.rglob("*")] == []


def test_nothing_but_what_switches_that_off_imports_the_runtime() -> None:
    sources = Path(ocr_worker.__file__).parent.rglob("*.py")

    importing = [
        file.name
        for file in sources
        if re.search(r"^\s*(import|from) onnxruntime", file.read_text("utf-8"), re.MULTILINE)
    ]

    assert importing == ["onnx_runtime.py"]


def test_what_the_cpu_can_not_run_is_raised(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = Runtime(network)
    monkeypatch.setattr(runtime, "_along", _Session(Fake(runs=0), None))

    with pytest.raises(RuntimeError, match="out of memory"):
        runtime.read([LINE])


def test_a_network_of_both_kinds_of_numbers_is_read_in_fractions(network: Network) -> None:
    content, *others = network.columns.gates
    columns = replace(network.columns, gates=(Matrix(content.floats(), None), *others))

    (read,) = Runtime(replace(network, columns=columns)).read([LINE])

    (known,) = Runtime(network).read([LINE])
    assert np.allclose(read, known, atol=0.05)
