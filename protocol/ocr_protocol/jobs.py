"""Jobs and files as events show them: entries of results, listings and reports. Open: fields only get added."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ocr_protocol.codes import ErrorCode
from ocr_protocol.commands import JobState
from ocr_protocol.paths import path_to_wire

OPEN = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False, defer_build=True)


def _make_text(value: object) -> object:
    return (
        value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if isinstance(value, str)
        else value
    )


def _make_path(value: object) -> object:
    return path_to_wire(value) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_make_text)]
"""A sentence; halves of surrogate pairs, as names of files may bring them, are replaced."""

EventPath = Annotated[str, BeforeValidator(_make_path)]
"""A path as `os.fsdecode` gives it or as the host sent it; written so that the host can read it."""

FileStatus = Literal["completed", "completed_with_errors", "failed", "skipped"]
SuccessStatus = Literal["completed", "completed_with_errors"]
JobFileStatus = Literal["pending", "processing", "completed", "completed_with_errors", "failed", "skipped"]
BatchStatus = Literal["completed", "cancelled", "stopped"]
PdfForm = Literal["none", "acroform", "xfa"]


class Item(BaseModel):
    model_config = OPEN


class FailedPage(Item):
    page: int
    code: ErrorCode
    error: Text


class Failure(Item):
    code: ErrorCode
    message: Text
    retryable: bool


class WorkingOn(Item):
    """What a page process works on; without `page` it opens the file, or composes its outputs."""

    file: EventPath
    file_index: int
    page: int | None = None


class Refusal(Item):
    code: ErrorCode
    message: Text


class Survey(Item):
    """What a dry run found in a file."""

    type: str
    bytes: int
    pages: int
    encrypted: bool
    signed: bool
    form: PdfForm
    pages_with_text: int
    largest_page_points: tuple[float, ...] | None = None
    """Width and height."""
    largest_page_pixels: tuple[int, ...] | None = None
    """Width and height as they would be recognised."""
    languages: dict[str, bool]
    """Whether their data is installed."""
    refused: Refusal | None = None
    """Why a real run would refuse the file."""


class Rehearsed(Item):
    """What a dry run adds to a file; absent elsewhere."""

    survey: Survey | None = None
    needed_bytes: int | None = None
    free_bytes: int | None = None
    estimated_seconds: float | None = None


class SuccessfulFile(Rehearsed):
    """A file whose outputs are written."""

    file: EventPath
    pages: int
    output: EventPath
    outputs: dict[str, EventPath] = Field(default_factory=dict)
    status: SuccessStatus = "completed"
    confidence: float | None = None
    failed_pages: tuple[FailedPage, ...] | None = None
    warnings: tuple[Text, ...] | None = None


class FailedFile(Item):
    file: EventPath
    error: Text
    code: ErrorCode
    retryable: bool
    page: int | None = None


class SkippedFile(Item):
    file: EventPath
    reason: str
    output: EventPath | None = None


class Counts(Item):
    """How many files there are where their lists are left out."""

    successful: int
    completed_with_errors: int = 0
    """Of the successful ones, those of which pages failed."""
    failed: int
    skipped: int


class Statistics(Item):
    """Of all runs of a job so far."""

    start_time: str
    end_time: str | None = None
    """Absent while the job has not ended."""
    duration_seconds: float = 0.0
    pages: int = 0
    """With a result."""
    pages_per_second: float
    files_per_second: float = 0.0
    failed_by_input: int = 0
    """Failed files that only another file, password, name or option can mend."""
    failed_by_worker: int = 0
    """All other failed files: a fault of the worker or of its machine."""
    retries: int
    cleanups: int = 0
    """Page processes replaced to give memory back."""
    worker_restarts: int
    peak_rss_bytes: int


class JobStats(Item):
    total: int
    pending: int
    processing: int
    completed: int
    failed: int
    skipped: int


class JobSummary(Item):
    job_id: str
    state: JobState
    created_at: str
    updated_at: str
    output_dir: EventPath
    client: Text | None = None
    """The `client.name` of the host that sent it."""
    priority: int
    stats: JobStats
    pages_done: int
    pages_total: int


class JobFile(Rehearsed):
    """A file of a job as it stands now."""

    file: EventPath
    status: JobFileStatus
    pages: int | None = None
    output: EventPath | None = None
    outputs: dict[str, EventPath] | None = None
    confidence: float | None = None
    error: Failure | None = None
    page: int | None = None
    """That the error is of."""
    failed_pages: tuple[FailedPage, ...] | None = None
    reason: str | None = None
    message: Text | None = None
    warnings: tuple[Text, ...] | None = None


class PageReport(Item):
    width_points: float
    height_points: float
    has_text: bool


class EngineInfo(Item):
    name: str
    version: str


class Limits(Item):
    max_line_bytes: int
    max_pixels: int
    max_workers: int
    progress_hz: float
