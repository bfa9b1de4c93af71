"""How a client treats its worker. The defaults suit a desktop app."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Timing:
    """All in seconds."""

    start_seconds: float = 30.0
    """From the start of a worker to its answer to `hello`."""
    ping_seconds: float = 10.0
    """Between two pings, so that the worker knows that we live."""
    silence_seconds: float = 30.0
    """After so long without a word the worker is asked once more."""
    answer_seconds: float = 10.0
    """Within which it then must answer, or it is replaced."""
    backoff_seconds: tuple[float, ...] = (0.5, 2.0, 8.0)
    """Before each restart after a crash; after the last of them it is given up."""
    healthy_seconds: float = 60.0
    """A worker that lives so long starts the count of restarts anew."""
    stop_seconds: float = 5.0
    """For a `shutdown`; then comes SIGTERM."""
    terminate_seconds: float = 2.0
    """For a SIGTERM; then all its processes are killed."""
    host_timeout_seconds: float = 90.0
    """The worker ends if we say nothing for so long: at least three times `ping_seconds`."""


@dataclass(frozen=True)
class Settings:
    """Of one client."""

    name: str
    """Of the program: jobs keep it."""
    version: str = ""
    command: tuple[str, ...] = ()
    """That starts a worker; by default `ocr-worker` of this environment, else of PATH."""
    state_dir: Path | None = None
    """Where jobs are kept; by default the user's state folder, which other programs may share."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to that of this process."""
    max_event_bytes: int = 2**20
    """What the worker may send in a line, as far as lists can be left out."""
    max_line_bytes: int = 64 * 2**20
    """What we read in a line; of a longer one nothing is kept."""
    progress_hz: float = 10.0
    timing: Timing = field(default_factory=Timing)

    def worker_command(self) -> list[str]:
        return list(self.command) or [find_worker()]

    def worker_environment(self) -> dict[str, str]:
        state = {"OCR_WORKER_STATE_DIR": str(self.state_dir)} if self.state_dir else {}
        return {**os.environ, **state, **self.environment}


def find_worker() -> str:
    """The `ocr-worker` beside this Python, else that of PATH, else its bare name."""
    # Windows has scripts in a folder of their own, which is not always on PATH.
    places = (str(Path(sys.executable).parent), sysconfig.get_path("scripts"))
    beside = shutil.which("ocr-worker", path=os.pathsep.join(places))
    return beside or shutil.which("ocr-worker") or "ocr-worker"
