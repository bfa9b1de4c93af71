"""What the store is to be told once it can be: another process may hold it, and the loop waits for nobody."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable

from ocr_worker.errors import BusyError
from ocr_worker.model.jobs import JobId
from ocr_worker.store.job_store import JobStore

log = logging.getLogger(__name__)

AGAIN_SECONDS = 0.05


class LateWrites:
    """Asks whether the store is free, at most every so often, and keeps the ends of runs that it could not take."""

    def __init__(self, store: Callable[[], JobStore]) -> None:
        self._store, self._held_until = store, 0.0
        self._owed: dict[JobId, Callable[[], None]] = {}

    def __contains__(self, job_id: JobId) -> bool:
        return job_id in self._owed

    def __len__(self) -> int:
        return len(self._owed)

    @property
    def held_until(self) -> float | None:
        """While another process holds the store: when to ask again, on the monotonic clock."""
        return self._held_until or None

    def store_is_free(self) -> bool:
        """Whether the store can be written, as it was when last asked."""
        return time.monotonic() >= self._held_until and self.ask()

    def ask(self) -> bool:
        """Whether the store can be written now."""
        free = self._store().can_write()
        self._held_until = 0.0 if free else time.monotonic() + AGAIN_SECONDS
        return free

    def write(self, job_id: JobId, write: Callable[[], None]) -> None:
        """Write the end of a run now, or when the store is free.

        Raises:
            sqlite3.Error: the store fails for another reason.
        """
        if not (self.store_is_free() and _written(write)):
            log.warning("The end of job %s is stored when no other process holds the store", job_id)
            self._owed[job_id] = write

    def catch_up(self) -> list[JobId]:
        """Write what is owed, if the store is free; the jobs of which nothing is owed any more."""
        paid = []
        for job_id, write in list(self._owed.items()):
            if self.store_is_free() and self._settle(job_id, write):
                del self._owed[job_id]
                paid.append(job_id)
        return paid

    def _settle(self, job_id: JobId, write: Callable[[], None]) -> bool:
        try:
            return _written(write)
        except sqlite3.Error:
            # Its result was told; the next start finds it interrupted.
            log.exception("the end of job %s can't be stored", job_id)
            return True


def _written(write: Callable[[], None]) -> bool:
    try:
        write()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False
    return True


def held_by_another() -> BusyError:
    return BusyError("Another program holds the store of jobs. Try again when it has let go.")
