"""Route commands in one table, and turn results and errors into events. Imported after `hello`, which does without all this."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from typing_extensions import assert_never

from ocr_protocol import Error, Event, Info, Result
from ocr_protocol.commands import (
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
from ocr_worker.errors import BusyError, InternalError, JobActiveError, OcrError
from ocr_worker.files.paths import absolute_path
from ocr_worker.jobs import queries
from ocr_worker.jobs.capabilities import rss_bytes
from ocr_worker.jobs.one_off import INSPECT_SECONDS, inspection
from ocr_worker.jobs.requests import Asked, job_request, local_passwords
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.jobs.service import JobService
from ocr_worker.model.fields import inspection_fields, job_fields, summary_fields
from ocr_worker.model.jobs import JobRequest
from ocr_worker.model.option_table import make_options
from ocr_worker.model.results import Accepted
from ocr_worker.model.tasks import InspectTask, Outcome, Source
from ocr_worker.stdio.hello import Session
from ocr_worker.stdio.job_events import EventPublisher, Origin
from ocr_worker.store.faults import meaning
from ocr_worker.store.job_store import JobStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Router:
    """Answers commands. Owns no state."""

    session: Session
    runtime: Runtime
    send: Callable[[Event], None]
    publisher: EventPublisher
    shut_down: Callable[[], None]
    """Ends this process at once."""

    @property
    def service(self) -> JobService:
        return self.runtime.service

    def route(self, command: Command) -> None:
        """Answer a command with at least one event. Never raises; one of two places that catch everything."""
        try:
            self._call(command)
        except Exception as error:  # noqa: BLE001  # logged where it is no OcrError
            self.refuse(command, error)

    def refuse(self, command: Command, error: BaseException) -> None:
        """Answer that it can't be done."""
        self.send(_refusal(command, error))

    def _call(self, command: Command) -> None:  # noqa: C901, PLR0912  # one table, as long as the list of commands
        match command:
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
                self._inspect(command)
            case Ping():
                self._ping(command)
            case Shutdown():
                self._shutdown(command)
            case Hello():
                raise TypeError("the app answers hello")
            case _:
                assert_never(command)

    def _batch(self, command: OcrBatch) -> None:
        accepted = self.service.admit(_job_request(command, self.session.client))
        accepted.add_done_callback(lambda done: self._admitted(command, done))

    def _admitted(self, command: OcrBatch, done: Future[Accepted]) -> None:
        if (error := done.exception()) is not None:
            self.refuse(command, error)
        else:
            self._accept(command, done.result())

    def _accept(self, command: OcrBatch | Resume | RetryFailed, accepted: Accepted) -> None:
        job_id, count = accepted.job_id, accepted.file_count
        self.publisher.expect(job_id, Origin(command.command, command.id))
        message = f"Accepted {count} file{'s' * (count != 1)}"
        data = {
            "kind": "accepted",
            "message": message,
            "file_count": count,
            "total_files": accepted.total_files,
        }
        self.send(Info(id=command.id, command=command.command, job_id=job_id, data=data))

    def _inspect(self, command: Inspect) -> None:
        source = Source(absolute_path(command.file), command.password)
        answer = self.runtime.ask_here(InspectTask(source), INSPECT_SECONDS)
        answer.add_done_callback(lambda done: self._inspected(command, source, done))

    def _inspected(self, command: Inspect, source: Source, done: Future[Outcome]) -> None:
        try:
            found = inspection(command.file, source, done.result())
        except OcrError as error:
            error.details["file"] = command.file
            self.refuse(command, error)
        else:
            self._answer(command, {**inspection_fields(found), "kind": "inspect"})

    def _cancel(self, command: Cancel) -> None:
        try:
            jobs = self.service.active(command.job_id)
        except JobActiveError as error:
            self._cancel_elsewhere(command, error)
            return
        if command.job_id is not None and not jobs:
            self._acknowledge(command, "cancel", self._cancel_ended(command.job_id), jobs)
            return
        # Said before it is done: nothing of a job may follow its terminal event.
        self._acknowledge(command, "cancel", "Cancellation requested", jobs)
        if jobs:
            self.service.cancel(command.job_id)

    def _cancel_elsewhere(self, command: Cancel, error: JobActiveError) -> None:
        assert command.job_id is not None
        self.service.leases.ask_to_cancel(command.job_id)
        whose = f" of process {pid}" if (pid := error.details.get("pid")) else ""
        self._acknowledge(command, "cancel", f"Cancellation requested{whose}", [command.job_id])

    def _cancel_ended(self, job_id: str) -> str:
        """Cancel a job that its worker's death has ended, so that no app resumes it; say what came of it."""
        leases = self.service.leases
        if leases.get(job_id).state != "interrupted":
            return _ended(job_id)
        leases.mark_cancelled(job_id)
        return f"Job {job_id} was interrupted, and is cancelled now"

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
        self._require_read(job_id)
        accepted = self.service.resume(job_id, local_passwords(command.passwords))
        if accepted is None:
            self._acknowledge(command, "resume", f"Job {job_id} is completed: nothing is left to do", [])
        else:
            self._accept(command, accepted)

    def _retry(self, command: RetryFailed) -> None:
        self._require_read(command.job_id)
        accepted = self.service.retry_failed(command.job_id, local_passwords(command.passwords))
        if accepted is None:
            self._acknowledge(command, "retry_failed", f"Job {command.job_id} has no failed files", [])
        else:
            self._accept(command, accepted)

    def _list(self, command: ListJobs) -> None:
        self.service.leases.find_interrupted()

        wanted = queries.Wanted(command.state, command.client)

        def read(store: JobStore) -> dict[str, Any]:
            jobs, total = queries.job_list(store, wanted, command.offset, command.limit)
            return {"kind": "jobs", "jobs": [summary_fields(job) for job in jobs], "total": total}

        self._report(command, read)

    def _get(self, command: GetJob) -> None:
        self.service.leases.get(command.job_id)

        def read(store: JobStore) -> dict[str, Any]:
            details = queries.job_details(store, command.job_id, command.offset, command.limit)
            return {"kind": "job", **job_fields(details)}

        self._report(command, read)

    def _report(self, command: Command, read: Callable[[JobStore], dict[str, Any]]) -> None:
        def make(store: Callable[[], JobStore]) -> Event:
            try:
                return _result(command, read(store()))
            except Exception as error:  # noqa: BLE001  # logged where it is no OcrError; the writer must live
                return _refusal(command, error)

        self.publisher.answer(make)

    def _delete(self, command: DeleteJob) -> None:
        self._require_read(command.job_id)
        self.service.leases.delete(command.job_id)
        message = f"Job {command.job_id} is deleted; its outputs stay"
        self._answer(command, {"kind": "deleted", "message": message})

    def _require_read(self, job_id: str) -> None:
        """Outcomes are read from the store when the host is ready: until it was given them all they must stay as they are."""
        if self.publisher.is_unread(job_id):
            raise BusyError(f"Job {job_id} has ended, but its result was not read yet. Try again after that.")

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
            self.shut_down()
        else:
            self.service.drain()

    def _answer(self, command: Command, data: dict[str, Any]) -> None:
        self.send(_result(command, data))

    def _acknowledge(self, command: Command, kind: str, message: str, jobs: list[str]) -> None:
        job_id = jobs[0] if len(jobs) == 1 else getattr(command, "job_id", None)
        data = {"kind": kind, "message": message, "jobs": jobs}
        self.send(Info(id=command.id, command=command.command, job_id=job_id, data=data))


def _job_request(command: OcrBatch, client: str | None) -> JobRequest:
    """The job that a command asks for. Raises LanguageMissingError, EngineMissingError."""
    sent, spelled = command.options, "options.{}".format
    options = make_options(sent.model_dump(exclude={"passwords"}), spelled)
    return job_request(
        Asked(command.files, command.output_dir, options, sent.passwords, command.priority, spelled, client)
    )


def _result(command: Command, data: dict[str, Any]) -> Result:
    job_id = getattr(command, "job_id", None)
    return Result(id=command.id, command=command.command, job_id=job_id, data=data)


def _refusal(command: Command, error: BaseException) -> Error:
    ours = _meaning(command, error)
    data = {**ours.to_fields(), "details": ours.details}
    return Error(id=command.id, command=command.command, data=data)


def _meaning(command: Command, error: BaseException) -> OcrError:
    if isinstance(error, OcrError):
        return error
    log.error("the command %s failed", command.command, exc_info=error)
    return meaning(error) or InternalError(
        f"The command {command.command} failed ({type(error).__name__}). The log on stderr has the details."
    )


def _ended(job_id: str | None) -> str:
    return f"Job {job_id} has ended already"


def _not(state: str, job_id: str | None) -> str:
    return f"Job {job_id} is not {state}" if job_id else f"No job is {state}"
