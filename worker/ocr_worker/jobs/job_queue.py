"""Jobs that wait for their turn: the higher priority first, and among equals the earlier. A paused one is passed over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ocr_worker.jobs.file_window import RunOrder
from ocr_worker.model.jobs import JobId
from ocr_worker.store.records import StoredJob


@dataclass(slots=True, eq=False)
class Waiting:
    job: StoredJob
    order: RunOrder
    held: bool = False


class JobQueue:
    def __init__(self) -> None:
        self._waiting: list[Waiting] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, job: StoredJob, order: RunOrder) -> None:
        self._waiting.append(Waiting(job, order))
        # Sorting keeps the order of equals.
        self._waiting.sort(key=lambda waiting: -waiting.job.priority)

    def peek(self) -> Waiting | None:
        """The next job to begin, which stays the next."""
        return next((waiting for waiting in self._waiting if not waiting.held), None)

    def remove(self, waiting: Waiting) -> None:
        self._waiting.remove(waiting)

    def take(self, job_id: JobId | None) -> list[Waiting]:
        """Take one job, or all, out of the queue."""
        taken = [waiting for waiting in self._waiting if job_id in (None, waiting.job.job_id)]
        self._waiting = [waiting for waiting in self._waiting if waiting not in taken]
        return taken

    def ids(self) -> list[JobId]:
        return [waiting.job.job_id for waiting in self._waiting]

    def held(self) -> set[JobId]:
        return {waiting.job.job_id for waiting in self._waiting if waiting.held}

    def hold(self, job_ids: Collection[JobId]) -> set[JobId]:
        """Pass these over until they are let go; those of them that wait here."""
        return self._set_held(job_ids, held=True)

    def let_go(self, job_ids: Collection[JobId]) -> set[JobId]:
        return self._set_held(job_ids, held=False)

    def _set_held(self, job_ids: Collection[JobId], *, held: bool) -> set[JobId]:
        meant = [waiting for waiting in self._waiting if waiting.job.job_id in job_ids]
        for waiting in meant:
            waiting.held = held
        return {waiting.job.job_id for waiting in meant}
