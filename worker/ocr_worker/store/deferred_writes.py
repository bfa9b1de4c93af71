"""Keep the ends of runs until the store is free: the loop never waits for another process."""

from __future__ import annotations

import logging
import sqlite3
import time

from ocr_worker.errors import BusyError
from ocr_worker.model.jobs import JobId
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import RunEnding

log = logging.getLogger(__name__)

AGAIN_SECONDS = 0.05
"""How often to check whether the store is free again."""


class DeferredWrites:
    """Keeps ends of runs that could not be stored, and checks now and then whether the store is free."""

    def __init__(self) -> None:
        self.blocked_until: float = 0.0
        """When to check again, on the monotonic clock; 0 if the store is free."""
        self.waiting: dict[JobId, RunEnding] = {}

    def __contains__(self, job_id: JobId) -> bool:
        return job_id in self.waiting

    def is_free(self, store: JobStore) -> bool:
        """Whether the store could be written at the last check."""
        return self._is_time and self.ask(store)

    def ask(self, store: JobStore) -> bool:
        """Whether the store can be written now."""
        return self._found(is_free=store.can_write())

    def begin(self, store: JobStore) -> bool:
        """Begin a transaction, if the store could be written at the last check and can be now."""
        return self._is_time and self._found(is_free=store.begin())

    @property
    def _is_time(self) -> bool:
        return time.monotonic() >= self.blocked_until

    def _found(self, *, is_free: bool) -> bool:
        self.blocked_until = 0.0 if is_free else time.monotonic() + AGAIN_SECONDS
        return is_free

    def write(self, store: JobStore, end: RunEnding) -> None:
        """Write the end of a run now, or when the store is free.

        Raises:
            sqlite3.Error: the store fails for another reason.
        """
        if not (self.is_free(store) and _written(store, end)):
            log.warning("The end of job %s is stored when no other process holds the store", end.job_id)
            self.waiting[end.job_id] = end

    def catch_up(self, store: JobStore) -> list[JobId]:
        """Write what waits if the store is free; return the jobs that are done."""
        caught_up = []
        for job_id, end in list(self.waiting.items()):
            if self.is_free(store) and _written_or_lost(store, end):
                del self.waiting[job_id]
                caught_up.append(job_id)
        return caught_up


def _written_or_lost(store: JobStore, end: RunEnding) -> bool:
    try:
        return _written(store, end)
    except sqlite3.Error:
        # Its result was told; the next start finds it interrupted.
        log.exception("the end of job %s can't be stored", end.job_id)
        return True


def _written(store: JobStore, end: RunEnding) -> bool:
    try:
        store.end_run(end)
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False
    return True


def store_is_held() -> BusyError:
    """The error while another process has the store locked."""
    return BusyError("Another program has the job store locked. Try again later.")
