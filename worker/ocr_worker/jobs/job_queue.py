"""Waiting jobs: higher priority first, then older first. Paused jobs are skipped."""

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
    paused: bool = False


class JobQueue:
    def __init__(self) -> None:
        self.waiting: list[Waiting] = []

    def add(self, job: StoredJob, order: RunOrder) -> None:
        self.waiting.append(Waiting(job, order))
        # Sorting keeps the order of equals.
        self.waiting.sort(key=lambda waiting: -waiting.job.priority)

    def peek(self) -> Waiting | None:
        """The next job to begin, without removing it."""
        return next((waiting for waiting in self.waiting if not waiting.paused), None)

    def remove(self, waiting: Waiting) -> None:
        self.waiting.remove(waiting)

    def pop(self, job_id: JobId | None) -> list[Waiting]:
        """Remove one job, or all, from the queue."""
        popped = [waiting for waiting in self.waiting if job_id in (None, waiting.job.job_id)]
        self.waiting = [waiting for waiting in self.waiting if waiting not in popped]
        return popped

    def ids(self) -> list[JobId]:
        return [waiting.job.job_id for waiting in self.waiting]

    def paused(self) -> set[JobId]:
        return {waiting.job.job_id for waiting in self.waiting if waiting.paused}

    def set_paused(self, job_ids: Collection[JobId], *, paused: bool) -> set[JobId]:
        """Pause or unpause jobs; return those that are in the queue."""
        meant = [waiting for waiting in self.waiting if waiting.job.job_id in job_ids]
        for waiting in meant:
            waiting.paused = paused
        return {waiting.job.job_id for waiting in meant}
