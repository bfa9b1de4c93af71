"""Ends of runs that the store is told once it can be: another process may hold it, and the loop waits for nobody."""

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
"""Between two looks whether another process has let go of the store."""


class DeferredWrites:
    """Asks whether the store is free, at most every so often, and keeps the ends of runs that it could not take."""

    def __init__(self) -> None:
        self.blocked_until = 0.0
        """While another process holds the store: when to ask again, on the monotonic clock; else 0."""
        self.waiting: dict[JobId, RunEnding] = {}

    def __contains__(self, job_id: JobId) -> bool:
        return job_id in self.waiting

    def is_free(self, store: JobStore) -> bool:
        """Whether the store can be written, as it was when last asked."""
        return time.monotonic() >= self.blocked_until and self.ask(store)

    def ask(self, store: JobStore) -> bool:
        """Whether the store can be written now."""
        free = store.can_write()
        self.blocked_until = 0.0 if free else time.monotonic() + AGAIN_SECONDS
        return free

    def write(self, store: JobStore, end: RunEnding) -> None:
        """Write the end of a run now, or when the store is free.

        Raises:
            sqlite3.Error: the store fails for another reason.
        """
        if not (self.is_free(store) and _written(store, end)):
            log.warning("The end of job %s is stored when no other process holds the store", end.job_id)
            self.waiting[end.job_id] = end

    def catch_up(self, store: JobStore) -> list[JobId]:
        """Write what waits, if the store is free; the jobs of which nothing waits any more."""
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
    """What a user is told while another process holds the store."""
    return BusyError("Another program holds the store of jobs. Try again when it has let go.")
