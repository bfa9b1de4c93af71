"""Turns what happens to jobs into events. Outcomes are read from the store when the host is ready to read them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from ocr_protocol import Error, Event, Info, Progress, Result
from ocr_worker.errors import InternalError
from ocr_worker.jobs import queries
from ocr_worker.model.jobs import FileEnded, JobEnded, JobEvent, JobFailed, JobId, Origin, ProgressMade
from ocr_worker.model.tasks import Failure
from ocr_worker.stdio.streams import Writer
from ocr_worker.store.job_store import JobStore, store_as_it_is

log = logging.getLogger(__name__)


class Announcer:
    """`tell` is called by the loop; what it leaves with the writer runs in the writer's thread."""

    def __init__(self, writer: Writer, state_dir: Path) -> None:
        self._writer, self._state_dir = writer, state_dir
        self._store: JobStore | None = None
        self._owed = set[JobId]()
        self.summary_result = False

    def tell(self, event: JobEvent, settle: Callable[[JobId], None]) -> None:
        """Announce an event; `settle` waits until a job's manifest is written."""
        job_id = event.job_id
        match event:
            case ProgressMade(_, fields):
                self._writer.put_latest(job_id, Progress(job_id=job_id, data=fields))
            case FileEnded(_, number):
                self._writer.put(lambda: self._file_done(job_id, number))
            case JobFailed(_, origin, code, message, retryable):
                self._owed.add(job_id)
                self._writer.put(
                    lambda: self._failed(_error(job_id, origin, Failure(code, message, retryable)))
                )
            case JobEnded():
                self._owed.add(job_id)
                self._writer.put(lambda: self._result(event, settle))

    def answer(self, make: Callable[[Callable[[], JobStore]], Event]) -> None:
        """Have an answer made from the store when the host is ready to read it."""
        self._writer.put(lambda: make(self._current))

    def owes(self, job_id: JobId) -> bool:
        """Whether a job's result is still to be read from the store."""
        return job_id in self._owed

    def close(self) -> None:
        """Let the store go once all is told: the last to close it removes what SQLite keeps beside it."""
        self._writer.put(self._close)

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _failed(self, error: Error) -> Event:
        self._owed.discard(str(error.job_id))
        return error

    def _file_done(self, job_id: JobId, number: int) -> Event:
        try:
            return Info(job_id=job_id, data=queries.file_done(self._reports(job_id), job_id, number))
        except Exception as error:
            # Whatever it is, the writer must live: it has the events of other jobs.
            log.exception("an outcome can't be read")
            warning = f"The outcome of file {number} can't be read from the state folder ({error}). get_job may tell it later."
            return Info(job_id=job_id, data={"kind": "warning", "message": warning})

    def _result(self, event: JobEnded, settle: Callable[[JobId], None]) -> Event:
        settle(event.job_id)
        most, origin = 0 if self.summary_result else queries.MOST_LISTED, event.origin
        try:
            data = queries.batch_result(self._reports(event.job_id), event.job_id, event.run, most)
        except Exception as error:
            log.exception("a result can't be read")
            message = f"OCR batch failed: its result can't be read from the state folder ({error}). The outputs are there; get_job may tell more."
            return _error(event.job_id, origin, Failure.of(InternalError(message)))
        finally:
            self._owed.discard(event.job_id)
        return Result(id=origin.id, command=origin.command, job_id=event.job_id, data=data)

    def _reports(self, job_id: JobId) -> JobStore:
        """Where the job is found: a deleted store still tells of the jobs in it."""
        return self._store if self._store and self._store.job(job_id) else self._current()

    def _current(self) -> JobStore:
        """A connection of the writer's thread."""
        self._store = store_as_it_is(self._store, self._state_dir)
        return self._store


def _error(job_id: JobId, origin: Origin, failure: Failure) -> Error:
    return Error(id=origin.id, command=origin.command, job_id=job_id, data=failure.to_fields())
