"""Requests on their way to being jobs: at once for a library's caller, slice by slice for a host."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ocr_worker.jobs.admission import Admission
from ocr_worker.jobs.arrivals import PATIENCE_SECONDS, Arrival, Arrivals
from ocr_worker.jobs.file_window import RunOrder
from ocr_worker.model.jobs import JobId, JobRequest, Origin
from ocr_worker.store.deferred_writes import held_by_another
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredJob


@dataclass(frozen=True, slots=True)
class IntakeSteps:
    """What the service does for a request on its way."""

    store: Callable[[], JobStore]
    lock: Callable[[JobId], None]
    enqueue: Callable[[StoredJob, RunOrder], None]
    pause: Callable[[Sequence[JobId]], None]
    withdraw: Callable[[JobId], None]
    store_is_free: Callable[[], bool]


class Intake:
    def __init__(self, arrivals: Arrivals, steps: IntakeSteps) -> None:
        self._arrivals, self._steps = arrivals, steps

    def at_once(self, request: JobRequest, origin: Origin) -> tuple[JobId, int]:
        """Take in a job; its id and the number of its files."""
        admission = self._admission(request)
        try:
            admission.step()
        except BaseException:
            self._steps.withdraw(admission.job.job_id)
            raise
        self._steps.enqueue(admission.job, RunOrder(origin, request.passwords))
        return admission.job.job_id, admission.file_count

    def add(
        self,
        request: JobRequest,
        origin: Origin,
        accepted: Callable[[JobId, int], None],
        refused: Callable[[Exception], None],
    ) -> None:
        """Put a request behind those that came before; `step` takes it in."""
        admission, order = self._admission(request), RunOrder(origin, request.passwords)
        self._arrivals.add(Arrival(admission, order, accepted, refused, time.monotonic()))

    def step(self) -> Arrival | None:
        """Go on with the request that came first, for a slice; it, when it is a job now and was told so."""
        arrival = self._arrivals.due()
        if arrival is None or not self._stored(arrival):
            return None
        self._arrivals.remove(arrival)
        arrival.accepted(arrival.job_id, arrival.admission.file_count)
        return arrival

    def _admission(self, request: JobRequest) -> Admission:
        admission = Admission(request, self._steps.store())
        self._steps.lock(admission.job.job_id)
        return admission

    def _stored(self, arrival: Arrival) -> bool:
        """Do a slice; whether the request is a job now, which waits as it was ordered to meanwhile."""
        try:
            if not (self._may_admit(arrival) and self._arrivals.work(arrival)):
                return False
            self._steps.enqueue(arrival.admission.job, arrival.order)
            if arrival.held:
                self._steps.pause([arrival.job_id])
        except Exception as error:  # noqa: BLE001  # handed on, and logged there
            self._arrivals.remove(arrival)
            self._steps.withdraw(arrival.job_id)
            arrival.refused(error)
            return False
        return True

    def _may_admit(self, arrival: Arrival) -> bool:
        if self._steps.store_is_free():
            return True
        if time.monotonic() - arrival.since > PATIENCE_SECONDS:
            raise held_by_another()
        return False
