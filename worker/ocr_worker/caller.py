"""A caller in our own process: stands where the stdio loop stands, and runs one batch to its end."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ocr_worker import report
from ocr_worker.callbacks import METHODS, NullProgress, ProgressCallback, ProgressFunction
from ocr_worker.errors import InvalidParamsError, OcrError
from ocr_worker.guard import Guard
from ocr_worker.jobs import (
    FileEnded,
    JobEnded,
    JobEvent,
    JobFailed,
    JobId,
    JobRequest,
    Origin,
    ProgressMade,
    RunEnd,
)
from ocr_worker.page_pool import PagePool
from ocr_worker.page_slot import SlotMessage
from ocr_worker.settings import Settings, settings_from_environment

if TYPE_CHECKING:
    from ocr_worker.service import OCRBatchService

FLAG_SECONDS = 0.05
"""A cancellation flag, or a signal, is asked for at least so often."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the service's owner gives it."""

    settings: Settings
    post: Callable[[SlotMessage], None]
    """Puts a message into the owner's inbox, from any thread."""
    emit: Callable[[JobEvent], None]
    guard: Guard = field(default_factory=Guard)
    progress_seconds: float = 0.1
    pool: PagePool | None = None
    """The service makes one where there is none."""


class Inbox:
    """What comes to the owner of a service in its own process: messages from threads, events from the service."""

    def __init__(self) -> None:
        # Not a SimpleQueue: a signal that comes when the time is up, as after a sleep of the machine, makes that wait for ever.
        self._messages: queue.Queue[SlotMessage] = queue.Queue()
        self._events: list[JobEvent] = []

    def surroundings(self, settings: Settings, progress_seconds: float = 0.1) -> Surroundings:
        return Surroundings(
            settings, self._messages.put, self._events.append, progress_seconds=progress_seconds
        )

    def take_events(self) -> list[JobEvent]:
        events, self._events[:] = self._events[:], []
        return events

    def wait(self, service: OCRBatchService) -> None:
        """Let the service handle the next message, or return when a flag or a timer is due."""
        due = service.next_tick()
        seconds = FLAG_SECONDS if due is None else min(FLAG_SECONDS, max(0.0, due - time.monotonic()))
        try:
            service.handle(self._messages.get(timeout=seconds))
        except queue.Empty:
            return


class Caller:
    """Runs batches of a service that is used as a library, in the caller's thread."""

    def __init__(
        self,
        callback: ProgressFunction | ProgressCallback | None,
        cancellation_flag: Callable[[], bool] | None,
    ) -> None:
        if not (callback is None or callable(callback) or isinstance(callback, ProgressCallback)):
            raise InvalidParamsError(
                f"progress_callback must be a function, or have the methods {', '.join(METHODS)}.",
                field="progress_callback",
            )
        self._files: ProgressCallback = callback if isinstance(callback, ProgressCallback) else NullProgress()
        self._pages = callback if callable(callback) else None
        self._cancelled = cancellation_flag or _never
        self._inbox = Inbox()

    def surroundings(self) -> Surroundings:
        return self._inbox.surroundings(settings_from_environment())

    def run(self, service: OCRBatchService, request: JobRequest) -> dict[str, Any]:
        job_id, file_count = service.submit(request, Origin("ocr_batch", None))
        self._files.on_start(file_count)
        try:
            run = self._pump(service, job_id, file_count)
        except BaseException:
            # An interrupted caller must not leave a job at work.
            service.cancel(job_id)
            raise
        service.settle(job_id)
        result = report.batch_result(service.store, job_id, run)
        self._files.on_complete(result.get("successful", []), result.get("failed", []))
        return result

    def _pump(self, service: OCRBatchService, job_id: JobId, file_count: int) -> RunEnd:
        service.advance()
        ended = 0
        while True:
            for event in self._inbox.take_events():
                if event.job_id != job_id:
                    # Of an earlier batch, which its caller broke off.
                    continue
                if isinstance(event, JobEnded):
                    return event.run
                if isinstance(event, JobFailed):
                    raise OcrError(event.message, job_id=job_id)
                if isinstance(event, FileEnded):
                    ended += 1
                    self._tell_file(ended, file_count, report.file_done(service.store, job_id, event.number))
                else:
                    self._tell_pages(event)
            self._inbox.wait(service)
            if self._cancelled():
                service.cancel(job_id)
            service.tick()

    def _tell_pages(self, event: ProgressMade) -> None:
        if self._pages is not None:
            fields = event.fields
            self._pages(
                fields["current"],
                fields["total"],
                fields["message"],
                fields["percent"],
                fields["eta_seconds"],
            )

    def _tell_file(self, current: int, total: int, done: dict[str, Any]) -> None:
        if done["status"] == "failed":
            self._files.on_error(current, total, done["file"], done["error"]["message"])
        else:
            self._files.on_progress(current, total, done["file"], done)


def _never() -> bool:
    return False
