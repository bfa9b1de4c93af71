"""What the runs of all jobs work with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ocr_worker.model.jobs import JobEvent, JobId
from ocr_worker.processes.pool import PagePool
from ocr_worker.settings import Settings
from ocr_worker.store.job_store import JobStore


@dataclass(frozen=True, slots=True)
class Workshop:
    store: JobStore
    pool: PagePool
    settings: Settings
    emit: Callable[[JobEvent], None]
    tickets: Iterator[int]
    write_end: Callable[[JobId, Callable[[], None]], None]
    """Has the end of a job's run written, now or once no other process holds the store."""
    file_begun: Callable[[JobId], None]
    progress_seconds: float = 0.1
    """Least time between two progress events of a job."""
