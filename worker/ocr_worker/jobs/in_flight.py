"""The tasks of one run that page processes work on: start, end, kill."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ocr_worker.jobs.course import Compose, Recognise, Task, page_of
from ocr_worker.jobs.effort import InWork
from ocr_worker.jobs.file_window import FileWindow
from ocr_worker.jobs.run_context import RunContext
from ocr_worker.model.tasks import PageDone
from ocr_worker.processes.machine import machine_state
from ocr_worker.processes.pool import TaskEnded
from ocr_worker.store.records import StoredJob


@dataclass(frozen=True, slots=True)
class _Started:
    task: Task
    file: str
    """As sent."""
    weight: int | None
    """Of its page, if it reads one."""
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class EndedTask:
    task: Task
    seconds: float
    """How long it was in work."""
    is_first: bool = False
    """Of its kind in its page process."""


class InFlightTasks:
    def __init__(self, job: StoredJob, window: FileWindow, context: RunContext) -> None:
        self._job, self._window, self._tasks = job, window, dict[int, _Started]()
        self._store, self._pool, self._tickets = context.store, context.pool, context.tickets
        self._idle = set[int]()

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def processes(self) -> int:
        """How many tasks the run may have in flight."""
        return min(self._job.options.max_workers or self._pool.size, self._pool.size)

    @property
    def width(self) -> int:
        """How many of its tasks are really worked on at once."""
        return min(self.processes, self._pool.crew().width)

    def room(self) -> tuple[int, int]:
        """How many more tasks may be started, and how many files may be composed where that is none.

        When nodes go, more pages wait than there is room for; what was read is composed here all the same.
        """
        to_compose = self._pool.free_here()
        if self._job.options.max_workers:
            to_compose = min(to_compose, self._job.options.max_workers - len(self._tasks))
        return min(self._pool.free(), self.processes - len(self._tasks)), to_compose

    def longest(self) -> tuple[str, int | None] | None:
        """The file, as sent, and the page that have been in flight longest; no page while a file is opened or composed."""
        for started in self._tasks.values():
            return started.file, _page(started.task)
        return None

    def in_work(self) -> list[InWork]:
        """All of them, the oldest first."""
        now = time.monotonic()
        return [
            InWork(one.file, one.task.number, _page(one.task), one.weight, now - one.at)
            for one in self._tasks.values()
        ]

    def held_files(self) -> set[int]:
        """Files on whose pages in flight nobody works, or nobody did at the last look."""
        before, self._idle = self._idle, self._idle_files()
        return self._idle | before

    def _idle_files(self) -> set[int]:
        waiting = self._pool.waiting()
        if not waiting:
            return set()
        idle = {started.task.number for ticket, started in self._tasks.items() if ticket in waiting}
        return idle - {
            started.task.number for ticket, started in self._tasks.items() if ticket not in waiting
        }

    def warm(self) -> None:
        """Have processes ready for what the run will start, to write into its output folder unless it is a dry run."""
        window, options = self._window, self._job.options
        output = None if options.dry_run else (str(window.folder), window.folder_id)
        self._pool.warm(window.tasks_at_once(self.processes), options.page, output)

    def start(self, task: Task) -> None:
        """Start a task. Raises OSError if no process can be started."""
        ticket, options = next(self._tickets), self._job.options
        limit = options.file_timeout_seconds
        if isinstance(task, Recognise):
            limit = min(limit, options.page_timeout_seconds)
        alone = machine_state() if task.exclusive else None
        self._store.page_started(self._job.job_id, task.number, page_of(task), alone)
        # An input that kills the worker is to leave a trace.
        self._store.commit()
        file = self._window.files[task.number]
        weight = file.weights[task.page - 1] if isinstance(task, Recognise) else None
        self._tasks[ticket] = _Started(task, file.stored.file, weight)
        self._pool.start(ticket, self._window.message(task), limit)

    def end(self, ended: TaskEnded) -> EndedTask | None:
        """The task that has ended; None if it belongs to another run. Takes back its attempt."""
        started = self._tasks.pop(ended.ticket, None)
        if started is None:
            return None
        task, well = started.task, isinstance(ended.outcome, PageDone)
        if not (well and isinstance(task, Recognise)):
            self._store.page_unstarted(self._job.job_id, task.number, page_of(task))
        seconds = time.monotonic() - started.at if ended.seconds is None else ended.seconds
        return EndedTask(task, seconds, ended.is_first)

    def drop(self, number: int) -> None:
        """Kill the tasks of a file, and take back their attempts."""
        tickets = {ticket for ticket, started in self._tasks.items() if started.task.number == number}
        for file, page in self._kill(tickets):
            self._store.page_unstarted(self._job.job_id, file, page)

    def recall(self) -> list[tuple[int, int]]:
        """Take back the pages that nobody has begun with, and their attempts; return them by file and page."""
        recalled = [self._tasks.pop(ticket).task for ticket in self._pool.recall(set(self._tasks))]
        pages = sorted((task.number, page_of(task)) for task in recalled)
        for number, page in pages:
            self._store.page_unstarted(self._job.job_id, number, page)
        return pages

    def kill(self) -> tuple[tuple[int, int], ...]:
        """Kill all tasks and remove their partial files; return them by file and page."""
        return self._kill(set(self._tasks))

    def abandon(self) -> None:
        """Kill all tasks; touch neither store nor files."""
        self._pool.kill(set(self._tasks))

    def _kill(self, tickets: set[int]) -> tuple[tuple[int, int], ...]:
        if not tickets:
            return ()
        # Others are not to wait for the store while a process dies.
        self._store.commit()
        self._pool.kill(tickets)
        tasks = [self._tasks.pop(ticket).task for ticket in tickets]
        if any(isinstance(task, Compose) for task in tasks):
            self._window.sweep()
        return tuple((task.number, page_of(task)) for task in tasks)


def _page(task: Task) -> int | None:
    return task.page if isinstance(task, Recognise) else None
