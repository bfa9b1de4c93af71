"""The tasks of one run that are in flight: started in the pool, taken back, killed."""

from __future__ import annotations

from ocr_worker.jobs.course import Compose, Recognise, Task, page_of
from ocr_worker.jobs.file_window import FileWindow
from ocr_worker.jobs.run_context import RunContext
from ocr_worker.processes.machine import machine_state
from ocr_worker.store.records import StoredJob


class InFlightTasks:
    def __init__(self, job: StoredJob, window: FileWindow, context: RunContext) -> None:
        self._job, self._window, self._tasks = job, window, dict[int, Task]()
        self._store, self._pool, self._tickets = context.store, context.pool, context.tickets

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def processes(self) -> int:
        """How many the run may have at work."""
        return min(self._job.options.max_workers or self._pool.size, self._pool.size)

    def room(self) -> int:
        """How many more tasks may be started."""
        return min(self._pool.free(), self.processes - len(self._tasks))

    def longest(self) -> tuple[str, int | None] | None:
        """The file, as sent, and the page that have been in flight longest; no page while a file is opened or composed."""
        for task in self._tasks.values():
            page = task.page if isinstance(task, Recognise) else None
            return self._window.files[task.number].stored.file, page
        return None

    def start(self, task: Task) -> None:
        """Start a task. Raises OSError where no process can be started for it; it is then not in flight."""
        ticket, options = next(self._tickets), self._job.options
        limit = options.file_timeout_seconds
        if isinstance(task, Recognise):
            limit = min(limit, options.page_timeout_seconds)
        alone = machine_state() if task.exclusive else None
        self._store.page_started(self._job.job_id, task.number, page_of(task), alone)
        self._tasks[ticket] = task
        self._pool.start(ticket, self._window.message(task), limit)

    def end(self, ticket: int, *, well: bool) -> Task | None:
        """What a task that has ended was; None when it is not this run's. Its attempt did not end the worker."""
        task = self._tasks.pop(ticket, None)
        if task is not None and not (well and isinstance(task, Recognise)):
            self._store.page_unstarted(self._job.job_id, task.number, page_of(task))
        return task

    def drop(self, number: int) -> None:
        """Kill the tasks of a file, and take back their attempts."""
        tickets = {ticket for ticket, task in self._tasks.items() if task.number == number}
        for file, page in self._kill(tickets):
            self._store.page_unstarted(self._job.job_id, file, page)

    def kill(self) -> tuple[tuple[int, int], ...]:
        """Kill all tasks, and take away what they leave; what they were at, by file and page."""
        return self._kill(set(self._tasks))

    def abandon(self) -> None:
        """Kill all tasks and look at nothing more."""
        self._pool.kill(set(self._tasks))

    def _kill(self, tickets: set[int]) -> tuple[tuple[int, int], ...]:
        if not tickets:
            return ()
        self._pool.kill(tickets)
        tasks = [self._tasks.pop(ticket) for ticket in tickets]
        if any(isinstance(task, Compose) for task in tasks):
            self._window.sweep()
        return tuple((task.number, page_of(task)) for task in tasks)
