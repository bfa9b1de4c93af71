"""A service in our own process: runs one job after another to its end, and hears Ctrl-C."""

from __future__ import annotations

import signal
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Protocol

from typing_extensions import Self

from ocr_worker.cli.exit_codes import BatchBrokenError, EndedAtOnceError
from ocr_worker.cli.terminal_text import command_line
from ocr_worker.jobs import queries
from ocr_worker.jobs.file_window import RunOrder
from ocr_worker.jobs.runtime import Inbox
from ocr_worker.jobs.service import JobService
from ocr_worker.model.jobs import RESUMABLE, FileEnded, JobEnded, JobFailed, JobId, JobRequest, Origin, RunEnd
from ocr_worker.processes.guard import ending_signals
from ocr_worker.settings import Settings

ORIGIN = Origin("ocr_batch", None)
MANIFEST_SECONDS = 600.0
"""A command ends with its manifest written, however large that is; a disk that hangs must not keep it for ever."""


class View(AbstractContextManager["View"], Protocol):
    """Shows a run while it lasts."""

    def progress(self, fields: dict[str, Any]) -> None:
        """Show the `data` of the wire's progress."""

    def file(self, done: dict[str, Any]) -> None:
        """Show the `data` of the wire's `file_done`."""

    def note(self, text: str) -> None:
        """Say something that has nothing to do with one file."""


class Signals:
    """Remembers the first Ctrl-C, SIGTERM or SIGHUP; the second one raises KeyboardInterrupt.

    A terminal that goes is told by the system and by the shell, so that a second SIGHUP means no more than the first.
    """

    def __init__(self) -> None:
        self.heard: int | None = None

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._hear) for number in ending_signals()}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if self.heard is not None and number == getattr(signal, "SIGHUP", None):
            return
        if self.heard is not None:
            raise KeyboardInterrupt
        self.heard = number


class Desk:
    """Use as a context: page processes and store are let go at its end."""

    def __init__(self, settings: Settings, signals: Signals, progress_seconds: float = 0.1) -> None:
        self._inbox = Inbox()
        self.settings, self._signals = settings, signals
        self.service = JobService(self._inbox.surroundings(settings, progress_seconds))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, EndedAtOnceError):
            self.service.end_at_once()
        else:
            self.service.cleanup()

    def batch(self, request: JobRequest, view: View) -> tuple[JobId, dict[str, Any]]:
        """Do a new job; its id and the `data` of its result."""
        job_id, _ = self.service.submit(request, ORIGIN)
        return job_id, self._follow(job_id, view)

    def resume(self, job_id: JobId, passwords: dict[str, str], view: View) -> dict[str, Any] | None:
        """Go on with an ended job; None when it has nothing left to do."""
        state = self.service.reopen(job_id, RunOrder(ORIGIN, passwords))
        return self._follow(job_id, view) if state in RESUMABLE else None

    def retry(self, job_id: JobId, passwords: dict[str, str], view: View) -> dict[str, Any] | None:
        """Do the failed files of a job again; None when none has failed."""
        count = self.service.retry_failed(job_id, RunOrder(ORIGIN, passwords))
        return self._follow(job_id, view) if count else None

    def rest(self, seconds: float) -> None:
        """Let time pass between two jobs; idle page processes are let go when theirs is over."""
        end = time.monotonic() + seconds
        while self._signals.heard is None and time.monotonic() < end:
            self._inbox.wait(self.service)
            self.service.tick()

    def _follow(self, job_id: JobId, view: View) -> dict[str, Any]:
        with view:
            try:
                run = self._pump(job_id, view)
            except KeyboardInterrupt as interrupt:
                go_on = command_line("resume", job_id)
                raise EndedAtOnceError(f"Ended at once. Go on with: {go_on}") from interrupt
        self.service.settle(job_id, MANIFEST_SECONDS)
        return queries.batch_result(self.service.store, job_id, run)

    def _pump(self, job_id: JobId, view: View) -> RunEnd:
        self.service.advance()
        told = False
        while True:
            if (run := self._show(job_id, view)) is not None:
                return run
            self._inbox.wait(self.service)
            if self._signals.heard is not None and not told:
                told = True
                view.note("Cancelling: what is finished is kept. Once more ends at once.")
                self._stop(job_id, self._signals.heard)
            self.service.tick()

    def _show(self, job_id: JobId, view: View) -> RunEnd | None:
        for event in self._inbox.take_events():
            if isinstance(event, JobEnded):
                return event.run
            if isinstance(event, JobFailed):
                go_on = command_line("resume", job_id)
                message = f"{event.message} What is finished is kept; go on with: {go_on}"
                raise BatchBrokenError(message, job_id, event.code)
            if isinstance(event, FileEnded):
                view.file(queries.file_done(self.service.store, job_id, event.number))
            else:
                view.progress(event.fields)
        return None

    def _stop(self, job_id: JobId, signal_number: int) -> None:
        if signal_number == signal.SIGINT:
            self.service.cancel(job_id)
        else:
            self.service.interrupt(signal.Signals(signal_number).name)


def apart(settings: Settings, state_dir: Path) -> Settings:
    """The same settings with a state folder of its own, for work that is to leave no job behind."""
    return replace(settings, state_dir=state_dir)
