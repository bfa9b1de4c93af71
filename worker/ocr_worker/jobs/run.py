"""One run of one job: starts its work in the page pool, stores what comes of it, and tells how far it is."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ocr_worker.errors import PageTimeoutError
from ocr_worker.files.atomic import FolderId, folder_id
from ocr_worker.files.sweep import sweep_parts
from ocr_worker.jobs.course import (
    Compose,
    Effect,
    FileFailed,
    JobCourse,
    Open,
    PageFailed,
    PageRetried,
    Recognise,
    backoff_seconds,
    with_name,
)
from ocr_worker.jobs.file_window import FileInWork, JobWindow, RunOrder
from ocr_worker.jobs.in_flight import WorksInHand
from ocr_worker.jobs.next_tasks import NextWorks
from ocr_worker.jobs.outcomes import FileOutcomes, failed_outcome, failure_of, locked_outcome, run_error
from ocr_worker.jobs.page_results import KeptPages
from ocr_worker.jobs.progress import Here, Reporter
from ocr_worker.jobs.run_context import Workshop
from ocr_worker.jobs.totals import JobBooks
from ocr_worker.model.jobs import BatchStatus, FileEnded, FileState, JobEnded, JobFailed, JobState, RunEnd
from ocr_worker.model.tasks import Composed, Failure, Opened, Outcome, PageDone
from ocr_worker.processes.pool import TaskEnded
from ocr_worker.store.records import StoredFile, StoredJob

log = logging.getLogger(__name__)


class JobRun:
    """Owned by one thread, which calls `advance` when something may have changed and `tick` when time has."""

    def __init__(self, job: StoredJob, order: RunOrder, shop: Workshop) -> None:
        self.job, self.origin, self.paused, self.ended = job, order.origin, False, False
        self._store, self._pool, self._emit = shop.store, shop.pool, shop.emit
        self._write_end, self._file_begun = shop.write_end, shop.file_begun
        self._course = JobCourse(job.options.retries)
        self._window = JobWindow(job, order, shop.store, shop.settings.jobs_dir)
        self._in_hand = WorksInHand(job, self._window, shop)
        self._kept = KeptPages(job, self._window, shop.store)
        self._next = NextWorks(self, self._course, self._window, self._in_hand, self._kept)
        self._outcomes = FileOutcomes(self._window, shop.store)
        self._books = JobBooks(job, shop.store, shop.pool, shop.emit)
        self._progress = self._books.progress
        self._reporter = Reporter(self._books.tell, shop.progress_seconds)

    def begin(self) -> None:
        """Mark the run as begun and say where it starts."""
        started = self.job.started_at or time.time()
        self._store.update_job(
            self.job.job_id, state="running", reason=None, ended_at=None, started_at=started,
            percent=self._progress.percent,
        )  # fmt: skip
        if not self.job.options.dry_run:
            self._window.folder.mkdir(parents=True, exist_ok=True)
            self._window.folder_id = folder_id(self._window.folder)
            sweep_parts(self._window.folder)
        self._pool.warm(self._in_hand.processes, self.job.options.page)
        self._reporter.now()

    def advance(self) -> None:
        """Start what can be started; end the run when all is done."""
        for work in self._next.ready():
            self._in_hand.start(work)
        self._kept.clear_litter()
        if not (self.paused or self.ended or self._course.window or self._window.peek()):
            self._finish()

    def take(self, ended: TaskEnded) -> bool:
        """Take in the end of a task; False when it is not this run's."""
        work = self._in_hand.ended(ended.ticket)
        match work:
            case None:
                return False
            case Open():
                self._file_opened(work, ended.outcome)
            case Recognise():
                self._page_ended(work, ended.outcome)
            case Compose():
                self._file_composed(work, ended.outcome)
        self._stop_watch_at_rest()
        return True

    def pause(self) -> None:
        """Start nothing more; what is in work is finished. What was finished before is told now."""
        self._reporter.catch_up()
        self.paused = True
        self._stop_watch_at_rest()
        self._store.update_job(self.job.job_id, state="paused")

    def unpause(self) -> None:
        self.paused = False
        self._books.worked.unpause()
        self._store.update_job(self.job.job_id, state="running")

    def _stop_watch_at_rest(self) -> None:
        """Time counts until the pages that a pause lets finish are finished."""
        if self.paused and self.at_rest:
            self._books.worked.pause()

    def stop(self, status: BatchStatus, state: JobState, reason: str | None) -> None:
        """End the run now: kill its page processes, keep what is finished, put the rest back to pending."""
        self._close(status, state, reason, self._in_hand.kill())

    def fail(self, error: Exception) -> None:
        """End the run by a fault that is not a file's: the store, the disk it is on, or an error of ours."""
        ours = run_error(error, self.job.job_id)
        self.ended, job_id = True, self.job.job_id
        self._in_hand.abandon()
        fields = {"state": "failed", "reason": ours.code, "ended_at": time.time(), **self._books.account()}
        with suppress(sqlite3.Error):
            self._write_end(job_id, lambda: self._store.end_run(job_id, (), **fields))
        self._emit(JobFailed(self.job.job_id, self.origin, ours.code, ours.message, ours.retryable))

    def tick(self) -> None:
        """Do what has become due: progress held back, files whose time is up."""
        self._reporter.tick()
        limit = self.job.options.file_timeout_seconds
        for file in self._in_hand.overdue():
            if not self.ended:
                self._time_is_up(file, limit)

    def next_tick(self) -> float | None:
        """When `tick` or `advance` has something to do, on the monotonic clock."""
        times = [*self._in_hand.due_at(), *self._next.due_at(time.monotonic())]
        if (due := self._reporter.due()) is not None:
            times.append(due)
        return min(times, default=None)

    @property
    def folder_id(self) -> FolderId | None:
        """Of the output folder as this run found it."""
        return self._window.folder_id

    @property
    def at_rest(self) -> bool:
        """Nothing of it is in work."""
        return not self._in_hand

    def tell_progress_every(self, seconds: float) -> None:
        """Keep to this least time between two progress events."""
        self._reporter.least_seconds = seconds

    def at_work(self) -> tuple[str, int | None] | None:
        """The file, as sent, and the page that have been in work longest; no page while a file is opened or composed."""
        return self._in_hand.longest()

    def _file_opened(self, work: Open, outcome: Outcome) -> None:
        file = self._window.files[work.number]
        if not isinstance(outcome, Opened):
            self._not_opened(file, failure_of(outcome))
            return
        file.opened, file.source = outcome, replace(file.source, stamp=outcome.stamp)
        if outcome.up_to_date:
            self.end_file(file.stored, "skipped", self._outcomes.up_to_date(file))
        elif self.job.options.dry_run:
            self.end_file(file.stored, "completed", self._outcomes.dry_run(file, outcome))
        else:
            self._begin_pages(file, outcome)

    def _not_opened(self, file: FileInWork, failure: Failure) -> None:
        """Wait for a file that another program has locked, for so long; give up any other."""
        now = time.monotonic()
        file.locked_since = file.locked_since or now
        if failure.code != "locked":
            self._apply(self._course.step_failed(file.number, failure, now))
        elif now - file.locked_since < self.job.options.max_lock_wait_seconds:
            file.lock_checks += 1
            self._course.defer(file.number, now + backoff_seconds(file.lock_checks))
        else:
            self.end_file(file.stored, "skipped", locked_outcome())

    def _begin_pages(self, file: FileInWork, opened: Opened) -> None:
        number = file.number
        self._kept.begin(file, opened)
        self._file_begun(self.job.job_id)
        file.stored = replace(file.stored, pages=opened.pages, sha256=opened.sha256)
        known = self._kept.known(number)
        self._progress.opened(number, opened.pages, known, file.weights)
        self._apply(self._course.opened(number, opened.pages, known))

    def _page_ended(self, work: Recognise, outcome: Outcome) -> None:
        if isinstance(outcome, PageDone):
            self._store.page_ended(self.job.job_id, work.number, work.page, outcome.status)
            self._books.pages_read += outcome.status == "ok"
            self._course.page_done(work.number, work.page)
            self._count_page(work.number, work.page)
        else:
            failure = with_name(failure_of(outcome), self._window.files[work.number].name, work.page)
            self._apply(self._course.page_failed(work.number, work.page, failure, time.monotonic()))

    def _count_page(self, number: int, page: int) -> None:
        file, run = self._window.files[number], self._course.window[number]
        file.page_ended_at = time.monotonic()
        here = Here(file.stored.file, file.name, number, run.pages_ended, run.pages)
        self._progress.page_ended(number, file.weights[page - 1], here)
        self._reporter.soon()

    def _file_composed(self, work: Compose, outcome: Outcome) -> None:
        file = self._window.files[work.number]
        if not isinstance(outcome, Composed) or file.opened is None:
            sweep_parts(self._window.folder)
            self._not_composed(file, failure_of(outcome))
            return
        ended = self._outcomes.composed(file, file.opened, outcome, work.failed_pages)
        self.end_file(file.stored, "completed", ended)
        self._kept.done_with(work.number)

    def _not_composed(self, file: FileInWork, failure: Failure) -> None:
        """Recognise all pages anew, once, if their stored results are of no use; otherwise as any step that fails."""
        if failure.code != "internal" or file.begun_anew or file.opened is None:
            self._apply(self._course.step_failed(file.number, failure, time.monotonic()))
            return
        log.warning(
            "%s: its page results can't be used, all pages are done again: %s", file.name, failure.message
        )
        file.begun_anew = True
        self._kept.forget(file.number)
        self._begin_pages(file, file.opened)

    def _apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case PageRetried(number, page):
                    self._books.retries += 1
                    name, what = self._window.files[number].name, f"page {page}" if page else "the file"
                    log.warning("%s: trying %s again", name, what)
                case PageFailed(number, failed):
                    self._count_page(number, failed.page)
                case FileFailed():
                    self._fail_file(effect)

    def _fail_file(self, failed: FileFailed) -> None:
        file = self._window.files[failed.number]
        if traceback := failed.failure.details.pop("traceback", None):
            log.error("%s failed:\n%s", file.name, traceback)
        failure = with_name(failed.failure, file.name, None)
        self._in_hand.drop(failed.number)
        if failure.code == "locked" and failed.page:
            self.end_file(file.stored, "skipped", locked_outcome())
            return
        self.end_file(file.stored, "failed", failed_outcome(failure, failed.page))
        if failure.code == "no_space" and not self.ended:
            self.stop("stopped", "stopped", "no_space")

    def end_file(self, file: StoredFile, state: FileState, outcome: dict[str, Any]) -> None:
        """Keep how a file ended; one failure too many ends the run."""
        ended = {"state": state, "outcome": outcome, "ended_at": time.time()}
        self._store.end_file(self.job.job_id, file.number, self._books.account(), **ended)
        self._progress.file_ended(file.number, state)
        if self._window.files.pop(file.number, None):
            self._course.ended(file.number)
        self._emit(FileEnded(self.job.job_id, file.number))
        self._reporter.soon()
        if state == "failed" and not self.ended and self._books.too_many_failed():
            self.stop("stopped", "stopped", "error_threshold")

    def _time_is_up(self, file: FileInWork, limit: float) -> None:
        late = PageTimeoutError(f"{file.name}: no page was finished within {limit:g} seconds")
        self._in_hand.drop(file.number)
        self._apply(self._course.give_up_pages(file.number, Failure(late.code, late.message, late.retryable)))

    def _finish(self) -> None:
        if self._store.stats(self.job.job_id)["pending"]:
            self._close("stopped", "stopped", self.job.reason)
            return
        self._progress.finish()
        self._close("completed", "completed", None)

    def _close(
        self,
        status: BatchStatus,
        state: JobState,
        reason: str | None,
        unstarted: Sequence[tuple[int, int]] = (),
    ) -> None:
        now, job = time.time(), self.job
        fields = {"state": state, "reason": reason, "ended_at": now, **self._books.account()}
        self._write_end(job.job_id, lambda: self._store.end_run(job.job_id, unstarted, **fields))
        self._kept.clear_litter()
        self._window.leave_results()
        self.ended = True
        self._books.close()
        if status == "completed":
            self._reporter.now()
        self._emit(JobEnded(job.job_id, self.origin, RunEnd(status, reason, now)))
