"""What happens to jobs, as the runtime tells it to whoever listens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from ocr_worker.model.jobs import BatchStatus, JobId
from ocr_worker.model.results import FileResult, Progress
from ocr_worker.model.tasks import Failure


@dataclass(frozen=True, slots=True)
class ProgressMade:
    job_id: JobId
    progress: Progress


@dataclass(frozen=True, slots=True)
class FileEnded:
    """The file's outcome is read from the store by whoever wants it: thousands of them would fill the memory."""

    job_id: JobId
    number: int
    seq: int
    """Counts the ends of a job's files and runs, from 1, over all its runs."""


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How one run of a job ended."""

    status: BatchStatus
    reason: str | None
    ended_at: float


@dataclass(frozen=True, slots=True)
class JobEnded:
    job_id: JobId
    run: RunEnd
    seq: int


@dataclass(frozen=True, slots=True)
class JobFailed:
    """A run ended by a fault of ours or of the state folder, not of a file."""

    job_id: JobId
    failure: Failure
    seq: int


JobEvent = Union[ProgressMade, FileEnded, JobEnded, JobFailed]


@dataclass(frozen=True, slots=True)
class FileDone:
    """A file has ended, for who wants to know how."""

    job_id: JobId
    number: int
    seq: int
    result: FileResult
