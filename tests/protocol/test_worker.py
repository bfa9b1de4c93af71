"""The real worker plays the golden sessions of protocol/transcripts."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import img2pdf
import pytest

from samples import Sample
from tests.protocol.process import WorkerProcess, start_worker
from tests.protocol.transcripts import FOLDER, read_steps, replay

SESSIONS = sorted(path.stem for path in FOLDER.glob("*.jsonl"))


@pytest.fixture(scope="module")
def inputs(sample: Callable[[str], Sample], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("in")
    page = shutil.copy(sample("clean").path, folder / "page.png")
    (folder / "long.pdf").write_bytes(img2pdf.convert([str(page)] * 40))
    return folder


@pytest.mark.parametrize("name", SESSIONS)
def test_the_worker_plays_the_golden_session(name: str, inputs: Path, tmp_path: Path) -> None:
    environment = os.environ | {"OCR_WORKER_STATE_DIR": str(tmp_path / "state")}
    folders = {"in": inputs.as_posix(), "out": (tmp_path / "out").as_posix()}

    with start_worker([sys.executable, "-m", "ocr_worker"], environment) as worker:
        faults = replay(read_steps(FOLDER / f"{name}.jsonl"), Slashes(worker), folders)

    assert faults == []


class Slashes:
    """A worker whose paths are as the transcripts have them, on Windows too."""

    def __init__(self, worker: WorkerProcess) -> None:
        self.send, self.end, self.exit_code = worker.send, worker.end, worker.exit_code
        self._worker = worker

    def receive(self) -> dict[str, Any] | None:
        event = self._worker.receive()
        if os.sep == "/" or event is None:
            return event
        turned: dict[str, Any] = json.loads(json.dumps(event).replace("\\\\", "/"))
        return turned
