"""The decisions of a run: what to do next, and what follows from what happened. No clock, no I/O, no process.

The run asks for the next step, carries it out, and reports the outcome; the answer is a list of effects to carry out.
Times are seconds on the caller's clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, Union

from ocr_worker.errors import FAILURES, CrashedError, NodeLostError, PageTimeoutError
from ocr_worker.model.jobs import BatchStatus, FileState, JobOptions, JobState
from ocr_worker.model.results import FileOutcome
from ocr_worker.model.tasks import FailedPage, Failure, page_status

FILE_CODES = frozenset(code for code, kind in FAILURES.items() if kind.scope in {"file", "job"})
"""Failures of a page that are the whole file's."""
RETRIED_CODES = frozenset(code for code, kind in FAILURES.items() if kind.retry in {"at_once", "alone"})
"""Failures of a page that another try may mend. A page that hung once is not given the same time again."""
RETRYABLE_CODES = frozenset(c for c, kind in FAILURES.items() if kind.scope == "page" and kind.retryable)
"""Failures of a page that another run of the job may mend."""

MOST_FILES = 50
"""Files in the window at most, counting those that wait for another program to let them go; more for a larger pool."""
LOST_NODE_SECONDS = 1.0
"""So long a page waits whose node was lost: what comes next should not meet the same."""
MOST_VERDICTS = 50
"""Files with a verdict that end in one turn: others want to be heard."""
THRESHOLD_FILES = 10
"""The error share counts from so many ended files on."""
SUSPECT_ENDS = 2
"""What was in work when the worker ended so often without an order is done last, with nothing beside it."""
WHOLE_FILE = 0
"""Stands for a page's number where a step is the whole file's."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Admit the next file of the job, or say that there is none."""


@dataclass(frozen=True, slots=True)
class Open:
    number: int
    exclusive: bool = False
    """Nothing is at work beside it."""


@dataclass(frozen=True, slots=True)
class Recognise:
    number: int
    page: int
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Compose:
    number: int
    failed_pages: tuple[FailedPage, ...]
    exclusive: bool = False


Task = Union[Open, Recognise, Compose]
"""What a page process does."""


def page_of(task: Task) -> int:
    """The page that it is about."""
    return task.page if isinstance(task, Recognise) else WHOLE_FILE


@dataclass(frozen=True, slots=True)
class Retry:
    """A page, or a step of the whole file, is tried again."""

    number: int
    page: int


@dataclass(frozen=True, slots=True)
class PageLost:
    number: int
    failed: FailedPage
    pages_ended: int
    """Of the file, with this one."""


@dataclass(frozen=True, slots=True)
class Redo:
    """All pages of the file are read again: their stored results are of no use."""

    number: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class Drop:
    """End what is in work of the file."""

    number: int


@dataclass(frozen=True, slots=True)
class FileEnds:
    number: int
    state: FileState
    reason: Literal["done", "up_to_date", "locked", "failed", "verdict"]
    failure: Failure | None = None
    page: int | None = None
    """The page that the failure is of."""


@dataclass(frozen=True, slots=True)
class RunEnds:
    status: BatchStatus
    state: JobState
    reason: str | None


Effect = Union[Retry, PageLost, Redo, Drop, FileEnds, RunEnds]
Step = Union[Feed, Task, RunEnds]
Phase = Literal["waiting", "opening", "recognising", "composing"]


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier runs left of a file's step or page that never came to an end."""

    ends: int = 0
    """How often the worker ended, without an order, while it was in work."""
    guilty: bool = False
    """The last time nothing else was at work, and the machine says that it was no signal from outside."""


@dataclass(slots=True)
class FileRun:
    """A file in the window."""

    number: int
    name: str
    phase: Phase = "waiting"
    suspect: bool = False
    """It may have ended the worker: it is done last, and alone."""
    pages: int = 1
    todo: deque[int] = field(default_factory=deque)
    in_work: set[int] = field(default_factory=set)
    alone: deque[int] = field(default_factory=deque)
    """Pages that ran out of memory: tried again with nothing beside them."""
    suspects: deque[int] = field(default_factory=deque)
    """Pages that may have ended the worker: the last of all, with nothing beside them."""
    exclusive: bool = False
    """The page in work has nothing beside it."""
    done: int = 0
    failed: dict[int, FailedPage] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)
    not_before: float = 0.0
    """When its next step may start."""
    locked_since: float | None = None
    lock_checks: int = 0
    redone: bool = False
    moved_at: float = 0.0
    """When one of its pages last ended, or its first was started."""

    @property
    def pages_ended(self) -> int:
        return self.done + len(self.failed)

    @property
    def busy(self) -> bool:
        return bool(self.in_work) or self.phase in {"opening", "composing"}


class Course:
    """The window of files in work, in order."""

    def __init__(
        self,
        options: JobOptions,
        *,
        ended: int = 0,
        failed: int = 0,
        partial: bool = False,
        reason: str | None = None,
    ) -> None:
        """Begin a run.

        Args:
            options: of the job.
            ended: files that have ended in earlier runs.
            failed: those of them that failed.
            partial: the run leaves some of the job's pending files alone.
            reason: for which the job then stays stopped.
        """
        self._options, self._ended, self._failed = options, ended, failed
        self._partial, self._reason = partial, reason
        self.window: dict[int, FileRun] = {}
        self.paused = False
        self.most_files = MOST_FILES
        self._exhausted = False
        self._verdicts = 0
        self._next_page_at = 0.0

    # What to do next

    def begin_turn(self) -> None:
        """A new turn of the loop: as many verdicts again may be carried out."""
        self._verdicts = 0

    def next_step(self, now: float, room: int, to_compose: int = 0) -> Step | None:
        """What to do next; a task counts as begun with that.

        Args:
            now: the time.
            room: how many tasks may be started.
            to_compose: how many files may be composed where there is no room.
        """
        if self.paused:
            return None
        if self._has_room(now):
            return Feed() if self._verdicts < MOST_VERDICTS else None
        if not self.window and self._exhausted:
            return self._finish()
        if room > 0:
            return self._next_task(now)
        return self._next_task(now, to_compose_alone=True) if to_compose > 0 else None

    def next_due(self, now: float) -> float | None:
        """When there is something to do though nothing has happened."""
        limit = self._options.file_timeout_seconds
        times = [run.moved_at + limit for run in self.window.values() if run.in_work]
        if not self.paused:
            times += [run.not_before for run in self.window.values() if run.not_before > now]
            if self._next_page_at > now:
                times.append(self._next_page_at)
            if self._verdicts >= MOST_VERDICTS and self._has_room(now):
                times.append(now)
        return min(times, default=None)

    def shift(self, seconds: float) -> None:
        """Move all times: the clock ran on while nothing could."""
        if self._next_page_at:
            self._next_page_at += seconds
        for run in self.window.values():
            run.moved_at += seconds
            if run.not_before:
                run.not_before += seconds
            if run.locked_since is not None:
                run.locked_since += seconds

    def _has_room(self, now: float) -> bool:
        """No file is ready to be opened, so the next is wanted; those that must wait fill the window at last."""
        ready = any(
            run.phase == "waiting" and run.not_before <= now and not run.suspect
            for run in self.window.values()
        )
        return not (ready or self._exhausted) and len(self.window) < self.most_files

    def _finish(self) -> RunEnds:
        if self._partial:
            return RunEnds("stopped", "stopped", self._reason)
        return RunEnds("completed", "completed", None)

    def _next_task(self, now: float, *, to_compose_alone: bool = False) -> Task | None:
        if any(run.alone or run.exclusive for run in self.window.values()):
            return None if to_compose_alone else self._next_alone(now)
        chosen = next(self._candidates(now), None)
        if to_compose_alone and not isinstance(chosen, Compose):
            return None
        if chosen is None:
            return self._next_suspect(now)
        if isinstance(chosen, Recognise):
            if now < self._next_page_at:
                return None
            per_minute = self._options.pages_per_minute
            self._next_page_at = now + 60 / per_minute if per_minute else 0.0
        self._begin(chosen, now)
        return chosen

    def _candidates(self, now: float) -> Iterator[Task]:
        """What could be started: finish files first, then pages in order, then the next file."""
        ripe = [run for run in self.window.values() if run.not_before <= now and not run.suspect]
        yield from (_composing(run) for run in ripe if _is_read(run))
        yield from (Recognise(run.number, page) for run in ripe for page in run.todo)
        yield from (Open(run.number) for run in ripe if run.phase == "waiting")

    def _next_alone(self, now: float) -> Task | None:
        """The page that must run alone, once nothing else is in work; nothing starts beside it."""
        if any(run.busy for run in self.window.values()):
            return None
        run = next(run for run in self.window.values() if run.alone)
        page = run.alone.popleft()
        run.in_work.add(page)
        run.exclusive, run.moved_at = True, now
        return Recognise(run.number, page, exclusive=True)

    def _next_suspect(self, now: float) -> Task | None:
        """What may have ended the worker, when everything else is done: one at a time."""
        runs = list(self.window.values())
        waits = any(run.not_before > now for run in runs)
        if waits or not self._exhausted or any(run.busy for run in runs):
            return None
        for run in runs:
            if run.suspects:
                run.alone.append(run.suspects.popleft())
                return self._next_alone(now)
        suspect = next((run for run in runs if run.suspect), None)
        return None if suspect is None else self._next_of_suspect(suspect, now)

    def _next_of_suspect(self, run: FileRun, now: float) -> Task | None:
        if run.todo:
            run.alone.append(run.todo.popleft())
            return self._next_alone(now)
        task = replace(_composing(run) if _is_read(run) else Open(run.number), exclusive=True)
        self._begin(task, now)
        return task

    def _begin(self, task: Task, now: float) -> None:
        run = self.window[task.number]
        match task:
            case Open():
                run.phase = "opening"
            case Compose():
                run.phase = "composing"
            case Recognise():
                if not run.in_work:
                    # Time spent waiting for a free process is not the file's.
                    run.moved_at = now
                run.todo.remove(task.page)
                run.in_work.add(task.page)

    # What happened

    def exhausted(self) -> None:
        """The job has no more files for this run."""
        self._exhausted = True

    def admit(self, number: int, name: str, verdict: FileOutcome | None, past: Past) -> list[Effect]:
        """The next file of the job, with what was settled of it before, and what earlier runs left of its whole steps."""
        if verdict is not None:
            self._verdicts += 1
            state: FileState = "skipped" if verdict.status == "skipped" else "failed"
            return self._end(number, state, "verdict")
        if past.guilty:
            self._verdicts += 1
            return self._end(
                number, "failed", "failed", _guilty(past.ends, "this file was opened or written")
            )
        self.window[number] = FileRun(number, name, suspect=past.ends >= SUSPECT_ENDS)
        return []

    def opened(self, number: int, pages: int, known: dict[int, Past | None]) -> list[Effect]:
        """Take up an opened file.

        Args:
            number: of the file.
            pages: how many it has.
            known: pages of which earlier runs left something: a result (None), or no end.
        """
        run = self.window[number]
        run.phase, run.pages, run.locked_since = "recognising", pages, None
        run.failed = {
            page: _guilty_page(run.name, page, past.ends)
            for page, past in known.items()
            if past and past.guilty
        }
        run.done = sum(past is None for past in known.values())
        suspects = {page for page, past in known.items() if past and past.ends >= SUSPECT_ENDS}
        left = [
            page
            for page in range(1, pages + 1)
            if known.get(page, ...) is not None and page not in run.failed
        ]
        run.todo = deque(page for page in left if page not in suspects)
        run.suspects = deque(page for page in left if page in suspects)
        return self._if_lost(run)

    def up_to_date(self, number: int) -> list[Effect]:
        """The file's outputs are those that it would get."""
        return self._end(number, "skipped", "up_to_date")

    def done(self, number: int) -> list[Effect]:
        """The file's outputs are written; in a dry run, it was looked at."""
        return self._end(number, "completed", "done")

    def page_done(self, number: int, page: int, now: float) -> int:
        """How many pages of the file have ended by now."""
        run = self._page_ended(number, page)
        run.moved_at = now
        run.done += 1
        return run.pages_ended

    def page_failed(self, number: int, page: int, failure: Failure, now: float) -> list[Effect]:
        """Try the page again, or give it up, or with it the file."""
        if failure.code == NodeLostError.code:
            self.put_back(number, page).not_before = now + LOST_NODE_SECONDS
            return []
        was_alone = self.window[number].exclusive
        run = self._page_ended(number, page)
        if failure.code in FILE_CODES:
            return self._lose_file(number, failure, page)
        run.attempts[page] = run.attempts.get(page, 0) + 1
        may_pass = failure.code in RETRIED_CODES and "nodes" not in failure.details
        # What has taken nodes of a cluster with it would take more.
        if may_pass and run.attempts[page] <= self._options.retries:
            if failure.details.get("signal") == "SIGKILL":
                run.alone.append(page)
            elif was_alone:
                run.suspects.appendleft(page)
            else:
                run.todo.appendleft(page)
            run.not_before = now + backoff_seconds(run.attempts[page])
            return [Retry(number, page)]
        run.moved_at = now
        return [self._lose_page(run, page, failure), *self._if_lost(run)]

    def put_back(self, number: int, page: int) -> FileRun:
        """The page is to be started again. It was no try: the page had no part in it."""
        was_alone = self.window[number].exclusive
        run = self._page_ended(number, page)
        (run.suspects if was_alone else run.todo).appendleft(page)
        return run

    def step_failed(self, number: int, failure: Failure, now: float) -> list[Effect]:
        """Opening or composing failed: wait for a lock, begin the pages anew, try again, or give up the file."""
        run = self.window[number]
        if run.phase == "opening" and failure.code == "locked":
            return self._wait_for_lock(run, now)
        if run.phase == "composing" and failure.code == "internal" and not run.redone:
            run.redone = True
            return [Redo(number, failure)]
        run.attempts[WHOLE_FILE] = run.attempts.get(WHOLE_FILE, 0) + 1
        if failure.code not in RETRIED_CODES or run.attempts[WHOLE_FILE] > self._options.retries:
            return self._lose_file(number, failure, None)
        run.phase = "waiting" if run.phase == "opening" else "recognising"
        run.not_before = now + backoff_seconds(run.attempts[WHOLE_FILE])
        return [Retry(number, WHOLE_FILE)]

    def hold(self, numbers: Iterable[int], now: float) -> None:
        """Begin the clocks of these files anew: nobody worked on their pages until now."""
        for number in numbers:
            if number in self.window:
                self.window[number].moved_at = now

    def overdue(self, now: float) -> list[Effect]:
        """Give up the pages of files of which none has ended for too long."""
        limit = self._options.file_timeout_seconds
        effects: list[Effect] = []
        for run in list(self.window.values()):
            if run.in_work and now - run.moved_at >= limit:
                late = Failure.of(PageTimeoutError(f"no page was finished within {limit:g} seconds"))
                effects += self._give_up_pages(run, late.with_name(run.name))
        return effects

    def unstarted(self, task: Task) -> None:
        """Take back a task that was begun but could not be started."""
        run = self.window[task.number]
        if isinstance(task, Recognise):
            self._page_ended(task.number, task.page)
            (run.suspects if task.exclusive else run.todo).appendleft(task.page)
        else:
            run.phase = "waiting" if isinstance(task, Open) else "recognising"

    # What follows

    def _wait_for_lock(self, run: FileRun, now: float) -> list[Effect]:
        """Another program has the file: look again, for so long."""
        if run.locked_since is None:
            run.locked_since = now
        if now - run.locked_since >= self._options.max_lock_wait_seconds:
            return self._end(run.number, "skipped", "locked")
        run.lock_checks += 1
        run.phase, run.not_before = "waiting", now + backoff_seconds(run.lock_checks)
        return []

    def _page_ended(self, number: int, page: int) -> FileRun:
        run = self.window[number]
        run.in_work.discard(page)
        run.exclusive = False
        return run

    def _lose_page(self, run: FileRun, page: int, failure: Failure) -> PageLost:
        run.failed[page] = FailedPage(page, page_status(failure.code), failure.code, failure.message)
        return PageLost(run.number, run.failed[page], run.pages_ended)

    def _give_up_pages(self, run: FileRun, failure: Failure) -> list[Effect]:
        pages = sorted({*run.todo, *run.in_work, *run.alone, *run.suspects})
        for waiting in (run.todo, run.alone, run.suspects, run.in_work):
            waiting.clear()
        run.exclusive = False
        lost = [self._lose_page(run, page, failure) for page in pages]
        return [Drop(run.number), *lost, *self._if_lost(run)]

    def _if_lost(self, run: FileRun) -> list[Effect]:
        """A file of which every page failed has failed: as the first page that another run may mend, else as its first."""
        if len(run.failed) < run.pages or not run.failed:
            return []
        pages = [run.failed[page] for page in sorted(run.failed)]
        told = next((page for page in pages if page.code in RETRYABLE_CODES), pages[0])
        failure = Failure(told.code, told.error, told.code in RETRYABLE_CODES)
        return self._lose_file(run.number, failure, told.page)

    def _lose_file(self, number: int, failure: Failure, page: int | None) -> list[Effect]:
        if failure.code == "locked" and page:
            return [Drop(number), *self._end(number, "skipped", "locked")]
        ended = self._end(number, "failed", "failed", failure, page)
        stops: list[Effect] = (
            [RunEnds("stopped", "stopped", "no_space")] if failure.code == "no_space" else []
        )
        return [Drop(number), *ended[:1], *(stops or ended[1:])]

    def _end(
        self,
        number: int,
        state: FileState,
        reason: Literal["done", "up_to_date", "locked", "failed", "verdict"],
        failure: Failure | None = None,
        page: int | None = None,
    ) -> list[Effect]:
        """The file is out of the window; one failure too many ends the run."""
        self.window.pop(number, None)
        self._ended += 1
        self._failed += state == "failed"
        effects: list[Effect] = [FileEnds(number, state, reason, failure, page)]
        if state == "failed" and self._too_many_failed():
            effects.append(RunEnds("stopped", "stopped", "error_threshold"))
        return effects

    def _too_many_failed(self) -> bool:
        # A dry run is there to tell of all of them.
        threshold = self._options.stop_on_error_threshold
        counts = threshold < 1 and self._ended >= THRESHOLD_FILES and not self._options.dry_run
        return counts and self._failed >= threshold * self._ended


def backoff_seconds(attempt: int) -> float:
    """Exponential: a quarter of a second after the first failure, five seconds at most."""
    return min(5.0, 0.25 * 2.0 ** (attempt - 1))


def _is_read(run: FileRun) -> bool:
    waiting = run.todo or run.in_work or run.alone or run.suspects
    return run.phase == "recognising" and not waiting


def _composing(run: FileRun) -> Compose:
    return Compose(run.number, tuple(run.failed[page] for page in sorted(run.failed)))


def _guilty(ends: int, what: str) -> Failure:
    message = f"the worker ended {ends} times while {what}, the last time with nothing else at work"
    return Failure.of(CrashedError(message))


def _guilty_page(name: str, page: int, ends: int) -> FailedPage:
    failure = _guilty(ends, "this page was in work").with_name(name, page)
    return FailedPage(page, page_status(failure.code), failure.code, failure.message)
