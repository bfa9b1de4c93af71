"""Results of files and jobs. The core makes them; each face turns them into wire, JSON or text."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ocr_worker.model.crew import Crew
from ocr_worker.model.jobs import BatchStatus, FileState, JobId, JobState
from ocr_worker.model.tasks import FailedPage, Failure

FileStatus = Literal["completed", "completed_with_errors", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a dry run says of a file that could be read."""

    survey: dict[str, Any]
    """What `inspect` says of the file, but for its list of pages."""
    needed_bytes: int
    free_bytes: int
    estimated_seconds: float | None
    """None before this machine's rate is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """How a file ended."""

    status: FileStatus
    pages: int | None = None
    output: str | None = None
    """The PDF, or the first of the outputs where no PDF was asked for."""
    outputs: dict[str, str] = field(default_factory=dict)
    """Output kind to path."""
    confidence: float | None = None
    """Mean word confidence, 0 to 100."""
    warnings: tuple[str, ...] | None = None
    failed_pages: tuple[FailedPage, ...] = ()
    reason: str | None = None
    """Why it was skipped."""
    message: str | None = None
    error: Failure | None = None
    page: int | None = None
    """The page that the error is of."""
    rehearsal: Rehearsal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult(FileOutcome):
    """A file that has ended, and how."""

    file: str
    """As it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFile:
    """A file of a job as it stands now."""

    file: str
    state: FileState
    pages: int | None
    outcome: FileOutcome | None


@dataclass(frozen=True, slots=True)
class Working:
    """What a page process works on."""

    file: str
    """As it was given."""
    file_index: int
    page: int | None
    """None while the file is opened, or its outputs are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is. `current` and `total` count the pages of the whole job."""

    current: int
    total: int
    message: str
    percent: float
    """0 to 100; never falls."""
    file: str | None
    """Of which a page ended last, as it was given."""
    file_index: int | None
    page: int | None
    page_count: int | None
    file_count: int
    completed: int
    failed: int
    skipped: int
    elapsed_seconds: float
    eta_seconds: float | None
    """Seconds left; None before the first page."""
    pages_per_second: float
    working: tuple[Working, ...]
    """What is in work now."""
    crew: Crew | None = None
    """Who reads the pages; None without a cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCounts:
    """How many files ended how."""

    successful: int
    completed_with_errors: int
    """Of the successful ones, those of which pages failed."""
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What a job took, over all its runs."""

    start_time: datetime
    end_time: datetime | None
    duration_seconds: float
    pages: int
    pages_per_second: float
    files_per_second: float
    failed_by_input: int
    failed_by_worker: int
    retries: int
    cleanups: int
    worker_restarts: int
    peak_rss_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """How a run of a job ended, with all files of the job. Above 10,000 files the lists are empty, and `counts` tells."""

    job_id: JobId
    status: BatchStatus
    reason: str | None
    dry_run: bool
    successful: tuple[FileResult, ...]
    failed: tuple[FileResult, ...]
    skipped: tuple[FileResult, ...]
    counts: FileCounts
    lists_files: bool
    """False where the lists were left out."""
    total_files: int
    total_pages_processed: int
    duration_seconds: float
    statistics: Statistics
    manifest: str | None
    """Path of the batch manifest; None for a dry run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTally:
    """How many files of a job are in which state."""

    total: int
    pending: int
    processing: int
    completed: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """A job as a list shows it."""

    job_id: JobId
    state: JobState
    created_at: datetime
    updated_at: datetime
    output_dir: str
    client: str | None
    priority: int
    stats: FileTally
    pages_done: int
    pages_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDetails:
    """A job with its statistics and some of its files."""

    summary: JobSummary
    statistics: Statistics
    files: tuple[JobFile, ...]


@dataclass(frozen=True, slots=True)
class PageFacts:
    """One page of an inspected file."""

    width_points: float
    height_points: float
    has_text: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a file is, without recognition."""

    file: str
    type: str
    """By content: pdf, png, jpeg, tiff, bmp, gif, webp, pnm."""
    bytes: int
    pages: int
    encrypted: bool
    signed: bool
    form: Literal["none", "acroform", "xfa"]
    page_list: tuple[PageFacts, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request has become a job, or a job a new run."""

    job_id: JobId
    file_count: int
    """To be done by this run."""
    total_files: int
