"""Run jobs to their end in a runtime of its own, and handle Ctrl-C."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import TypeVar

from typing_extensions import Self

from ocr_worker.cli import exit_codes
from ocr_worker.cli.display import View, answer, say
from ocr_worker.cli.exit_codes import BatchBrokenError, EndedAtOnceError
from ocr_worker.cli.hooks import tell
from ocr_worker.cli.options import RunOptions, answer_json, json_text
from ocr_worker.cli.summary import summary
from ocr_worker.cli.terminal_text import command_line, shown
from ocr_worker.errors import OutputPermissionError
from ocr_worker.files.bounded import Look
from ocr_worker.jobs import queries
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.model.events import FileDone, JobEnded, JobFailed, ProgressMade, RunEnd
from ocr_worker.model.fields import batch_fields
from ocr_worker.model.jobs import JobId, JobRequest
from ocr_worker.model.results import Accepted, BatchResult, Progress
from ocr_worker.processes.guard import ending_signals
from ocr_worker.settings import Settings

Answer = TypeVar("Answer")
SIGNAL_SECONDS = 0.05
"""How often to check for signals."""
MANIFEST_SECONDS = 600.0
"""Longest wait for a manifest: a disk that hangs must not keep a command for ever."""


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
        if self.heard is not None and _is_hangup(number):
            return
        if self.heard is not None:
            raise KeyboardInterrupt
        self.heard = number


def _is_hangup(number: int | None) -> bool:
    return number is not None and number == getattr(signal, "SIGHUP", None)


class JobRunner:
    """A context manager, which ends page processes and closes the store."""

    def __init__(self, settings: Settings, signals: Signals, progress_seconds: float = 0.1) -> None:
        self.settings, self._signals = settings, signals
        self.runtime = Runtime(settings, progress_seconds=progress_seconds).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.runtime.close(at_once=isinstance(error, EndedAtOnceError))

    def batch(self, request: JobRequest, view: View) -> BatchResult:
        """Run a new job."""
        return self._follow(self.runtime.admit(request), view)

    def resume(self, job_id: JobId, passwords: dict[str, str], view: View) -> BatchResult | None:
        """Resume a job; None if nothing is left to do."""
        return self._again(self.runtime.call(lambda service: service.resume(job_id, passwords)), view)

    def retry(self, job_id: JobId, passwords: dict[str, str], view: View) -> BatchResult | None:
        """Retry the failed files of a job; None if no file failed."""
        return self._again(self.runtime.call(lambda service: service.retry_failed(job_id, passwords)), view)

    def look(self, call: Callable[[], Answer]) -> Answer | None:
        """What a look at disks of users comes to; None once a signal has come: a disk may never answer. Raises what it raised."""
        look = Look(call)
        while not look.wait(SIGNAL_SECONDS):
            if self._signals.heard is not None:
                return None
        return look.answer("The folder that is searched")

    @property
    def ended_by_signal(self) -> int:
        """The exit code of a command that a signal has ended before it had a job."""
        return 128 + (self._signals.heard or signal.SIGINT)

    def wait(self, seconds: float) -> None:
        """Wait, or until a signal comes."""
        end = time.monotonic() + seconds
        while self._signals.heard is None and time.monotonic() < end:
            time.sleep(SIGNAL_SECONDS)

    def _again(self, accepted: Accepted | None, view: View) -> BatchResult | None:
        return None if accepted is None else self._follow(accepted, view)

    def _follow(self, accepted: Accepted, view: View) -> BatchResult:
        job_id = accepted.job_id
        with view:
            try:
                run = self._watch(job_id, view)
            except KeyboardInterrupt as interrupt:
                go_on = command_line("resume", job_id)
                raise EndedAtOnceError(f"Ended at once. Go on with: {go_on}") from interrupt
        self.runtime.await_manifest(job_id, MANIFEST_SECONDS)
        return self.runtime.call(lambda service: queries.batch_result(service.store, job_id, run))

    def _watch(self, job_id: JobId, view: View) -> RunEnd:
        told, told_of = False, frozenset[str]()
        seen = self.runtime.call(lambda service: service.leases.get(job_id)).last_seq
        with self.runtime.subscribe(job_id, seen) as events:
            while True:
                match events.get(SIGNAL_SECONDS):
                    case JobEnded(_, run):
                        return run
                    case JobFailed(_, failure):
                        go_on = command_line("resume", job_id)
                        message = f"{failure.message} What is finished is kept; go on with: {go_on}"
                        raise BatchBrokenError(message, job_id, failure.code)
                    case FileDone() as done:
                        view.file(done.result)
                    case ProgressMade(_, progress):
                        view.progress(progress)
                        told_of = _tell_crew(progress, told_of, view)
                    case None:
                        pass
                if self._signals.heard is not None and not told:
                    told = True
                    view.note("Cancelling: what is finished is kept. Once more ends at once.")
                    self._stop(job_id, self._signals.heard)

    def _stop(self, job_id: JobId, signal_number: int) -> None:
        if signal_number == signal.SIGINT:
            self.runtime.call(lambda service: service.cancel(job_id))
        else:
            reason = signal.Signals(signal_number).name
            self.runtime.call(lambda service: service.interrupt(reason))


def _tell_crew(progress: Progress, told_of: frozenset[str], view: View) -> frozenset[str]:
    """Say once of each node that gets no pages why; who was told of."""
    refused = progress.crew.refused if progress.crew else ()
    for node in refused:
        if node.node not in told_of:
            view.note(f"The node {shown(node.node)} gets no pages: {shown(node.message)}")
    return told_of.union(node.node for node in refused)


def apart(settings: Settings, state_dir: Path) -> Settings:
    """The same settings with a temporary state folder, for work that leaves no job behind."""
    return replace(settings, state_dir=state_dir)


def end_run(options: RunOptions, result: BatchResult, interrupted_by: int | None) -> int:
    """Show the result of a run; return the exit code."""
    fields = {"job_id": result.job_id, **batch_fields(result)}
    try:
        _show(options, result, fields)
    except OutputPermissionError:
        # What ended the run is why nobody listens any more.
        if not _is_hangup(interrupted_by):
            raise
    finally:
        _tell(options.on_finish, fields)
    return exit_codes.of_result(result, interrupted_by)


def _show(options: RunOptions, result: BatchResult, fields: dict[str, object]) -> None:
    if options.as_json:
        answer_json(fields)
    elif not options.quiet or result.status != "completed":
        answer(summary(result))


@contextmanager
def breaks_told(options: RunOptions) -> Iterator[None]:
    """Call the hook if a run breaks, which has no result."""
    try:
        yield
    except BatchBrokenError as error:
        told = {"code": error.code, "message": error.message}
        _tell(options.on_finish, {"job_id": error.job_id, "status": "failed", "error": told})
        raise


def _tell(target: str | None, content: dict[str, object]) -> None:
    if target is not None and (trouble := tell(target, json_text(content).encode("ascii"))):
        say(shown(trouble))
