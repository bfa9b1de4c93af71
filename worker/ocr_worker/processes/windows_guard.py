"""The guard on Windows: a job object that ends with the worker, a countdown, and threads that see the host go."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import FrameType

from ocr_worker.processes.guard import Guard

if sys.platform == "win32":
    from ocr_worker.processes.windows import INVALID_PARAMETER, Countdown, Job, Watched, has_no_reader

assert sys.platform == "win32"


class JobGuard(Guard):
    """Page processes are in a job object: the system ends it with this process, however that comes."""

    def __init__(self, grace_seconds: float | None = None) -> None:
        """Without a grace this process is never ended by force. Raises OSError."""
        super().__init__()
        self._job = Job()
        self._countdown = None if grace_seconds is None else Countdown(grace_seconds)

    def adopt(self, pid: int) -> None:
        # One that has died by now needs no guard.
        with suppress(OSError):
            self._job.take(pid)

    def watch_parent(self, pid: int | None) -> None:
        if pid is not None and self._countdown is not None:
            # What can't be opened is gone, or not to be watched: ParentWatch tells.
            with suppress(OSError):
                self._countdown.start_after(Watched(pid))

    def end_within_grace(self) -> None:
        if self._countdown is not None:
            with suppress(OSError):
                self._countdown.start()


class ParentWatch:
    """Tells whether the host's process is still there; the system wakes us when it ends."""

    def __init__(self) -> None:
        self._process: Watched | None = None

    def gone(self, parent: int | None, wait_seconds: float) -> str | None:
        """Wait up to `wait_seconds`; why the host is gone, or None."""
        if parent is None:
            time.sleep(wait_seconds)
            return None
        return f"the host's process {parent} has ended" if self._has_ended(parent, wait_seconds) else None

    def _has_ended(self, pid: int, wait_seconds: float) -> bool:
        try:
            if self._process is None or self._process.pid != pid:
                self._process = Watched(pid)
        except OSError as error:
            # One that we may not open is there, as far as we can know.
            time.sleep(wait_seconds)
            return error.winerror == INVALID_PARAMETER
        return self._process.has_ended(wait_seconds)


class PipeWatch:
    """Tells whether somebody reads stdout. In a thread of its own: while we wait to write, the system tells nothing."""

    def __init__(self, stdout: int) -> None:
        self._stdout = stdout

    def gone(self, parent: int | None, wait_seconds: float) -> str | None:  # noqa: ARG002  # as every watch is asked
        """Wait `wait_seconds`; why the host is gone, or None."""
        time.sleep(wait_seconds)
        return "stdout has no reader" if has_no_reader(self._stdout) else None


def hear_signals_aside(numbers: Iterable[int], post: Callable[[int], None]) -> None:
    """Post signals from a thread: nothing wakes the main thread while it waits for a queue."""
    for number in numbers:
        # The wake-up pipe tells of them all.
        signal.signal(number, _leave_it)
    heard, tell = os.pipe()
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)

    def run() -> None:
        while told := os.read(heard, 1):
            post(told[0])

    threading.Thread(target=run, name="signals", daemon=True).start()


def _leave_it(_number: int, _frame: FrameType | None) -> None:
    """Not the default, which ends the process."""
