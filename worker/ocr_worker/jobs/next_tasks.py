"""What a run starts next: files are fed to its course as it is hungry for them, and pages as fast as the options allow."""

from __future__ import annotations

import time
from typing import Any, Protocol

from ocr_worker.jobs.course import JobCourse, Recognise, Work
from ocr_worker.jobs.file_window import JobWindow
from ocr_worker.jobs.in_flight import WorksInHand
from ocr_worker.jobs.outcomes import fatal_outcome
from ocr_worker.jobs.page_results import KeptPages
from ocr_worker.jobs.rate_limit import PageRate
from ocr_worker.model.jobs import FileState
from ocr_worker.store.records import StoredFile, StoredJob

VERDICTS_AT_ONCE = 50


class Run(Protocol):
    """Whose works they are."""

    job: StoredJob
    paused: bool
    ended: bool

    def end_file(self, file: StoredFile, state: FileState, outcome: dict[str, Any]) -> None:
        """Keep how a file ended; this may end the run."""


class NextWorks:
    def __init__(
        self, run: Run, course: JobCourse, window: JobWindow, in_hand: WorksInHand, kept: KeptPages
    ) -> None:
        self._run, self._course, self._window, self._in_hand, self._kept = run, course, window, in_hand, kept
        self._rate = PageRate(run.job.options.pages_per_minute)
        self._unfed = False

    def ready(self) -> list[Work]:
        """As many as there is room for."""
        works: list[Work] = []
        room, run = self._in_hand.room, self._run
        while not run.paused and len(works) < room() and (work := self._next_work()) is not None:
            if isinstance(work, Recognise) and not self._rate.may_start():
                self._course.unstarted(work)
                break
            works.append(work)
        return [] if run.ended else works

    def due_at(self, now: float) -> list[float]:
        """When there may be more to start, on the monotonic clock."""
        times = [self._rate.next_at] if self._rate.next_at > now else []
        if self._unfed and not self._run.paused:
            times.append(now)
        if (ripe := self._course.next_ripe(now)) is not None:
            times.append(ripe)
        return times

    def _next_work(self) -> Work | None:
        self._feed()
        # Feeding may have ended the run: a file with a verdict can be one failure too many.
        return None if self._run.ended else self._course.next_work(time.monotonic())

    def _feed(self) -> None:
        """Keep one file waiting in the window; those with a verdict end on the spot, but not so many that nobody else is heard."""
        self._unfed = False
        verdicts = 0
        while (
            self._course.hungry(time.monotonic()) and not self._run.ended and (stored := self._window.peek())
        ):
            if stored.verdict and verdicts == VERDICTS_AT_ONCE:
                self._unfed = True
                return
            verdicts += stored.verdict is not None
            self._feed_one(stored)

    def _feed_one(self, stored: StoredFile) -> None:
        if stored.verdict:
            self._window.drop()
            state: FileState = "skipped" if stored.verdict["status"] == "skipped" else "failed"
            self._run.end_file(stored, state, stored.verdict)
        elif deaths := self._kept.fatal_runs(stored.number):
            self._window.drop()
            self._run.end_file(stored, "failed", fatal_outcome(stored, deaths))
        else:
            self._course.feed(self._window.take().number)
