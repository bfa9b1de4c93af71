"""What a run keeps in the store and tells: how far it is, how its files ended, how it ended itself."""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import suppress

from ocr_worker.errors import OcrError
from ocr_worker.jobs.course import RunEnds
from ocr_worker.jobs.progress import Progress, Stopwatch
from ocr_worker.jobs.run_context import RunContext
from ocr_worker.model.events import FileEnded, JobEnded, JobFailed, ProgressMade, RunEnd
from ocr_worker.model.jobs import FileState, JobState
from ocr_worker.model.results import FileOutcome
from ocr_worker.model.tasks import Failure
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import RunEnding, StoredJob

log = logging.getLogger(__name__)


class Throttle:
    """Lets news through at once when the last are long enough ago, and otherwise when they are."""

    def __init__(self, least_seconds: float) -> None:
        self.least_seconds = least_seconds
        self._told_at, self._news = float("-inf"), False

    def add(self) -> None:
        """There is news."""
        self._news = True

    def take(self, now: float, *, at_once: bool = False) -> bool:
        """Whether news is to be told now; it then counts as told."""
        if not self._news or (now < self._told_at + self.least_seconds and not at_once):
            return False
        self._told_at, self._news = now, False
        return True

    def due(self) -> float | None:
        """When held-back news is to be told."""
        return self._told_at + self.least_seconds if self._news else None


class RunJournal:
    """Counts on from where earlier runs of the job left it."""

    def __init__(self, job: StoredJob, context: RunContext) -> None:
        self._job, self._context, self._store, self._pool = job, context, context.store, context.pool
        self.worked = Stopwatch(time.monotonic)
        self.progress = _resumed(context.store, job, self.worked)
        self.throttle = Throttle(context.progress_seconds)
        self.retries, self.pages_read, self._last_seq = 0, 0, job.last_seq
        self._stored_percent = self.progress.percent
        stats = context.pool.stats()
        self._deaths, self._recycled, self._peak_rss = stats.deaths, stats.recycled, job.peak_rss_bytes

    def begun(self) -> None:
        """The run has begun."""
        fields = {"started_at": self._job.started_at or time.time(), "percent": self.progress.percent}
        self._store.update_job(self._job.job_id, state="running", reason=None, ended_at=None, **fields)
        self.throttle.add()
        self.tell(at_once=True)

    def set_state(self, state: JobState) -> None:
        self._store.update_job(self._job.job_id, state=state)

    def tell(self, *, at_once: bool = False) -> None:
        """Tell how far the job is, if there is news and the last are long enough ago."""
        if not self.throttle.take(time.monotonic(), at_once=at_once):
            return
        self._peak_rss = max(self._peak_rss, self._pool.rss_bytes())
        snapshot = self.progress.snapshot()
        if snapshot.percent > self._stored_percent:
            # Before anybody hears of it: the run may end without a word, and the next must not fall behind.
            self._store.update_job(self._job.job_id, **self._fields())
            self._stored_percent = snapshot.percent
        self._context.listener.on_event(ProgressMade(self._job.job_id, snapshot))

    def retried(self, name: str, page: int) -> None:
        """A page, or a step of the whole file, is tried again."""
        self.retries += 1
        log.warning("%s: trying %s again", name, f"page {page}" if page else "the file")

    def file_ended(self, number: int, state: FileState, outcome: FileOutcome) -> None:
        seq = self._next_seq()
        fields = {"state": state, "outcome": outcome, "ended_at": time.time(), "seq": seq}
        self._store.end_file(self._job.job_id, number, self._fields(), **fields)
        self.progress.file_ended(number, state)
        self._context.listener.on_event(FileEnded(self._job.job_id, number, seq))
        self.throttle.add()

    def run_ended(self, end: RunEnds, unstarted: tuple[tuple[int, int], ...]) -> None:
        """Keep and tell the end; what is left of the files is pending again, and tries of these pages did not count."""
        if end.status == "completed":
            self.progress.finish()
        now, seq = time.time(), self._next_seq()
        self._write_end(end.state, end.reason, now, unstarted)
        if end.status == "completed":
            self._stored_percent = self.progress.percent
            self.throttle.add()
            self.tell(at_once=True)
        self._context.listener.on_event(JobEnded(self._job.job_id, RunEnd(end.status, end.reason, now), seq))

    def run_failed(self, error: OcrError) -> None:
        """Keep, as far as the store can, and tell that a fault ended the run."""
        seq = self._next_seq()
        with suppress(sqlite3.Error):
            self._write_end("failed", error.code, time.time(), ())
        failure = Failure.of(error)
        self._context.listener.on_event(JobFailed(self._job.job_id, failure, seq))

    def _next_seq(self) -> int:
        self._last_seq += 1
        return self._last_seq

    def _write_end(
        self, state: JobState, reason: str | None, now: float, unstarted: tuple[tuple[int, int], ...]
    ) -> None:
        fields = {"state": state, "reason": reason, "ended_at": now, **self._fields()}
        self._context.leases.end_run(self._store, RunEnding(self._job.job_id, fields, unstarted))

    def _fields(self) -> dict[str, float]:
        """What is counted over all runs of the job, as its row has it."""
        job, stats = self._job, self._pool.stats()
        return {
            "worked_seconds": job.worked_seconds + self.worked.seconds,
            "retries": job.retries + self.retries,
            "worker_restarts": job.worker_restarts + stats.deaths - self._deaths,
            "percent": self.progress.percent,
            "cleanups": job.cleanups + stats.recycled - self._recycled,
            "peak_rss_bytes": self._peak_rss,
            "pages_read": job.pages_read + self.pages_read,
            "last_seq": self._last_seq,
        }


def _resumed(store: JobStore, job: StoredJob, worked: Stopwatch) -> Progress:
    """Progress where earlier runs left it; of a job that was completed, from what is to be done again."""
    tally = store.tallies([job.job_id])[job.job_id]
    progress = Progress(tally.stats, tally.pages_ended, tally.pages_total, worked)
    progress.percent = 0.0 if job.percent == 100 else job.percent
    for _, number, pages, done in store.begun_files([job.job_id]):
        progress.begun(number, pages, done)
    return progress
