"""One run of one job: starts its work in the page pool, stores what comes of it, and tells how far it is."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ocr_worker.errors import CrashedError, PageTimeoutError
from ocr_worker.file_outcomes import (
    FileOutcomes,
    failed_outcome,
    failure_of,
    fatal_outcome,
    locked_outcome,
    run_error,
)
from ocr_worker.job_books import JobBooks
from ocr_worker.job_records import StoredFile, StoredJob
from ocr_worker.job_state import (
    WHOLE_FILE,
    Compose,
    Effect,
    FileFailed,
    JobCourse,
    Open,
    PageFailed,
    PageRetried,
    Recognise,
    Work,
    backoff_seconds,
    page_of,
    with_name,
)
from ocr_worker.job_store import JobStore
from ocr_worker.job_window import FileInWork, JobWindow, RunOrder
from ocr_worker.jobs import (
    BatchStatus,
    FileEnded,
    FileState,
    JobEnded,
    JobEvent,
    JobFailed,
    JobId,
    JobState,
    RunEnd,
)
from ocr_worker.outputs.whole import FolderId, folder_id
from ocr_worker.page_pool import PagePool, TaskEnded
from ocr_worker.page_rate import PageRate
from ocr_worker.pipeline.tasks import Composed, FailedPage, Failure, Opened, Outcome, PageDone
from ocr_worker.private import make_private
from ocr_worker.progress import Here, Reporter
from ocr_worker.settings import Settings
from ocr_worker.sweep import sweep_parts

log = logging.getLogger(__name__)

FATAL_RUNS = 5
"""A page that was in work when so many runs ended, beyond its retries, or a file that was opened or written, is not tried again."""
VERDICTS_AT_ONCE = 50
MOST_THREADS = 4
"""On a page: each takes memory for an engine of its own, and a page can't be cut for ever."""
THRESHOLD_FILES = 10
"""The error share counts from so many ended files on."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a run works with."""

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


class JobRun:
    """Owned by one thread, which calls `advance` when something may have changed and `tick` when time has."""

    def __init__(self, job: StoredJob, order: RunOrder, shop: Workshop) -> None:
        self.job, self.origin, self.paused, self.ended = job, order.origin, False, False
        self._store, self._pool, self._emit, self._tickets = shop.store, shop.pool, shop.emit, shop.tickets
        self._write_end, self._file_begun = shop.write_end, shop.file_begun
        self._course = JobCourse(job.options.retries)
        self._window = JobWindow(job, order, shop.store, shop.settings.jobs_dir)
        self._works: dict[int, Work] = {}
        self._unfed = False
        self._litter: list[Path] = []
        """Page results of finished files; thrown away once the page processes have work again."""
        self._outcomes = FileOutcomes(self._window, shop.store)
        self._rate = PageRate(job.options.pages_per_minute)
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
        self._pool.warm(self._workers(), self.job.options.page)
        self._reporter.now()

    def advance(self) -> None:
        """Start what can be started; end the run when all is done."""
        room, works = self._room(), self._ready_works()
        for work in works:
            self._start_work(work, self._threads(work, room - len(works) + 1) if work is works[-1] else 1)
        self._clear_litter()
        if not (self.paused or self.ended or self._course.window or self._window.peek()):
            self._finish()

    def take(self, ended: TaskEnded) -> bool:
        """Take in the end of a task; False when it is not this run's."""
        work = self._works.pop(ended.ticket, None)
        if work is not None and page_of(work) == WHOLE_FILE:
            self._store.page_unstarted(self.job.job_id, work.number, WHOLE_FILE)
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
        """Start nothing more; what is in work is finished."""
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
        pages = self._kill_work(set(self._works))
        self._close(status, state, reason, pages)

    def fail(self, error: Exception) -> None:
        """End the run by a fault that is not a file's: the store, the disk it is on, or an error of ours."""
        ours = run_error(error, self.job.job_id)
        self.ended, job_id = True, self.job.job_id
        self._pool.kill(set(self._works))
        fields = {"state": "failed", "reason": ours.code, "ended_at": time.time(), **self._books.account()}
        with suppress(sqlite3.Error):
            self._write_end(job_id, lambda: self._store.end_run(job_id, (), **fields))
        self._emit(JobFailed(self.job.job_id, self.origin, ours.code, ours.message, ours.retryable))

    def tick(self) -> None:
        """Do what has become due: progress held back, files whose time is up."""
        self._reporter.tick()
        limit = self.job.options.file_timeout_seconds
        overdue = [file for file in self._at_pages() if time.monotonic() - file.page_ended_at >= limit]
        for file in overdue:
            if not self.ended:
                self._time_is_up(file, limit)

    def next_tick(self) -> float | None:
        """When `tick` or `advance` has something to do, on the monotonic clock."""
        limit = self.job.options.file_timeout_seconds
        times = [file.page_ended_at + limit for file in self._at_pages()]
        if (due := self._reporter.due()) is not None:
            times.append(due)
        if self._rate.next_at > (now := time.monotonic()):
            times.append(self._rate.next_at)
        if self._unfed and not self.paused:
            times.append(now)
        if (ripe := self._course.next_ripe(now)) is not None:
            times.append(ripe)
        return min(times, default=None)

    @property
    def folder_id(self) -> FolderId | None:
        """Of the output folder as this run found it."""
        return self._window.folder_id

    @property
    def at_rest(self) -> bool:
        """Nothing of it is in work."""
        return not self._works

    def tell_progress_every(self, seconds: float) -> None:
        """Keep to this least time between two progress events."""
        self._reporter.least_seconds = seconds

    def at_work(self) -> tuple[str, int | None] | None:
        """The file, as sent, and the page that have been in work longest; no page while a file is opened or composed."""
        for work in self._works.values():
            page = work.page if isinstance(work, Recognise) else None
            return self._window.files[work.number].stored.file, page
        return None

    def _workers(self) -> int:
        return min(self.job.options.max_workers or self._pool.size, self._pool.size)

    def _room(self) -> int:
        """How many tasks more may be in work."""
        most = self.job.options.max_workers or self._pool.size
        return min(self._pool.free(), most - len(self._works))

    def _ready_works(self) -> list[Work]:
        """As many as there is room for."""
        works: list[Work] = []
        while not self.paused and len(works) < self._room() and (work := self._next_work()) is not None:
            if isinstance(work, Recognise) and not self._rate.may_start():
                self._course.unstarted(work)
                break
            works.append(work)
        return [] if self.ended else works

    def _next_work(self) -> Work | None:
        self._feed()
        # Feeding may have ended the run: a file with a verdict can be one failure too many.
        return None if self.ended else self._course.next_work(time.monotonic())

    def _feed(self) -> None:
        """Keep one file waiting in the window; those with a verdict end on the spot, but not so many that nobody else is heard."""
        self._unfed = False
        verdicts = 0
        while self._course.hungry(time.monotonic()) and not self.ended and (stored := self._window.peek()):
            if stored.verdict and verdicts == VERDICTS_AT_ONCE:
                self._unfed = True
                return
            verdicts += stored.verdict is not None
            if stored.verdict:
                self._window.drop()
                self._end_file(
                    stored, "skipped" if stored.verdict["status"] == "skipped" else "failed", stored.verdict
                )
            elif (deaths := self._store.file_attempts(self.job.job_id, stored.number)) >= FATAL_RUNS:
                self._window.drop()
                self._end_file(stored, "failed", fatal_outcome(stored, deaths))
            else:
                self._course.feed(self._window.take().number)

    def _threads(self, work: Work, room: int) -> int:
        """The last page to be started is read on the processors that nothing else wants, unless it failed before."""
        opening = any(isinstance(other, Open) for other in self._works.values())
        if not isinstance(work, Recognise) or opening or self.job.options.pages_per_minute:
            return 1
        return 1 if self._course.was_tried(work) else min(room, MOST_THREADS)

    def _start_work(self, work: Work, threads: int) -> None:
        ticket, options = next(self._tickets), self.job.options
        limit = options.file_timeout_seconds
        self._store.page_started(self.job.job_id, work.number, page_of(work))
        if isinstance(work, Recognise):
            file = self._window.files[work.number]
            if file not in self._at_pages():
                # Time spent waiting for a free process is not the file's.
                file.page_ended_at = time.monotonic()
            limit = min(limit, options.page_timeout_seconds)
        self._works[ticket] = work
        self._pool.start(ticket, self._window.task(work, threads), limit)

    def _file_opened(self, work: Open, outcome: Outcome) -> None:
        file = self._window.files[work.number]
        if not isinstance(outcome, Opened):
            self._not_opened(file, failure_of(outcome))
            return
        file.opened, file.source = outcome, replace(file.source, stamp=outcome.stamp)
        if outcome.up_to_date:
            self._end_file(file.stored, "skipped", self._outcomes.up_to_date(file))
        elif self.job.options.dry_run:
            self._end_file(file.stored, "completed", self._outcomes.dry_run(file, outcome))
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
            self._end_file(file.stored, "skipped", locked_outcome())

    def _begin_pages(self, file: FileInWork, opened: Opened) -> None:
        number = file.number
        results = self._window.result_folder(number)
        make_private(results.parent, results)
        if file.stored.sha256 != opened.sha256:
            self._store.forget_pages(self.job.job_id, number)
        fields = {
            "state": "processing",
            "pages": opened.pages,
            "sha256": opened.sha256,
            "started_at": time.time(),
        }
        self._store.set_file(self.job.job_id, number, **fields)
        self._file_begun(self.job.job_id)
        file.stored = replace(file.stored, pages=opened.pages, sha256=opened.sha256)
        known = self._known_pages(number)
        self._progress.opened(number, opened.pages, known, file.weights)
        self._apply(self._course.opened(number, opened.pages, known))

    def _known_pages(self, number: int) -> dict[int, FailedPage | None]:
        """Pages of an earlier run: the good whose results are there (None), and those that ended all before them."""
        known: dict[int, FailedPage | None] = {}
        for page in self._store.pages(self.job.job_id, number):
            if page.status and self._window.page_result(number, page.page).exists():
                known[page.page] = None
            elif page.attempts > self.job.options.retries + FATAL_RUNS:
                error = CrashedError(f"the worker ended {page.attempts} times while this page was in work")
                known[page.page] = FailedPage(page.page, "crashed", error.code, error.message)
        return known

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
        self._end_file(file.stored, "completed", ended)
        self._litter.append(self._window.result_folder(work.number))

    def _not_composed(self, file: FileInWork, failure: Failure) -> None:
        """Recognise all pages anew, once, if their stored results are of no use; otherwise as any step that fails."""
        if failure.code != "internal" or file.begun_anew or file.opened is None:
            self._apply(self._course.step_failed(file.number, failure, time.monotonic()))
            return
        log.warning(
            "%s: its page results can't be used, all pages are done again: %s", file.name, failure.message
        )
        file.begun_anew = True
        shutil.rmtree(self._window.result_folder(file.number), ignore_errors=True)
        self._store.forget_pages(self.job.job_id, file.number)
        self._begin_pages(file, file.opened)

    def _apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case PageRetried(number, page):
                    self._books.retries += 1
                    log.warning(
                        "%s: trying %s again",
                        self._window.files[number].name,
                        f"page {page}" if page else "the file",
                    )
                case PageFailed(number, failed):
                    self._count_page(number, failed.page)
                case FileFailed():
                    self._fail_file(effect)

    def _fail_file(self, failed: FileFailed) -> None:
        file = self._window.files[failed.number]
        if traceback := failed.failure.details.pop("traceback", None):
            log.error("%s failed:\n%s", file.name, traceback)
        failure = with_name(failed.failure, file.name, None)
        self._drop_work(failed.number)
        if failure.code == "locked" and failed.page:
            self._end_file(file.stored, "skipped", locked_outcome())
            return
        self._end_file(file.stored, "failed", failed_outcome(failure, failed.page))
        if failure.code == "no_space" and not self.ended:
            self.stop("stopped", "stopped", "no_space")

    def _drop_work(self, number: int) -> None:
        """Kill the tasks of a file, and take back their tries."""
        tickets = {ticket for ticket, work in self._works.items() if work.number == number}
        for file, page in self._kill_work(tickets):
            self._store.page_unstarted(self.job.job_id, file, page)

    def _kill_work(self, tickets: set[int]) -> list[tuple[int, int]]:
        """Kill tasks in work, and take away what they leave; what they were at, by file and page."""
        self._pool.kill(tickets)
        works = [self._works.pop(ticket) for ticket in tickets]
        if any(isinstance(work, Compose) for work in works):
            sweep_parts(self._window.folder)
        return [(work.number, page_of(work)) for work in works]

    def _end_file(self, file: StoredFile, state: FileState, outcome: dict[str, Any]) -> None:
        ended = {"state": state, "outcome": outcome, "ended_at": time.time()}
        self._store.end_file(self.job.job_id, file.number, self._books.account(), **ended)
        self._progress.file_ended(file.number, state)
        if self._window.files.pop(file.number, None):
            self._course.ended(file.number)
        self._emit(FileEnded(self.job.job_id, file.number))
        self._reporter.soon()
        if state == "failed" and self._too_many_failed():
            self.stop("stopped", "stopped", "error_threshold")

    def _too_many_failed(self) -> bool:
        threshold, ended = self.job.options.stop_on_error_threshold, self._progress.files_ended
        failed = self._progress.counts["failed"]
        # A dry run is there to tell of all of them.
        may = not (self.ended or self.job.options.dry_run)
        return may and threshold < 1 and ended >= THRESHOLD_FILES and failed >= threshold * ended

    def _at_pages(self) -> list[FileInWork]:
        """Files of which a page is in work."""
        numbers = {work.number for work in self._works.values() if isinstance(work, Recognise)}
        return [self._window.files[number] for number in numbers]

    def _time_is_up(self, file: FileInWork, limit: float) -> None:
        late = PageTimeoutError(f"{file.name}: no page was finished within {limit:g} seconds")
        self._drop_work(file.number)
        self._apply(self._course.give_up_pages(file.number, Failure(late.code, late.message, late.retryable)))

    def _finish(self) -> None:
        if self._store.stats(self.job.job_id)["pending"]:
            self._close("stopped", "stopped", self.job.reason)
            return
        self._progress.finish()
        self._close("completed", "completed", None)

    def _clear_litter(self) -> None:
        while self._litter:
            shutil.rmtree(self._litter.pop(), ignore_errors=True)

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
        self._clear_litter()
        self._window.leave_results()
        self.ended = True
        self._books.close()
        if status == "completed":
            self._reporter.now()
        self._emit(JobEnded(job.job_id, self.origin, RunEnd(status, reason, now)))
