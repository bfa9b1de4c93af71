"""Jobs: request, options, states."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ocr_worker.model.options import JobOptions

# Declared with the other options, and handed on from here.
__all__ = ["JobOptions"]

JobId = str
JobState = Literal[
    "admitting", "queued", "running", "paused", "completed", "cancelled", "stopped", "interrupted", "failed"
]
"""One is admitted while its files are written into the store, or removed from it, and is nobody's meanwhile."""
FileState = Literal["pending", "processing", "completed", "failed", "skipped"]
BatchStatus = Literal["completed", "cancelled", "stopped"]

ACTIVE: frozenset[JobState] = frozenset({"queued", "running", "paused"})
RESUMABLE: frozenset[JobState] = frozenset({"cancelled", "stopped", "interrupted", "failed"})


@dataclass(frozen=True, slots=True)
class JobRequest:
    """One batch to do. The folder both as it was sent and as a path of this system."""

    files: tuple[str, ...]
    """As they were sent."""
    output_dir: Path
    output_dir_sent: str
    options: JobOptions
    priority: int = 0
    passwords: dict[str, str] = field(default_factory=dict, repr=False)
    """Path of this system to password."""
    client: str | None = None
    """The name of the program that asks."""


@dataclass(frozen=True, slots=True)
class InputFile:
    sent: str
    """As the host wrote it; echoed so in every event."""
    path: str
    """Absolute, as `os.fsdecode` gives it; empty where no file can have such a path."""


@dataclass(frozen=True, slots=True)
class Doing:
    """What a worker is at: the job, file and page that have been in work longest."""

    state: str
    job_id: JobId | None = None
    file: str | None = None
    page: int | None = None
    since: float = field(default_factory=time.monotonic, compare=False)
    """On the monotonic clock."""
