"""The life of a worker and all that is asked of it, for any face: futures, and jobs that outlive a crash.

Three threads and the callers' own: the reader hears the worker, the writer speaks to it, and the keeper has the clock:
it pings, restarts, and resumes. `_lock` guards what they share, and is never held while something is waited for.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTimeError
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal, cast

from ocr_client.conversation import Asked, Conversation
from ocr_client.errors import OcrError, WorkerGoneError
from ocr_client.metrics import Metrics
from ocr_client.process import Hearing, WorkerProcess
from ocr_client.run import Run, Said, Wish, counted
from ocr_client.settings import Settings
from ocr_client.wire_types import Event, HelloData

log = logging.getLogger(__name__)

State = Literal["idle", "running", "cancelled", "error"]
LOOK_SECONDS = 0.25
"""How often the keeper looks at the clock."""
RESUME_SECONDS = 15.0
"""How long a crashed worker may hold its jobs before one is given up."""

AT_WORK = {"queued", "running", "paused"}
"""States of a job of which more is to be heard."""


class Core:
    """Not started by itself: `start`."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._timing = settings, settings.timing
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._worker: WorkerProcess | None = None
        self._talk = Conversation(self._lock)
        self._begun, self._stopping, self._given_up = False, False, False
        self._restarts, self._restart_at = 0, 0.0
        self._started_at = self._pinged_at = 0.0
        self._question: Future[Any] | None = None
        """The ping that decides whether a silent worker is replaced."""
        self.hello: HelloData | None = None
        """What the worker of now said of itself."""
        self._keeper = threading.Thread(target=self._keep, name="ocr_client keeper", daemon=True)

    # For faces

    def start(self) -> HelloData:
        """Start a worker and greet it.

        Raises:
            WorkerGoneError: it can't be started, or does not answer.
            OcrError: it refuses us.
            RuntimeError: the client was started before.
        """
        with self._lock:
            if self._stopping:
                raise self._absence()
            if self._begun:
                raise RuntimeError("A client is started once")
            self._begun = True
        try:
            hello = self._start_worker()
        except BaseException:
            self._stopping = True
            self._end_worker()
            raise
        self._keeper.start()
        return hello

    def ask(self, command: str, /, **fields: object) -> Future[Event]:
        """Send a command; the future has its answer, or the OcrError that it was answered with.

        Raises:
            UnsendableError: it was not sent.
        """
        return cast("Future[Event]", self._send(Asked(command, None, {}), fields))

    def open(self, command: str, passwords: Mapping[str, str], /, **fields: object) -> Future[Run | None]:
        """Send a command that begins a run; None where nothing was left to do."""
        return cast("Future[Run | None]", self._send(Asked(command, None, passwords, opens=True), fields))

    def steer(self, run: Run, wish: Wish) -> Future[Event]:
        """Have a job paused, go on or end. A worker that dies meanwhile is no obstacle: the next one is told."""
        with self._lock:
            run.wish = wish
            if run.adrift:
                return _failed(self._absence())
        return self.ask("resume" if wish == "run" else wish, job_id=run.job_id)

    def cancel(self, job_id: str | None) -> Future[Event]:
        """Have a job end, be it another process's, or all of this worker."""
        with self._lock:
            for run in self._talk.runs.values():
                if job_id in (None, run.job_id):
                    run.wish = "cancel"
        return self.ask("cancel", job_id=job_id)

    @property
    def name(self) -> str:
        """Of the program."""
        return self._settings.name

    @property
    def state(self) -> State:
        with self._lock:
            if self._given_up:
                return "error"
            if self._talk.runs:
                return "running"
            return "cancelled" if self._talk.last_end == "cancelled" else "idle"

    @property
    def metrics(self) -> Metrics:
        with self._lock:
            return replace(self._talk.metrics)

    @property
    def worker_pid(self) -> int | None:
        with self._lock:
            return self._worker.pid if self._worker else None

    def stop(self) -> None:
        """End the worker and settle all that waits. It is never restarted after this."""
        with self._lock:
            self._stopping = True
            self._changed.notify_all()
        self._end_worker()
        self._talk.settle(WorkerGoneError("The client was stopped", retryable=False))
        self._talk.fail_runs(WorkerGoneError("The client was stopped; resume the job later", retryable=True))

    # Sending

    def _send(self, asked: Asked, fields: Mapping[str, object]) -> Future[Any]:
        asked.answer.set_running_or_notify_cancel()
        number, line = self._talk.worded(asked, fields)
        with self._lock:
            if self._worker is None or self._stopping:
                asked.answer.set_exception(self._absence())
            else:
                self._talk.expect(number, asked)
                self._worker.say(line)
        return asked.answer

    def _absence(self) -> WorkerGoneError:
        if self._stopping:
            return WorkerGoneError("The client was stopped", retryable=False)
        if self._given_up:
            return WorkerGoneError("The worker crashed again and again and was given up", retryable=False)
        return WorkerGoneError("The worker crashed and is being restarted")

    # Hearing: in the reader's thread

    def _hear(self, worker: WorkerProcess, line: bytes) -> None:
        with self._lock:
            is_known = worker is self._worker
        if is_known:
            self._talk.hear(line)

    def _ended(self, worker: WorkerProcess) -> None:
        """A worker is gone."""
        with self._lock:
            if worker is not self._worker:
                return
            self._worker, self._question = None, None
            if self._stopping:
                return
            self._talk.metrics.crashes += 1
            for run in self._talk.runs.values():
                run.adrift = True
            log.warning("the worker %s; its last words: %s", worker.how_it_ended(), worker.last_words)
            self._plan_restart()
        self._talk.settle(WorkerGoneError(f"The worker {worker.how_it_ended()}: {worker.last_words}"))
        if self._given_up:
            self._talk.fail_runs(self._absence())

    def _plan_restart(self) -> None:
        """After a backoff, or never: those before a minute of health count."""
        if time.monotonic() - self._started_at >= self._timing.healthy_seconds:
            self._restarts = 0
        if self._restarts >= len(self._timing.backoff_seconds):
            self._given_up = True
            return
        self._restart_at = time.monotonic() + self._timing.backoff_seconds[self._restarts]
        self._restarts += 1
        self._changed.notify_all()

    # Starting

    def _start_worker(self) -> HelloData:
        with self._lock:
            self._talk.begin()
            self._started_at = self._pinged_at = self._talk.heard_at
            self._talk.metrics.starts += 1
            try:
                # The lock keeps its first words until it is known here.
                worker = WorkerProcess(self._settings, Hearing(self._hear, self._ended))
            except OSError as error:
                command = self._settings.worker_command()[0]
                raise WorkerGoneError(
                    f"{command} can't be started: {error.strerror}", retryable=False
                ) from error
            self._worker = worker
        return self._greet(worker)

    def _greet(self, worker: WorkerProcess) -> HelloData:
        settings = self._settings
        client = {"name": settings.name, **({"version": settings.version} if settings.version else {})}
        answer = self.ask(
            "hello",
            protocol=[1],
            parent_pid=os.getpid(),
            client=client,
            progress_hz=settings.progress_hz,
            max_event_bytes=settings.max_event_bytes,
            on_stdin_end="shutdown",
            host_timeout_seconds=self._timing.host_timeout_seconds,
        )
        try:
            event = answer.result(self._timing.start_seconds)
        except WorkerGoneError as error:
            # It may have been gone before it was greeted.
            raise WorkerGoneError(f"The worker {worker.how_it_ended()}: {worker.last_words}") from error
        except NotInTimeError as error:
            seconds = self._timing.start_seconds
            raise WorkerGoneError(
                f"The worker did not answer within {seconds:g} s: {worker.last_words}"
            ) from error
        self.hello = cast("HelloData", event["data"])
        return self.hello

    def _end_worker(self) -> None:
        with self._lock:
            worker = self._worker
        if worker is not None:
            worker.stop()
        with self._lock:
            self._worker = None

    # Keeping: in a thread of its own

    def _keep(self) -> None:
        while self._rest(LOOK_SECONDS):
            with self._lock:
                worker, now = self._worker, time.monotonic()
                is_due = worker is None and now >= self._restart_at
            if is_due:
                self._restart()
            elif worker is not None:
                self._watch(worker, now)

    def _watch(self, worker: WorkerProcess, now: float) -> None:
        if self._question is not None and self._question.done():
            self._question = None
        silent = now - self._talk.heard_at
        if silent >= self._timing.silence_seconds and self._question is None:
            self._question, self._pinged_at = self._ping(), now
        elif self._question is not None and now - self._pinged_at >= self._timing.answer_seconds:
            log.warning("the worker has said nothing for %.0f s, and is replaced", silent)
            with self._lock:
                self._talk.metrics.silences += 1
                self._question = None
            worker.kill()
        elif self._question is None and now - self._pinged_at >= self._timing.ping_seconds:
            self._pinged_at = now
            self._ping()

    def _ping(self) -> Future[Event]:
        asked_at, answer = time.monotonic(), self.ask("ping")

        def note(done: Future[Event]) -> None:
            with self._lock, suppress(OcrError):
                told = cast("Said", done.result())["data"]
                self._talk.metrics.pings += 1
                self._talk.metrics.ping_seconds = time.monotonic() - asked_at
                self._talk.metrics.worker_rss_bytes = told["rss_bytes"]

        answer.add_done_callback(note)
        return answer

    def _restart(self) -> None:
        try:
            self._start_worker()
        except OcrError as error:
            log.warning("the worker can't be restarted: %s", error)
            self._start_failed()
            return
        with self._lock:
            left = list(self._talk.runs.values())
        for run in left:
            self._resume(run)

    def _start_failed(self) -> None:
        with self._lock:
            worker = self._worker
        if worker is not None:
            # Its end plans the next restart.
            worker.kill()
            return
        with self._lock:
            if self._restart_at <= time.monotonic() and not self._stopping:
                self._plan_restart()
            given_up = self._given_up
        if given_up:
            self._talk.fail_runs(self._absence())

    def _resume(self, run: Run) -> None:
        """Go on with a job that the crash has interrupted."""
        until, refusal = time.monotonic() + RESUME_SECONDS, None
        while time.monotonic() < until:
            refusal = self._resumed(run)
            # What is left of the old worker may still have it.
            if getattr(refusal, "code", "") not in {"job_active", "busy"}:
                break
            if not self._rest(LOOK_SECONDS):
                break
        # A worker that has died again is restarted, and then it is resumed again.
        if refusal is not None and not isinstance(refusal, WorkerGoneError):
            self._lose(run, refusal)

    def _resumed(self, run: Run) -> Exception | None:
        """Ask once to resume a run; why it was not."""
        try:
            if run.wish == "cancel":
                self._cancel_left(run)
            else:
                self._go_on(run)
        except (OcrError, NotInTimeError) as error:
            return error
        except Exception as error:
            log.exception("job %s could not be resumed", run.job_id)
            return error
        return None

    def _go_on(self, run: Run) -> None:
        fields = {"job_id": run.job_id, "passwords": dict(run.passwords) or None}
        answer = self._send(Asked("resume", run, run.passwords, opens=True), fields)
        if answer.result(RESUME_SECONDS) is None:
            self._settle(run)
        else:
            self._talk.metrics.jobs_resumed += 1
        with self._lock:
            run.adrift, wish = False, run.wish
        if wish != "run" and not run.ended:
            self.steer(run, wish)

    def _cancel_left(self, run: Run) -> None:
        """The crash came before the cancel was carried out; the store has it as interrupted."""
        self.ask("cancel", job_id=run.job_id).result(RESUME_SECONDS)
        if not self._settle(run):
            raise OcrError("job_active", "What is left of the last worker has not ended it yet")

    def _settle(self, run: Run) -> bool:
        """Of a job whose end was not heard, the store has the result; whether it has ended at all."""
        event = self.ask("get_job", job_id=run.job_id, limit=1).result(RESUME_SECONDS)
        details = cast("Said", event)["data"]
        if details["state"] in AT_WORK:
            return False
        data = counted(details)
        self._talk.ended(run, data["status"])
        run.complete(data)
        return True

    def _lose(self, run: Run, cause: Exception) -> None:
        with self._lock:
            self._talk.runs.pop(run.job_id, None)
        code = cause.code if isinstance(cause, OcrError) else "timeout"
        run.fail(
            OcrError(code, f"Job {run.job_id} could not be resumed after a crash: {cause}", retryable=True)
        )

    def _rest(self, seconds: float) -> bool:
        """Wait; whether there is still a worker to keep."""
        with self._lock:
            return not self._changed.wait_for(lambda: self._stopping or self._given_up, seconds)


def _failed(error: OcrError) -> Future[Any]:
    """An answer that will not come."""
    answer: Future[Any] = Future()
    answer.set_exception(error)
    return answer
