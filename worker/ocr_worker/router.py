"""One table: command to call; what comes back, and every error, to events."""

from __future__ import annotations

import logging
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
from ocr_worker import report
from ocr_worker.about import hello_data, rss_bytes
from ocr_worker.errors import OcrError
from ocr_worker.inspector import Inspector
from ocr_worker.job_window import RunOrder
from ocr_worker.jobs import ACTIVE, Origin
from ocr_worker.options import batch_request, local_passwords
from ocr_worker.service import OCRBatchService
from ocr_worker.settings import Settings

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Session:
    """What the host asked of this process, and how far its end is."""

    summary_result: bool = False
    on_stdin_end: str = "finish"
    parent_pid: int | None = None
    draining: bool = False
    started: float = field(default_factory=time.monotonic)


class Loop(Protocol):
    """What only the loop can do."""

    def meet_host(self, hello: Hello) -> None: ...

    def shut_down(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Router:
    """Answers commands. It owns nothing: the session and the service are the loop's."""

    settings: Settings
    session: Session
    service: OCRBatchService
    inspector: Inspector
    send: Callable[[Event], None]
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
        except OcrError as error:
            self._refuse(command, error.code, error.message, error.retryable, error.details)
        except Exception as error:
            log.exception("the command %s failed", command.command)
            message = f"The command {command.command} failed ({type(error).__name__}). The log on stderr has the details."
            self._refuse(command, "internal", message, False, {})

    def _call(self, command: Command) -> None:
        match command:
            case Hello():
                self._hello(command)
            case OcrBatch():
                self._batch(command)
            case Cancel():
                jobs = self.service.cancel(command.job_id)
                self._acknowledge(
                    command,
                    "cancel",
                    "Cancellation requested" if jobs or not command.job_id else _ended(command.job_id),
                    jobs,
                )
            case Pause():
                jobs = self.service.pause(command.job_id)
                self._acknowledge(
                    command, "pause", "Pause requested" if jobs else _not("running", command.job_id), jobs
                )
            case Resume():
                self._resume(command)
            case RetryFailed():
                self._retry(command)
            case ListJobs():
                self._list(command)
            case GetJob():
                job = self.service.get(command.job_id)
                files = report.job_files(self.service.store, job.job_id, command.offset, command.limit)
                self._answer(
                    command, {"kind": "job", **report.job_summary(self.service.store, job), "files": files}
                )
            case DeleteJob():
                self.service.delete(command.job_id)
                self._answer(
                    command,
                    {"kind": "deleted", "message": f"Job {command.job_id} is deleted; its outputs stay"},
                )
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
            self._refuse(command, "unsupported", message, False, {"protocol": [1]})
            return
        self.loop.meet_host(command)
        self._answer(command, hello_data(self.settings, SCHEMA_SHA256, tuple(COMMANDS)))

    def _batch(self, command: OcrBatch) -> None:
        if self.session.draining:
            self._refuse(command, "busy", "The worker is shutting down and takes no more jobs.", True, {})
            return
        job_id, count = self.service.submit(batch_request(command), Origin("ocr_batch", command.id))
        self._accept(command.id, job_id, count)

    def _accept(self, asked: str | int | None, job_id: str, count: int) -> None:
        message = f"Accepted {count} file{'s' * (count != 1)}"
        data = {"kind": "accepted", "message": message, "file_count": count}
        self.send(Info(id=asked, job_id=job_id, data=data))
        self.service.advance()

    def _resume(self, command: Resume) -> None:
        resumed = self.service.resume_paused(command.job_id)
        if resumed or command.job_id is None:
            self._acknowledge(command, "resume", "Resumed" if resumed else "No job is paused", resumed)
            return
        job = self.service.get(command.job_id)
        if job.state in ACTIVE and any(run.job.job_id == job.job_id for run in self.service.runs):
            self._acknowledge(command, "resume", f"Job {job.job_id} is running already", [])
            return
        order = RunOrder(Origin("resume", command.id), local_passwords(command.passwords))
        if self.service.reopen(job.job_id, order) == "completed":
            self._acknowledge(command, "resume", f"Job {job.job_id} is completed: nothing is left to do", [])
        else:
            self._accept(command.id, job.job_id, self.service.store.stats(job.job_id)["pending"])

    def _retry(self, command: RetryFailed) -> None:
        order = RunOrder(Origin("retry_failed", command.id), local_passwords(command.passwords))
        if count := self.service.retry_failed(command.job_id, order):
            self._accept(command.id, command.job_id, count)
        else:
            self._acknowledge(command, "retry_failed", f"Job {command.job_id} has no failed files", [])

    def _list(self, command: ListJobs) -> None:
        store = self.service.store
        jobs = [
            report.job_summary(store, job) for job in store.jobs(command.state, command.offset, command.limit)
        ]
        self._answer(command, {"kind": "jobs", "jobs": jobs, "total": store.job_count(command.state)})

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
            self.service.stop_paused()

    def _answer(self, command: Command, data: dict[str, Any]) -> None:
        job_id = getattr(command, "job_id", None)
        self.send(Result(id=command.id, command=command.command, job_id=job_id, data=data))

    def _acknowledge(self, command: Command, kind: str, message: str, jobs: list[str]) -> None:
        job_id = jobs[0] if len(jobs) == 1 else getattr(command, "job_id", None)
        data = {"kind": kind, "message": message, "jobs": jobs}
        self.send(Info(id=command.id, job_id=job_id, data=data))

    def _refuse(
        self, command: Command, code: str, message: str, retryable: bool, details: dict[str, Any]
    ) -> None:
        data = {"message": message, "code": code, "retryable": retryable, "details": details}
        self.send(Error(id=command.id, command=command.command, data=data))


def _ended(job_id: str) -> str:
    return f"Job {job_id} has ended already"


def _not(state: str, job_id: str | None) -> str:
    return f"Job {job_id} is not {state}" if job_id else f"No job is {state}"
