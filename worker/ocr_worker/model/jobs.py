"""What a job is: its request, its options, its states. Plain data that service, store and faces share."""

from __future__ import annotations

import dataclasses
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ocr_worker.model.tasks import PageSettings

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
class JobOptions:
    """A job's options, as PROTOCOL.md lists them, without the passwords: those are never kept."""

    page: PageSettings = field(default_factory=PageSettings)
    on_existing: Literal["skip", "overwrite", "suffix"] = "skip"
    max_workers: int | None = None
    page_timeout_seconds: float = 120
    file_timeout_seconds: float = 300
    retries: int = 2
    stop_on_error_threshold: float = 0.5
    max_lock_wait_seconds: float = 30
    chunk_size: int = 50
    pages_per_minute: float | None = None
    dry_run: bool = False

    def to_fields(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> JobOptions:
        page: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in fields["page"].items()
        }
        return cls(**{**fields, "page": PageSettings(**page)})


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


@dataclass(frozen=True, slots=True)
class InputFile:
    sent: str
    """As the host wrote it; echoed so in every event."""
    path: str
    """Absolute, as `os.fsdecode` gives it; empty where no file can have such a path."""


def new_job_id(now: datetime) -> JobId:
    return f"{now:%Y%m%d_%H%M%S}_{secrets.token_hex(4)}"
