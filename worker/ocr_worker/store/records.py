"""Rows of the store: jobs, files, pages. Plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ocr_worker.model.fields import outcome_fields
from ocr_worker.model.jobs import FileState, JobId, JobOptions, JobState
from ocr_worker.model.results import FileOutcome, Rehearsal
from ocr_worker.model.tasks import FailedPage, Failure, page_status

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
    """The highest published percentage; a new run continues from it."""
    peak_rss_bytes: int
    pages_read: int = 0
    """Pages that were recognised in all runs; not blank ones, nor those with text."""
    last_seq: int = 0
    """Number of file and run ends published so far."""
    client: str | None = None
    """The name of the host's program, as it gave it."""
    pid: int | None = None
    """The worker that has the job, or had it last."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    number: int
    file: str
    path: bytes
    name: bytes | None
    verdict: FileOutcome | None
    """An outcome settled before any work: skipped as a duplicate, or refused for its name."""
    state: FileState
    pages: int | None
    sha256: str | None
    outcome: FileOutcome | None
    started_at: float | None
    ended_at: float | None
    bytes: int | None
    """As it was when it came; None where it was not found, or an older version stored it."""


@dataclass(frozen=True, slots=True)
class NewFile:
    file: str
    path: bytes
    name: bytes | None
    verdict: FileOutcome | None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class StoredPage:
    page: int
    """0 stands for the steps of the whole file."""
    attempts: int
    """Times it was begun and never ended: each time the worker died meanwhile."""
    alone: str | None
    """The machine's state when it was last begun alone; None if it never was, or has ended."""
    status: str | None
    """ok, blank, unread or has_text; None while the page has no result."""


@dataclass(frozen=True, slots=True)
class RunEnding:
    """What is written when a run ends."""

    job_id: JobId
    fields: Mapping[str, object]
    """Of the job's row."""
    unstarted: tuple[tuple[int, int], ...] = ()
    """Pages (file, page) whose attempt does not count."""


@dataclass(slots=True)
class Tally:
    stats: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTED, 0))
    """How many files are in which state."""
    pages_ended: int = 0
    """Of ended files."""
    pages_total: int = 0


def dump_outcome(outcome: FileOutcome | None) -> str | None:
    """As a row keeps it."""
    return None if outcome is None else json.dumps(outcome_fields(outcome))


def load_outcome(text: str | None) -> FileOutcome | None:
    """As `dump_outcome`, of any version, left it."""
    if not text:
        return None
    kept: dict[str, Any] = json.loads(text)
    error, warnings = kept.get("error"), kept.get("warnings")
    plain = {
        name: kept[name]
        for name in ("status", "pages", "output", "outputs", "confidence", "reason", "message", "page")
        if kept.get(name) is not None
    }
    return FileOutcome(
        **plain,
        warnings=None if warnings is None else tuple(warnings),
        failed_pages=tuple(_failed_page(**page) for page in kept.get("failed_pages", ())),
        error=error and Failure(error["code"], error["message"], error["retryable"]),
        rehearsal=_rehearsal(kept) if "survey" in kept else None,
    )


def _failed_page(page: int, code: str, error: str) -> FailedPage:
    return FailedPage(page, page_status(code), code, error)


def _rehearsal(kept: dict[str, Any]) -> Rehearsal:
    return Rehearsal(kept["survey"], kept["needed_bytes"], kept["free_bytes"], kept.get("estimated_seconds"))
