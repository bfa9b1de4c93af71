"""What one run of a job counts: how far it is, how long it has worked, what that took."""

from __future__ import annotations

import time
from collections.abc import Callable

from ocr_worker.jobs.progress import Progress, Stopwatch
from ocr_worker.model.jobs import JobEvent
from ocr_worker.processes.pool import PagePool
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredJob

THRESHOLD_FILES = 10
"""The error share counts from so many ended files on."""


class JobBooks:
    """Opened where earlier runs of the job left them."""

    def __init__(
        self, job: StoredJob, store: JobStore, pool: PagePool, emit: Callable[[JobEvent], None]
    ) -> None:
        self._job, self._store, self._pool, self._emit = job, store, pool, emit
        self.worked = Stopwatch(time.monotonic)
        self.progress = _progress(store, job, self.worked)
        self._stored_percent = self.progress.percent
        self.retries, self.pages_read = 0, 0
        self._deaths, self._recycled, self._peak_rss = pool.deaths, pool.recycled, job.peak_rss_bytes

    def tell(self) -> None:
        """Say how far the job is."""
        self._peak_rss = max(self._peak_rss, self._pool.rss_bytes())
        made, told = self.progress.made(self._job.job_id), self.progress.percent
        if told > self._stored_percent:
            # Before the host hears of it: the run may end without a word, and the next must not fall behind.
            self._store.update_job(self._job.job_id, **self.account())
            self._stored_percent = told
        self._emit(made)

    def account(self) -> dict[str, float]:
        """What is counted over all runs of the job."""
        job = self._job
        return {
            "worked_seconds": job.worked_seconds + self.worked.seconds,
            "retries": job.retries + self.retries,
            "worker_restarts": job.worker_restarts + self._pool.deaths - self._deaths,
            "percent": self.progress.percent,
            "cleanups": job.cleanups + self._pool.recycled - self._recycled,
            "peak_rss_bytes": self._peak_rss,
            "pages_read": job.pages_read + self.pages_read,
        }

    def too_many_failed(self) -> bool:
        """Whether the job is to stop for the share of its files that failed."""
        threshold, ended = self._job.options.stop_on_error_threshold, self.progress.files_ended
        failed = self.progress.counts["failed"]
        # A dry run is there to tell of all of them.
        may = not self._job.options.dry_run
        return may and threshold < 1 and ended >= THRESHOLD_FILES and failed >= threshold * ended

    def close(self) -> None:
        """What is told from now on is no news to the store."""
        self._stored_percent = self.progress.percent


def _progress(store: JobStore, job: StoredJob, worked: Stopwatch) -> Progress:
    """Progress where earlier runs left it; of a job that was completed, from what is to be done again."""
    tally = store.tallies([job.job_id])[job.job_id]
    progress = Progress(tally.stats, tally.pages_ended, tally.pages_total, worked)
    progress.percent = 0.0 if job.percent == 100 else job.percent
    for _, number, pages, done in store.begun_files([job.job_id]):
        progress.begun(number, pages, done)
    return progress
