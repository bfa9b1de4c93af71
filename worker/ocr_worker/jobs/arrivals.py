"""Requests that came and are not yet jobs: they are taken in one after the other, between two answers to the host."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

from ocr_worker.jobs.admission import Admission
from ocr_worker.jobs.file_window import RunOrder
from ocr_worker.model.jobs import BatchStatus, JobId, JobState

SLICE_SECONDS = 0.01
GAP_SECONDS = 0.002
"""Between two slices, so that a flood of messages is not held up by a slice each."""
PATIENCE_SECONDS = 2.0
"""How long a request waits for a store that another process holds."""


class Stop(NamedTuple):
    """How a job is to end by order."""

    status: BatchStatus
    state: JobState
    reason: str | None


@dataclass(slots=True, eq=False)
class Arrival:
    admission: Admission
    order: RunOrder
    accepted: Callable[[JobId, int], None]
    refused: Callable[[Exception], None]
    since: float
    held: bool = False
    """It was paused before it was a job."""
    stop: Stop | None = None
    """It was cancelled before it was a job."""

    @property
    def job_id(self) -> JobId:
        return self.admission.job.job_id


class Arrivals:
    """The requests in the order in which they came. Commands that followed one already reach it here."""

    def __init__(self) -> None:
        self._waiting: deque[Arrival] = deque()
        self._next_slice_at = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def next_tick(self) -> float | None:
        """When there is a slice to do, on the monotonic clock."""
        return self._next_slice_at if self._waiting else None

    def add(self, arrival: Arrival) -> None:
        self._waiting.append(arrival)

    def ids(self) -> list[JobId]:
        return [arrival.job_id for arrival in self._waiting]

    def held(self) -> set[JobId]:
        return {arrival.job_id for arrival in self._waiting if arrival.held}

    def hold(self, job_ids: Collection[JobId], *, held: bool) -> None:
        for arrival in self._waiting:
            if arrival.job_id in job_ids:
                arrival.held = held

    def stop(self, job_id: JobId | None, stop: Stop) -> None:
        for arrival in self._waiting:
            if job_id in (None, arrival.job_id):
                arrival.stop = arrival.stop or stop

    def clear(self) -> list[Arrival]:
        """Take them all away."""
        taken, self._waiting = list(self._waiting), deque()
        return taken

    def due(self) -> Arrival | None:
        """The one that is to have its next slice now."""
        return self._waiting[0] if self._waiting and time.monotonic() >= self._next_slice_at else None

    def work(self, arrival: Arrival) -> bool:
        """Do a slice of it; whether it is stored."""
        stored = arrival.admission.step(SLICE_SECONDS)
        self._next_slice_at = time.monotonic() + GAP_SECONDS
        return stored

    def remove(self, arrival: Arrival) -> None:
        self._waiting.remove(arrival)
