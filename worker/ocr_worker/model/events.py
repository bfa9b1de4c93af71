"""The events of jobs, as the runtime publishes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from ocr_worker.model.crew import Crew
from ocr_worker.model.jobs import BatchStatus, JobId
from ocr_worker.model.results import FileResult, Progress
from ocr_worker.model.tasks import Failure


@dataclass(frozen=True, slots=True)
class ProgressMade:
    """A job has made progress; a slow listener gets only the newest."""

    job_id: JobId
    progress: Progress


@dataclass(frozen=True, slots=True)
class FileStarted:
    """The first page of a file was given to a page process, or, if none is left to read, the writing of its outputs."""

    job_id: JobId
    number: int
    pages: int


@dataclass(frozen=True, slots=True)
class JobPaused:
    """A paused job is at rest: nothing of it is in work any more."""

    job_id: JobId


@dataclass(frozen=True, slots=True)
class CrewChanged:
    """Nodes of the cluster came, went, were refused or lost pages."""

    job_id: JobId
    crew: Crew


@dataclass(frozen=True, slots=True)
class FileEnded:
    """A file has ended. Listeners read its outcome from the store: thousands of outcomes would fill the memory."""

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
    """A run of a job has ended: completed, cancelled or stopped."""

    job_id: JobId
    run: RunEnd
    seq: int


@dataclass(frozen=True, slots=True)
class JobFailed:
    """A run was ended by a bug, or by a fault of the state folder; no file is to blame."""

    job_id: JobId
    failure: Failure
    seq: int


JobEvent = Union[ProgressMade, FileStarted, FileEnded, JobPaused, CrewChanged, JobEnded, JobFailed]


@dataclass(frozen=True, slots=True)
class FileDone:
    """A file has ended, with its result."""

    job_id: JobId
    number: int
    seq: int
    result: FileResult
