"""The tasks that page processes have of one run: started, taken back, killed, and watched for their time."""

from __future__ import annotations

import time

from ocr_worker.files.sweep import sweep_parts
from ocr_worker.jobs.course import WHOLE_FILE, Compose, Recognise, Work, page_of
from ocr_worker.jobs.file_window import FileInWork, JobWindow
from ocr_worker.jobs.run_context import Workshop
from ocr_worker.store.records import StoredJob


class WorksInHand:
    def __init__(self, job: StoredJob, window: JobWindow, shop: Workshop) -> None:
        self._job, self._window, self._works = job, window, dict[int, Work]()
        self._store, self._pool, self._tickets = shop.store, shop.pool, shop.tickets

    def __len__(self) -> int:
        return len(self._works)

    @property
    def processes(self) -> int:
        """How many the run may have at work."""
        return min(self._job.options.max_workers or self._pool.size, self._pool.size)

    def room(self) -> int:
        """How many tasks more may be in work."""
        most = self._job.options.max_workers or self._pool.size
        return min(self._pool.free(), most - len(self._works))

    def at_pages(self) -> list[FileInWork]:
        """Files of which a page is in work."""
        numbers = {work.number for work in self._works.values() if isinstance(work, Recognise)}
        return [self._window.files[number] for number in numbers]

    def longest(self) -> tuple[str, int | None] | None:
        """The file, as sent, and the page that have been in work longest; no page while a file is opened or composed."""
        for work in self._works.values():
            page = work.page if isinstance(work, Recognise) else None
            return self._window.files[work.number].stored.file, page
        return None

    def start(self, work: Work) -> None:
        ticket, options = next(self._tickets), self._job.options
        limit = options.file_timeout_seconds
        self._store.page_started(self._job.job_id, work.number, page_of(work))
        if isinstance(work, Recognise):
            file = self._window.files[work.number]
            if file not in self.at_pages():
                # Time spent waiting for a free process is not the file's.
                file.page_ended_at = time.monotonic()
            limit = min(limit, options.page_timeout_seconds)
        self._works[ticket] = work
        self._pool.start(ticket, self._window.task(work), limit)

    def ended(self, ticket: int) -> Work | None:
        """What a task that has ended was; None when it is not this run's."""
        work = self._works.pop(ticket, None)
        if work is not None and page_of(work) == WHOLE_FILE:
            self._store.page_unstarted(self._job.job_id, work.number, WHOLE_FILE)
        return work

    def overdue(self) -> list[FileInWork]:
        """Files of which no page has ended for too long."""
        limit, now = self._job.options.file_timeout_seconds, time.monotonic()
        return [file for file in self.at_pages() if now - file.page_ended_at >= limit]

    def due_at(self) -> list[float]:
        """When files will be overdue, on the monotonic clock."""
        return [file.page_ended_at + self._job.options.file_timeout_seconds for file in self.at_pages()]

    def drop(self, number: int) -> None:
        """Kill the tasks of a file, and take back their tries."""
        tickets = {ticket for ticket, work in self._works.items() if work.number == number}
        for file, page in self._kill(tickets):
            self._store.page_unstarted(self._job.job_id, file, page)

    def kill(self) -> list[tuple[int, int]]:
        """Kill all tasks, and take away what they leave; what they were at, by file and page."""
        return self._kill(set(self._works))

    def abandon(self) -> None:
        """Kill all tasks and look at nothing more."""
        self._pool.kill(set(self._works))

    def _kill(self, tickets: set[int]) -> list[tuple[int, int]]:
        self._pool.kill(tickets)
        works = [self._works.pop(ticket) for ticket in tickets]
        if any(isinstance(work, Compose) for work in works):
            sweep_parts(self._window.folder)
        return [(work.number, page_of(work)) for work in works]
