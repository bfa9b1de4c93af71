"""Jobs, files and pages as the store keeps them. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ocr_worker.model.jobs import FileState, JobId, JobOptions, JobState

_COUNTED = ("total", "pending", "processing", "completed", "failed", "skipped")


@dataclass(frozen=True, slots=True)
class StoredJob:
    job_id: JobId
    state: JobState
    reason: str | None
    priority: int
    output_dir: str
    output_path: bytes
    options: JobOptions
    created_at: float
    updated_at: float
    started_at: float | None
    ended_at: float | None
    worked_seconds: float
    retries: int
    worker_restarts: int
    cleanups: int
    percent: float
    """The most that a progress event has told; a new run goes on from there."""
    peak_rss_bytes: int
    pages_read: int = 0
    """Pages that were recognised, not those that were blank or had text; of all runs, like the time."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    number: int
    file: str
    path: bytes
    name: bytes | None
    verdict: dict[str, Any] | None
    """Settled before any work: skipped as a duplicate, or refused for its name."""
    state: FileState
    pages: int | None
    sha256: str | None
    outcome: dict[str, Any] | None
    started_at: float | None
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class NewFile:
    file: str
    path: bytes
    name: bytes | None
    verdict: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class StoredPage:
    page: int
    attempts: int
    status: str | None
    """ok, blank, unread or has_text; None while the page has no result."""


@dataclass(slots=True)
class Tally:
    stats: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTED, 0))
    """How many files are in which state."""
    pages_ended: int = 0
    """Of ended files."""
    pages_total: int = 0
