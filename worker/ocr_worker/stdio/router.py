"""One table: command to call; what comes back, and every error, to events."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from typing_extensions import assert_never

from ocr_protocol import SCHEMA_SHA256, Error, Event, Info, Result, WireError, decode
from ocr_protocol.commands import (
    COMMANDS,
    Cancel,
    Command,
    DeleteJob,
    GetJob,
    Hello,
    Inspect,
    ListJobs,
    OcrBatch,
    Pause,
    Ping,
    Resume,
    RetryFailed,
    Shutdown,
)
from ocr_protocol.lines import Line
from ocr_worker.errors import BusyError, InternalError, OcrError, UnsupportedError
from ocr_worker.jobs import queries
from ocr_worker.jobs.capabilities import hello_data, rss_bytes
from ocr_worker.jobs.file_window import RunOrder
from ocr_worker.jobs.requests import local_passwords
from ocr_worker.jobs.service import JobService
from ocr_worker.model.jobs import Origin
from ocr_worker.settings import Settings
from ocr_worker.stdio.inspector import Inspector
from ocr_worker.stdio.requests import batch_request
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.schema import store_error

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Session:
    """What the host asked of this process, and how far its end is."""

    on_stdin_end: str = "finish"
    parent_pid: int | None = None
    draining: bool = False
    started: float = field(default_factory=time.monotonic)


class Loop(Protocol):
    """What only the loop can do."""

    def meet_host(self, hello: Hello) -> None: ...

    def shut_down(self) -> None: ...

    def owes(self, job_id: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Router:
    """Answers commands. It owns nothing: the session and the service are the loop's."""

    settings: Settings
    session: Session
    service: JobService
    inspector: Inspector
    send: Callable[[Event], None]
    send_report: Callable[[Callable[[Callable[[], JobStore]], Event]], None]
    """Has an event made from the store when the host is ready to read it: thousands of files take their time."""
    loop: Loop

    def route(self, line: Line) -> None:
        """Deal with one line: always at least one event, never an exception. One of the two places that catch all."""
        try:
            command = decode(line)
        except WireError as refusal:
            self.send(refusal.event())
            return
        try:
            self._call(command)
        except Exception as error:  # noqa: BLE001  # logged where it is no OcrError
            self._refuse(command, error)

    def _call(self, command: Command) -> None:  # noqa: C901, PLR0912  # one table, as long as the list of commands
        match command:
            case Hello():
                self._hello(command)
            case OcrBatch():
                self._batch(command)
            case Cancel():
                self._cancel(command)
            case Pause():
                self._pause(command)
            case Resume():
                self._resume(command)
            case RetryFailed():
                self._retry(command)
            case ListJobs():
                self._list(command)
            case GetJob():
                self._get(command)
            case DeleteJob():
                self._delete(command)
            case Inspect():
                self.inspector.ask(command)
            case Ping():
                self._ping(command)
            case Shutdown():
                self._shutdown(command)
            case _:
                assert_never(command)

    def _hello(self, command: Hello) -> None:
        if 1 not in command.protocol:
            message = f"This worker speaks protocol 1, the host {', '.join(map(str, command.protocol))}. Update one of them."
            raise UnsupportedError(message, protocol=[1])
        self.loop.meet_host(command)
        self._answer(command, hello_data(self.settings, SCHEMA_SHA256, tuple(COMMANDS)))
        self.inspector.warm()

    def _batch(self, command: OcrBatch) -> None:
        self.service.take_in(
            batch_request(command),
            Origin("ocr_batch", command.id),
            lambda job_id, count: self._accept(command.id, job_id, count),
            lambda error: self._refuse(command, error),
        )

    def _accept(self, asked: str | int | None, job_id: str, count: int) -> None:
        data = {
            "kind": "accepted",
            "message": f"Accepted {count} file{'s' * (count != 1)}",
            "file_count": count,
        }
        self.send(Info(id=asked, job_id=job_id, data=data))

    def _cancel(self, command: Cancel) -> None:
        jobs = self.service.active(command.job_id)
        ended = command.job_id is not None and not jobs
        # Said before it is done: nothing of a job may follow its terminal event.
        message = _ended(command.job_id) if ended else "Cancellation requested"
        self._acknowledge(command, "cancel", message, jobs)
        if jobs:
            self.service.cancel(command.job_id)

    def _pause(self, command: Pause) -> None:
        active, paused = self.service.active(command.job_id), self.service.paused(command.job_id)
        jobs = [job for job in active if job not in paused]
        if jobs:
            self.service.pause(jobs)
        nothing = _not("running", command.job_id) if active or not command.job_id else _ended(command.job_id)
        self._acknowledge(command, "pause", "Pause requested" if jobs else nothing, jobs)
        if self.session.draining:
            # Nothing will continue them.
            self.service.stop_paused()

    def _resume(self, command: Resume) -> None:
        jobs = self.service.paused(command.job_id)
        if jobs:
            self._acknowledge(command, "resume", "Resume requested", jobs)
            self.service.unpause(jobs)
        elif command.job_id is None or self.service.active(command.job_id):
            self._acknowledge(command, "resume", _not("paused", command.job_id), [])
        else:
            self._reopen(command, command.job_id)

    def _reopen(self, command: Resume, job_id: str) -> None:
        self._settle_accounts(job_id)
        order = RunOrder(Origin("resume", command.id), local_passwords(command.passwords))
        if self.service.reopen(job_id, order) == "completed":
            self._acknowledge(command, "resume", f"Job {job_id} is completed: nothing is left to do", [])
        else:
            self._accept(command.id, job_id, self.service.store.stats(job_id)["pending"])
            self.service.advance()

    def _retry(self, command: RetryFailed) -> None:
        self._settle_accounts(command.job_id)
        order = RunOrder(Origin("retry_failed", command.id), local_passwords(command.passwords))
        if count := self.service.retry_failed(command.job_id, order):
            self._accept(command.id, command.job_id, count)
            self.service.advance()
        else:
            self._acknowledge(command, "retry_failed", f"Job {command.job_id} has no failed files", [])

    def _list(self, command: ListJobs) -> None:
        self.service.ledger.find_interrupted()
        self._report(
            command, lambda store: queries.job_list(store, command.state, command.offset, command.limit)
        )

    def _get(self, command: GetJob) -> None:
        self.service.ledger.get(command.job_id)
        self._report(
            command, lambda store: queries.job_data(store, command.job_id, command.offset, command.limit)
        )

    def _report(self, command: Command, read: Callable[[JobStore], dict[str, Any]]) -> None:
        def make(store: Callable[[], JobStore]) -> Event:
            try:
                return _result(command, read(store()))
            except Exception as error:  # noqa: BLE001  # logged where it is no OcrError; the writer must live
                return _refusal(command, error)

        self.send_report(make)

    def _delete(self, command: DeleteJob) -> None:
        self._settle_accounts(command.job_id)
        self.service.ledger.delete(command.job_id)
        message = f"Job {command.job_id} is deleted; its outputs stay"
        self._answer(command, {"kind": "deleted", "message": message})

    def _settle_accounts(self, job_id: str) -> None:
        """Outcomes are read from the store when the host is ready: until it was given them all they must stay as they are."""
        if self.loop.owes(job_id):
            raise BusyError(f"Job {job_id} has ended, but its result was not read yet. Ask again after that.")

    def _ping(self, command: Ping) -> None:
        service, session = self.service, self.session
        data = {
            "kind": "ping",
            "state": "draining" if session.draining else service.state,
            "uptime_seconds": round(time.monotonic() - session.started, 3),
            "rss_bytes": rss_bytes() + service.pool.rss_bytes(),
            "queued_jobs": service.queued,
        }
        self._answer(command, data)

    def _shutdown(self, command: Shutdown) -> None:
        self.session.draining = True
        now = command.mode == "now"
        self._acknowledge(
            command, "shutdown", "Shutting down" if now else "Shutting down after the accepted jobs", []
        )
        if now:
            self.loop.shut_down()
        else:
            self.service.drain()

    def _answer(self, command: Command, data: dict[str, Any]) -> None:
        self.send(_result(command, data))

    def _acknowledge(self, command: Command, kind: str, message: str, jobs: list[str]) -> None:
        job_id = jobs[0] if len(jobs) == 1 else getattr(command, "job_id", None)
        data = {"kind": kind, "message": message, "jobs": jobs}
        self.send(Info(id=command.id, job_id=job_id, data=data))

    def _refuse(self, command: Command, error: Exception) -> None:
        self.send(_refusal(command, error))


def _result(command: Command, data: dict[str, Any]) -> Result:
    job_id = getattr(command, "job_id", None)
    return Result(id=command.id, command=command.command, job_id=job_id, data=data)


def _refusal(command: Command, error: Exception) -> Error:
    ours = _meaning(command, error)
    data = {**ours.to_fields(), "details": ours.details}
    return Error(id=command.id, command=command.command, data=data)


def _meaning(command: Command, error: Exception) -> OcrError:
    if isinstance(error, OcrError):
        return error
    log.error("the command %s failed", command.command, exc_info=error)
    if isinstance(error, sqlite3.Error):
        return store_error(error)
    return InternalError(
        f"The command {command.command} failed ({type(error).__name__}). The log on stderr has the details."
    )


def _ended(job_id: str | None) -> str:
    return f"Job {job_id} has ended already"


def _not(state: str, job_id: str | None) -> str:
    return f"Job {job_id} is not {state}" if job_id else f"No job is {state}"
