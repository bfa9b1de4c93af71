"""The events of jobs for one listener, in its own thread, at its own pace, from any point on."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Union

from typing_extensions import Self

from ocr_worker.jobs.queries import file_result
from ocr_worker.model.events import (
    CrewChanged,
    FileDone,
    FileEnded,
    FileStarted,
    JobEnded,
    JobEvent,
    JobFailed,
    JobPaused,
    ProgressMade,
    RunEnd,
)
from ocr_worker.model.jobs import ACTIVE, BatchStatus, JobId, JobState
from ocr_worker.model.tasks import Failure
from ocr_worker.store.job_store import JobStore, store_as_it_is
from ocr_worker.store.records import StoredJob

AT_ONCE = 100
"""Most files in memory; the others wait in the store."""
_STATUS: dict[JobState, BatchStatus] = {"completed": "completed", "stopped": "stopped"}

Heard = Union[ProgressMade, FileDone, JobEnded, JobFailed]


class Subscription:
    """Iterate it, or `get` the next event, in one thread.

    Only the newest progress is kept, and files are read from the store on demand. So a listener that is slow, or never
    reads, costs no memory and delays nobody.
    """

    def __init__(
        self, state_dir: Path, job_id: JobId | None, after_seq: int, detach: Callable[[Subscription], None]
    ) -> None:
        self._state_dir, self._job_id, self._detach = state_dir, job_id, detach
        self._news = threading.Condition()
        self._progress: dict[JobId, ProgressMade] = {}
        self._ends: dict[JobId, JobEnded | JobFailed] = {}
        self._ended_seq: dict[JobId, int] = {}
        """Up to which `seq` files have ended, by job."""
        self._read_seq: dict[JobId, int] = {} if job_id is None else {job_id: after_seq}
        self._files: deque[FileDone] = deque()
        self._looked_back, self._closed = job_id is None, False
        self._store: JobStore | None = None

    # The runtime's

    def on_event(self, event: JobEvent) -> None:
        job_id = event.job_id
        if self._job_id not in (None, job_id):
            return
        with self._news:
            match event:
                case ProgressMade():
                    self._progress[job_id] = event
                case FileEnded(_, _, seq):
                    self._read_seq.setdefault(job_id, seq - 1)
                    self._ended_seq[job_id] = seq
                case JobEnded() | JobFailed():
                    self._ends[job_id] = event
                case FileStarted() | JobPaused() | CrewChanged():
                    # Hosts are told of these; who subscribes sees what is in work in the progress.
                    return
            self._news.notify_all()

    def end(self) -> None:
        """End the subscription: no more events will come."""
        with self._news:
            self._closed = True
            self._news.notify_all()

    # The listener's

    def get(self, timeout: float | None = None) -> Heard | None:
        """The next event; None after `timeout` seconds, or if no more will come."""
        if not self._looked_back:
            self.look_back()
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._news:
                left = None if until is None else max(0.0, until - time.monotonic())
                if not self._news.wait_for(self._has_news, left):
                    return None
                job_id = self._job_with_files()
                if job_id is None and not self._files:
                    return self._take_other()
            if not self._files and job_id is not None:
                self._read_files(job_id)
            if self._files:
                return self._files.popleft()

    def __iter__(self) -> Iterator[Heard]:
        """Events until the job has ended; those of all jobs, for ever."""
        while (heard := self.get()) is not None:
            yield heard
            if self._job_id is not None and isinstance(heard, JobEnded | JobFailed):
                return

    def look_back(self) -> None:
        """Find events in the store: from before this listener came, and those of a job that another process runs."""
        self._looked_back = True
        assert self._job_id is not None
        job = self._reader().job(self._job_id)
        if job is None:
            return
        with self._news:
            seen = self._read_seq[job.job_id]
            self._ended_seq[job.job_id] = max(job.last_seq, self._ended_seq.get(job.job_id, 0))
            if job.state not in ACTIVE and job.last_seq > seen:
                self._ends.setdefault(job.job_id, _end_of(job))

    def close(self) -> None:
        """Unsubscribe; called by the thread that reads."""
        self._detach(self)
        self.end()
        if self._store is not None:
            # A connection is its thread's; another leaves it to the collector.
            with suppress(sqlite3.Error):
                self._store.close()
            self._store = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _has_news(self) -> bool:
        return bool(self._closed or self._files or self._progress or self._ends or self._job_with_files())

    def _job_with_files(self) -> JobId | None:
        return next((job for job, seq in self._ended_seq.items() if seq > self._read_seq[job]), None)

    def _take_other(self) -> Heard | None:
        """Progress first: the end of a job is its last event."""
        if self._progress:
            return self._progress.pop(next(iter(self._progress)))
        if self._ends:
            job_id = next(iter(self._ends))
            self._ended_seq.pop(job_id, None)
            if self._job_id is None:
                self._read_seq.pop(job_id, None)
            return self._ends.pop(job_id)
        return None

    def _read_files(self, job_id: JobId) -> None:
        found = self._reader().files_ended_after(job_id, self._read_seq[job_id], AT_ONCE)
        with self._news:
            # A file that was reopened since has no end any more.
            self._read_seq[job_id] = found[-1][0] if found else self._ended_seq[job_id]
        self._files.extend(FileDone(job_id, file.number, seq, file_result(file)) for seq, file in found)

    def _reader(self) -> JobStore:
        self._store = store_as_it_is(self._store, self._state_dir)
        return self._store


def _end_of(job: StoredJob) -> JobEnded | JobFailed:
    """The end of a job's last run, from its row."""
    if job.state == "failed":
        failure = Failure(job.reason or "internal", "An error ended the run; resume the job.", retryable=True)
        return JobFailed(job.job_id, failure, job.last_seq)
    run = RunEnd(_STATUS.get(job.state, "cancelled"), job.reason, job.ended_at or job.updated_at)
    return JobEnded(job.job_id, run, job.last_seq)
