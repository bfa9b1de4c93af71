"""Turn events of jobs into events of the wire. Results are read when the host is ready for them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ocr_protocol import Error, Event, Info, Progress, Result
from ocr_worker.errors import InternalError, JobNotFoundError
from ocr_worker.jobs import queries
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.model.events import (
    CrewChanged,
    FileEnded,
    FileStarted,
    JobEnded,
    JobEvent,
    JobFailed,
    JobPaused,
    ProgressMade,
)
from ocr_worker.model.fields import batch_fields, crew_fields, file_done_fields, progress_fields
from ocr_worker.model.jobs import JobId
from ocr_worker.model.tasks import Failure
from ocr_worker.stdio.hello import Session
from ocr_worker.stdio.streams import Writer
from ocr_worker.store.job_store import JobStore, store_as_it_is

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Origin:
    """The command that started a run."""

    command: str
    id: str | int | None


class EventPublisher:
    """Listens in the runtime's thread; makes events in the writer's thread."""

    def __init__(self, writer: Writer, runtime: Runtime, session: Session) -> None:
        self._writer, self._runtime, self._session = writer, runtime, session
        self._state_dir = runtime.settings.state_dir
        self._store: JobStore | None = None
        self._origins: dict[JobId, Origin] = {}
        self._unread = set[JobId]()

    def expect(self, job_id: JobId, origin: Origin) -> None:
        """Send events of this job to the host from now on."""
        self._origins[job_id] = origin

    def on_event(self, event: JobEvent) -> None:
        """Queue an event of one of the host's jobs."""
        job_id = event.job_id
        if job_id not in self._origins:
            return
        match event:
            case ProgressMade(_, progress):
                self._writer.put_latest(job_id, Progress(job_id=job_id, data=progress_fields(progress)))
            case FileStarted(_, number, pages):
                self._writer.put(lambda: self._file_started(job_id, number, pages))
            case FileEnded(_, number):
                self._writer.put(lambda: self._file_done(job_id, number))
            case JobPaused() | CrewChanged():
                self._writer.put(Info(job_id=job_id, data=_news(event)))
            case JobFailed(_, failure):
                self._unread.add(job_id)
                error = _error(job_id, self._origins.pop(job_id), failure)
                self._writer.put(lambda: self._failed(error))
            case JobEnded():
                self._unread.add(job_id)
                origin = self._origins.pop(job_id)
                self._writer.put(lambda: self._result(event, origin))

    def answer(self, make: Callable[[Callable[[], JobStore]], Event]) -> None:
        """Make an answer from the store when the host is ready for it."""
        self._writer.put(lambda: make(self._current))

    def is_unread(self, job_id: JobId) -> bool:
        """Whether a job's result was not sent yet."""
        return job_id in self._unread

    def end(self) -> None:
        """Close the store after the last event; the last to close it removes SQLite's extra files."""
        self._writer.put(self._close)

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _failed(self, error: Error) -> Event:
        self._unread.discard(str(error.job_id))
        return error

    def _file_started(self, job_id: JobId, number: int, pages: int) -> Event | None:
        try:
            file = self._store_of(job_id).file(job_id, number).file
        except Exception:
            log.exception("the name of a file can't be read")
            return None
        of = f" ({pages} pages)" if pages > 1 else ""
        message = f"Started {file}{of}"
        data = {
            "kind": "file_started",
            "message": message,
            "file": file,
            "file_index": number,
            "page_count": pages,
        }
        return Info(job_id=job_id, data=data)

    def _file_done(self, job_id: JobId, number: int) -> Event:
        try:
            done = queries.file_done(self._store_of(job_id), job_id, number)
            return Info(job_id=job_id, data=file_done_fields(done))
        except Exception as error:
            # Whatever it is, the writer must live: it has the events of other jobs.
            log.exception("an outcome can't be read")
            warning = f"The outcome of file {number} can't be read from the state folder ({error}). get_job may tell it later."
            return Info(job_id=job_id, data={"kind": "warning", "message": warning})

    def _result(self, event: JobEnded, origin: Origin) -> Event:
        self._runtime.await_manifest(event.job_id)
        most = 0 if self._session.summary_result else queries.MOST_LISTED
        try:
            result = queries.batch_result(self._store_of(event.job_id), event.job_id, event.run, most)
        except JobNotFoundError:
            gone = f"Job {event.job_id} was deleted before its result was read. Its outputs are there; do the files again for a new result."
            return _error(event.job_id, origin, Failure("job_not_found", gone, retryable=False))
        except Exception as error:
            log.exception("a result can't be read")
            message = f"OCR batch failed: its result can't be read from the state folder ({error}). The outputs are there; get_job may tell more."
            return _error(event.job_id, origin, Failure.of(InternalError(message)))
        finally:
            self._unread.discard(event.job_id)
        data: dict[str, Any] = batch_fields(result)
        return Result(id=origin.id, command=origin.command, job_id=event.job_id, data=data)

    def _store_of(self, job_id: JobId) -> JobStore:
        """The store that has the job: an open, deleted one may."""
        return self._store if self._store and self._store.job(job_id) else self._current()

    def _current(self) -> JobStore:
        """A connection of the writer's thread."""
        self._store = store_as_it_is(self._store, self._state_dir)
        return self._store


def _news(event: JobPaused | CrewChanged) -> dict[str, Any]:
    if isinstance(event, CrewChanged):
        return crew_fields(event.crew)
    return {"kind": "paused", "message": f"Job {event.job_id} is paused: none of its pages is in work"}


def _error(job_id: JobId, origin: Origin, failure: Failure) -> Error:
    data: dict[str, Any] = failure.to_fields()
    return Error(id=origin.id, command=origin.command, job_id=job_id, data=data)
