"""What follows from the end of a task: store it, count it, and ask the course what to do."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from ocr_worker.jobs.course import Compose, Course, Effect, Open, Recognise, Task
from ocr_worker.jobs.file_window import FileWindow, OpenFile
from ocr_worker.jobs.in_flight import EndedTask
from ocr_worker.jobs.journal import RunJournal
from ocr_worker.jobs.outcomes import FileOutcomes, failure_of
from ocr_worker.jobs.page_results import PageResults
from ocr_worker.jobs.progress import Here
from ocr_worker.jobs.run_context import RunContext
from ocr_worker.model.results import FileOutcome
from ocr_worker.model.tasks import Composed, Failure, Opened, Outcome, PageDone
from ocr_worker.store.records import StoredJob

log = logging.getLogger(__name__)

What = tuple[Sequence[Effect], "FileOutcome | None"]
"""Effects to carry out, and the outcome of a file that was completed."""


class TaskEnds:
    """Handles the ends of a run's tasks."""

    def __init__(
        self, job: StoredJob, window: FileWindow, course: Course, journal: RunJournal, context: RunContext
    ) -> None:
        self._job, self._window, self._course, self._journal = job, window, course, journal
        self._store = context.store
        self.results = PageResults(job, context.store)
        self.outcomes = FileOutcomes(window, context.store)

    def task_ended(self, ended: EndedTask, outcome: Outcome) -> What:
        """Store the outcome of a task; return what to do next."""
        task = ended.task
        file = self._window.files[task.number]
        self._measure(file, ended, outcome)
        match task, outcome:
            case Open(), Opened():
                return self._opened(file, outcome)
            case Recognise(_, page), PageDone():
                self._store.page_ended(self._job.job_id, task.number, page, outcome.status)
                self._journal.pages_read += outcome.status == "ok"
                pages_ended = self._course.page_done(task.number, page, time.monotonic())
                self.count_page(task.number, page, pages_ended)
                return (), None
            case Compose(), Composed():
                self.results.discard_later(file)
                done = self.outcomes.composed(file, outcome, task.failed_pages)
                return self._course.done(task.number), done
            case _:
                return self._failed(file, task, failure_of(outcome)), None

    def _measure(self, file: OpenFile, ended: EndedTask, outcome: Outcome) -> None:
        """Learn from what it took how long the rest will take."""
        effort, seconds, is_first = self._journal.progress.effort, ended.seconds, ended.is_first
        match ended.task, outcome:
            case Open(), Opened():
                effort.opening_took(seconds, is_first=is_first)
            case Recognise(_, page), PageDone():
                effort.page_took(file.weights[page - 1], seconds, is_first=is_first)
            case Compose(), Composed():
                effort.writing_took(len(file.weights), seconds, is_first=is_first)
            case _:
                effort.try_took(seconds)

    def count_page(self, number: int, page: int, ended: int) -> None:
        """Count a page that has ended; `ended` pages of its file have."""
        file = self._window.files[number]
        assert file.opened is not None
        here = Here(file.stored.file, file.name, number, ended, file.opened.pages)
        self._journal.progress.page_ended(number, file.weights[page - 1], here)
        self._journal.throttle.mark_news()

    def redo(self, number: int, failure: Failure) -> Sequence[Effect]:
        """Read all pages of a file again."""
        file = self._window.files[number]
        log.warning(
            "%s: its page results can't be used, all pages are read again: %s", file.name, failure.message
        )
        assert file.opened is not None
        self.results.delete(file)
        return self._begin_pages(file, file.opened)

    def _opened(self, file: OpenFile, opened: Opened) -> What:
        file.opened, file.source = opened, replace(file.source, stamp=opened.stamp)
        file.weights = opened.page_weights or (1,) * opened.pages
        if opened.up_to_date:
            return self._course.up_to_date(file.number), None
        if self._job.options.dry_run:
            return self._course.done(file.number), self.outcomes.rehearsed(file, opened)
        return self._begin_pages(file, opened), None

    def _begin_pages(self, file: OpenFile, opened: Opened) -> Sequence[Effect]:
        known = self.results.prepare(file, opened)
        file.stored = replace(file.stored, pages=opened.pages, sha256=opened.sha256)
        ended = [page for page, past in known.items() if past is None or past.guilty]
        self._journal.progress.opened(file.number, ended, file.weights, file.stored.bytes)
        return self._course.opened(file.number, opened.pages, known)

    def _failed(self, file: OpenFile, task: Task, failure: Failure) -> Sequence[Effect]:
        page = task.page if isinstance(task, Recognise) else None
        if traceback := failure.details.pop("traceback", None):
            log.error("%s%s failed:\n%s", file.name, f", page {page}" if page else "", traceback)
        failure = failure.with_name(file.name, page)
        if page is not None:
            return self._course.page_failed(file.number, page, failure, time.monotonic())
        if isinstance(task, Compose):
            # The killed process may have left the outputs half written.
            self._window.sweep()
        return self._course.step_failed(file.number, failure, time.monotonic())
