"""What a run stores and publishes: its progress, the results of its files, its own end."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from ocr_worker.errors import OcrError
from ocr_worker.jobs.course import Course, RunEnds
from ocr_worker.jobs.file_window import OpenFile
from ocr_worker.jobs.in_flight import InFlightTasks
from ocr_worker.jobs.progress import Progress, Stopwatch
from ocr_worker.jobs.run_context import RunContext
from ocr_worker.model.crew import Crew
from ocr_worker.model.events import (
    CrewChanged,
    FileEnded,
    FileStarted,
    JobEnded,
    JobEvent,
    JobFailed,
    JobPaused,
    ProgressMade,
    RunEnd,
)
from ocr_worker.model.jobs import FileState, JobState
from ocr_worker.model.results import FileOutcome
from ocr_worker.model.tasks import Failure
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import RunEnding, StoredFile, StoredJob

log = logging.getLogger(__name__)


class Throttle:
    """Limits how often progress is published."""

    def __init__(self, least_seconds: float) -> None:
        self.least_seconds = least_seconds
        self._told_at, self._news = float("-inf"), False

    def mark_news(self) -> None:
        """There is news."""
        self._news = True

    def let_through(self, now: float, *, at_once: bool = False) -> bool:
        """Whether to publish now; if so, it counts as published."""
        if not self._news or (now < self._told_at + self.least_seconds and not at_once):
            return False
        self._told_at, self._news = now, False
        return True

    def due(self) -> float | None:
        """When held-back news is due."""
        return self._told_at + self.least_seconds if self._news else None


class RunJournal:
    """Continues from where earlier runs of the job ended."""

    def __init__(self, job: StoredJob, context: RunContext, in_flight: InFlightTasks) -> None:
        self._job, self._context, self._store, self._pool = job, context, context.store, context.pool
        self._in_flight = in_flight
        self.worked = Stopwatch(time.monotonic)
        self.progress = _resumed(context.store, job, self.worked)
        self.throttle = Throttle(context.progress_seconds)
        self.retries, self.pages_read, self._last_seq = 0, 0, job.last_seq
        self._stored_percent = self.progress.percent
        self._is_paused = self._rest_is_told = False
        self._crew = Crew(0)
        """As it was told last."""
        stats = context.pool.stats()
        self._deaths, self._recycled, self._peak_rss = stats.deaths, stats.recycled, job.peak_rss_bytes

    def course(self, only: Collection[int] | None) -> Course:
        """The decisions of this run, from where earlier ones ended; of these files alone, where they are named."""
        job, counts = self._job, self.progress.counts
        partial = only is not None and self._store.stats(job.job_id)["pending"] > len(only)
        return Course(
            job.options,
            ended=sum(counts.values()),
            failed=counts["failed"],
            partial=partial,
            reason=job.reason,
        )

    def run_begun(self) -> None:
        """Store that the run has begun."""
        fields = {"started_at": self._job.started_at or time.time(), "percent": self.progress.percent}
        self._set_state("running", reason=None, ended_at=None, **fields)
        self.throttle.mark_news()

    def paused(self) -> None:
        """Publish progress at once, and store that the run is paused."""
        self.tell(at_once=True)
        self._is_paused, self._rest_is_told = True, False
        self.stop_clock_at_rest()
        self._set_state("paused")

    def unpaused(self) -> None:
        """Store that the run goes on."""
        self._is_paused = False
        self.worked.unpause()
        self._set_state("running")

    def stop_clock_at_rest(self) -> None:
        """Stop the clock once a paused run has nothing in work any more."""
        if self._is_paused and not self._in_flight:
            self.worked.pause()

    def tell_rest(self) -> None:
        """Publish once that a paused run has nothing in work any more: not before the pause was answered."""
        if self._is_paused and not self._in_flight and not self._rest_is_told:
            self._rest_is_told = True
            self._publish(JobPaused(self._job.job_id))

    def tell(self, *, at_once: bool = False) -> bool:
        """Publish progress if there is news and the throttle allows it; return whether it was."""
        if not self.throttle.let_through(time.monotonic(), at_once=at_once):
            return False
        self._peak_rss = max(self._peak_rss, self._pool.rss_bytes())
        crew = self._crew if self._crew.nodes is not None else None
        snapshot = self.progress.snapshot(self._in_flight.in_work(), self._in_flight.width, crew)
        if snapshot.percent > self._stored_percent:
            # Store before publishing: after a crash the next run must not start at a lower percentage.
            self._store.update_job(self._job.job_id, **self._fields())
            self._stored_percent = snapshot.percent
        self._publish(ProgressMade(self._job.job_id, snapshot))
        return True

    def task_started(self, file: OpenFile) -> None:
        """Publish that a file's first page was given out, if this was it."""
        if file.opened is not None and not file.is_started:
            file.is_started = True
            self._publish(FileStarted(self._job.job_id, file.number, file.opened.pages))
        self.throttle.mark_news()

    def look_at_crew(self) -> None:
        """Publish who reads the pages, where nodes of a cluster do and that has changed."""
        crew = self._pool.crew()
        if crew == self._crew:
            return
        self._crew = crew
        if crew.nodes is not None:
            self._publish(CrewChanged(self._job.job_id, crew))
            self.throttle.mark_news()

    def retried(self, name: str, page: int) -> None:
        """Count a retry of a page, or of a step of the whole file."""
        self.retries += 1
        log.warning("%s: trying %s again", name, f"page {page}" if page else "the file")

    def file_ended(self, file: StoredFile, state: FileState, outcome: FileOutcome) -> None:
        seq, number = self._next_seq(), file.number
        fields = {"state": state, "outcome": outcome, "ended_at": time.time(), "seq": seq}
        self._store.end_file(self._job.job_id, number, self._fields(), **fields)
        self.progress.file_ended(number, state, file.bytes)
        self._publish(FileEnded(self._job.job_id, number, seq))
        self.throttle.mark_news()

    def run_ended(self, end: RunEnds, unstarted: tuple[tuple[int, int], ...]) -> None:
        """Store and publish the end. Files in work are pending again; attempts of unstarted pages do not count."""
        if end.status == "completed":
            self.progress.finish()
        now, seq = time.time(), self._next_seq()
        self._write_end(end.state, end.reason, now, unstarted)
        if end.status == "completed":
            self._stored_percent = self.progress.percent
            self.throttle.mark_news()
            self.tell(at_once=True)
        self._publish(JobEnded(self._job.job_id, RunEnd(end.status, end.reason, now), seq))

    def run_failed(self, error: OcrError) -> None:
        """Publish that an error ended the run, and store it if the store still works."""
        seq = self._next_seq()
        with suppress(sqlite3.Error):
            self._write_end("failed", error.code, time.time(), ())
        failure = Failure.of(error)
        self._context.listener.on_event(JobFailed(self._job.job_id, failure, seq))

    def _publish(self, event: JobEvent) -> None:
        """Publish what is stored by now."""
        self._store.commit()
        self._context.listener.on_event(event)

    def _set_state(self, state: JobState, **fields: Any) -> None:
        """Store it for good, as the manifest is written from what is stored, and at once."""
        self._store.update_job(self._job.job_id, state=state, **fields)
        self._store.commit()

    def _next_seq(self) -> int:
        self._last_seq += 1
        return self._last_seq

    def _write_end(
        self, state: JobState, reason: str | None, now: float, unstarted: tuple[tuple[int, int], ...]
    ) -> None:
        fields = {"state": state, "reason": reason, "ended_at": now, **self._fields()}
        self._context.leases.end_run(self._store, RunEnding(self._job.job_id, fields, unstarted))

    def _fields(self) -> dict[str, float]:
        """Columns of the job's row that count over all runs."""
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
    """Progress from where earlier runs ended; of a completed job, from the start."""
    tally = store.tallies([job.job_id])[job.job_id]
    progress = Progress(tally.stats, tally.pages_ended, tally.pages_total, worked)
    progress.percent = 0.0 if job.percent == 100 else job.percent
    progress.effort.bytes_to_come = store.bytes_to_come(job.job_id)
    if per_minute := job.options.pages_per_minute:
        progress.effort.least_page_seconds = 60 / per_minute
    for _, number, pages, done in store.begun_files([job.job_id]):
        progress.file_begun(number, pages, done)
    return progress
