"""The course of one job's files and pages: what to do next, and what follows from what happened. No clock, no I/O."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Literal, Union

from ocr_worker.model.tasks import FailedPage, Failure, PageStatus

FILE_CODES = frozenset(
    {"not_found", "not_regular", "permission", "locked", "changed", "encrypted", "bad_password", "no_space",
     "output_permission", "language_missing", "engine_missing"}
)  # fmt: skip
"""Failures of a page that are the whole file's."""
RETRIED_CODES = frozenset({"crashed", "engine"})
"""Failures of a page that another try may mend. A page that hung once is not given the same time again."""

RETRYABLE_CODES = RETRIED_CODES | {"timeout"}
"""Failures of a page that another run of the job may mend."""

MOST_FILES = 50
"""Files in the window at most, counting those that wait for another program to let them go."""
WHOLE_FILE = 0
"""Stands for a page's number where a step is the whole file's."""


@dataclass(frozen=True, slots=True)
class Open:
    number: int


@dataclass(frozen=True, slots=True)
class Recognise:
    number: int
    page: int


@dataclass(frozen=True, slots=True)
class Compose:
    number: int
    failed_pages: tuple[FailedPage, ...]


Work = Union[Open, Recognise, Compose]


def page_of(work: Work) -> int:
    """The page that it is about."""
    return work.page if isinstance(work, Recognise) else WHOLE_FILE


@dataclass(frozen=True, slots=True)
class PageRetried:
    number: int
    page: int


@dataclass(frozen=True, slots=True)
class PageFailed:
    number: int
    failed: FailedPage


@dataclass(frozen=True, slots=True)
class FileFailed:
    """Nothing of the file could be done, or it must not go on."""

    number: int
    failure: Failure
    page: int | None = None


Effect = Union[PageRetried, PageFailed, FileFailed]
Phase = Literal["waiting", "opening", "recognising", "composing"]


@dataclass(slots=True)
class FileRun:
    """A file in the window."""

    number: int
    phase: Phase = "waiting"
    pages: int = 1
    todo: deque[int] = field(default_factory=deque)
    in_work: set[int] = field(default_factory=set)
    alone: deque[int] = field(default_factory=deque)
    """Pages that ran out of memory: tried again with nothing beside them."""
    lonely: bool = False
    """The page in work is one of these."""
    done: int = 0
    failed: dict[int, FailedPage] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)
    not_before: float = 0.0
    """On the owner's clock: when its next step may start."""

    @property
    def pages_ended(self) -> int:
        return self.done + len(self.failed)


class JobCourse:
    """The window of files in work, in order. Its owner feeds it files and tells it what happened."""

    def __init__(self, retries: int) -> None:
        self.retries = retries
        self.window: dict[int, FileRun] = {}

    def feed(self, number: int) -> None:
        self.window[number] = FileRun(number)

    def hungry(self, now: float = math.inf) -> bool:
        """No file is ready to be opened, so the next could be fed; those that must wait fill the window at last."""
        ready = any(run.phase == "waiting" and run.not_before <= now for run in self.window.values())
        return not ready and len(self.window) < MOST_FILES

    def next_work(self, now: float = math.inf) -> Work | None:
        """What to start next: finish files first, then pages in order, then the next file. Marks it as begun."""
        if any(run.alone or run.lonely for run in self.window.values()):
            return self._next_alone()
        ripe = [run for run in self.window.values() if run.not_before <= now]
        for run in ripe:
            if run.phase == "recognising" and not (run.todo or run.in_work):
                run.phase = "composing"
                return Compose(run.number, tuple(run.failed[page] for page in sorted(run.failed)))
        for run in ripe:
            if run.todo:
                page = run.todo.popleft()
                run.in_work.add(page)
                return Recognise(run.number, page)
        for run in ripe:
            if run.phase == "waiting":
                run.phase = "opening"
                return Open(run.number)
        return None

    def defer(self, number: int, until: float) -> None:
        """Open the file later: another program has it."""
        run = self.window[number]
        run.phase, run.not_before = "waiting", until

    def next_ripe(self, now: float) -> float | None:
        """When the next file that has to wait may go on."""
        return min((run.not_before for run in self.window.values() if run.not_before > now), default=None)

    def opened(self, number: int, pages: int, known: dict[int, FailedPage | None]) -> list[Effect]:
        """Take up an opened file; `known` are the pages that ended in an earlier run, None for the good."""
        run = self.window[number]
        run.phase, run.pages = "recognising", pages
        run.failed = {page: failed for page, failed in known.items() if failed is not None}
        run.done = len(known) - len(run.failed)
        run.todo = deque(page for page in range(1, pages + 1) if page not in known)
        return self._if_lost(run)

    def page_done(self, number: int, page: int) -> None:
        run = self._page_ended(number, page)
        run.done += 1

    def page_failed(self, number: int, page: int, failure: Failure, now: float = 0.0) -> list[Effect]:
        """Try the page again, or give it up, or with it the file."""
        run = self._page_ended(number, page)
        if failure.code in FILE_CODES:
            return [FileFailed(number, failure, page)]
        run.attempts[page] = run.attempts.get(page, 0) + 1
        if failure.code in RETRIED_CODES and run.attempts[page] <= self.retries:
            if failure.details.get("signal") == "SIGKILL":
                run.alone.append(page)
            else:
                run.todo.appendleft(page)
            run.not_before = now + backoff_seconds(run.attempts[page])
            return [PageRetried(number, page)]
        failed = FailedPage(page, _status(failure.code), failure.code, failure.message)
        run.failed[page] = failed
        return [PageFailed(number, failed), *self._if_lost(run)]

    def step_failed(self, number: int, failure: Failure, now: float = 0.0) -> list[Effect]:
        """Opening or composing failed: try again, or give up the file."""
        run = self.window[number]
        run.attempts[WHOLE_FILE] = run.attempts.get(WHOLE_FILE, 0) + 1
        if failure.code not in RETRIED_CODES or run.attempts[WHOLE_FILE] > self.retries:
            return [FileFailed(number, failure)]
        run.phase = "waiting" if run.phase == "opening" else "recognising"
        run.not_before = now + backoff_seconds(run.attempts[WHOLE_FILE])
        return [PageRetried(number, WHOLE_FILE)]

    def give_up_pages(self, number: int, failure: Failure) -> list[Effect]:
        """Fail all pages of a file that have not ended, as its time is up."""
        run, effects = self.window[number], list[Effect]()
        for page in sorted({*run.todo, *run.in_work, *run.alone}):
            run.failed[page] = FailedPage(page, _status(failure.code), failure.code, failure.message)
            effects.append(PageFailed(number, run.failed[page]))
        run.todo.clear()
        run.alone.clear()
        run.in_work.clear()
        run.lonely = False
        return effects + self._if_lost(run)

    def unstarted(self, work: Work) -> None:
        """Take back work that was begun but is to be done later (a pause, a wait)."""
        run = self.window[work.number]
        if isinstance(work, Recognise):
            self._page_ended(work.number, work.page)
            run.todo.appendleft(work.page)
        else:
            run.phase = "waiting" if isinstance(work, Open) else "recognising"

    def ended(self, number: int) -> None:
        """The file is out of the window: done, failed or skipped."""
        del self.window[number]

    def _next_alone(self) -> Recognise | None:
        """The page that must run alone, once nothing else is in work; nothing starts beside it."""
        if any(run.in_work or run.phase in {"opening", "composing"} for run in self.window.values()):
            return None
        run = next(run for run in self.window.values() if run.alone)
        run.lonely = True
        page = run.alone.popleft()
        run.in_work.add(page)
        return Recognise(run.number, page)

    def _page_ended(self, number: int, page: int) -> FileRun:
        run = self.window[number]
        run.in_work.discard(page)
        run.lonely = False
        return run

    def _if_lost(self, run: FileRun) -> list[Effect]:
        """A file of which every page failed has failed: as the first page that another run may mend, else as its first."""
        if len(run.failed) < run.pages or not run.failed:
            return []
        pages = [run.failed[page] for page in sorted(run.failed)]
        told = next((page for page in pages if page.code in RETRYABLE_CODES), pages[0])
        failure = Failure(told.code, told.error, told.code in RETRYABLE_CODES)
        return [FileFailed(run.number, failure, told.page)]


def backoff_seconds(attempt: int) -> float:
    """Exponential: a quarter of a second after the first failure, five seconds at most."""
    return min(5.0, 0.25 * 2.0 ** (attempt - 1))


def _status(code: str) -> PageStatus:
    if code in ("timeout", "crashed"):
        return "timeout" if code == "timeout" else "crashed"
    return "failed"


def with_name(failure: Failure, name: str, page: int | None) -> Failure:
    """The failure, its sentence naming the file and, in a file of several pages, the page."""
    if name in failure.message:
        return failure
    place = f"{name} (page {page})" if page else name
    return replace(failure, message=f"{place}: {failure.message}")
