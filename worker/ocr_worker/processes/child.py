"""A page process: reads tasks, writes outcomes, dies with the worker. All that touches a user's file runs here."""

from __future__ import annotations

import errno
import gc
import os
import queue
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_worker.engines import heap
from ocr_worker.errors import CorruptError, InternalError, OcrError, TooLargeError, is_of_data, no_space
from ocr_worker.model.tasks import Confine, Failure, InspectTask, OpenTask, Outcome, PageTask, Task, WarmTask
from ocr_worker.processes import messages, sandbox
from ocr_worker.processes.claim import Channel, claim
from ocr_worker.processes.limits import Limits
from ocr_worker.processes.parent_death import die_with, end_group

if TYPE_CHECKING:
    from ocr_worker.pages.executor import Workbench

_READING = (OpenTask, PageTask, InspectTask)
"""Tasks in which nothing but a user's file is read."""
REST_SECONDS = 1.0
"""Without an order: there may be none for long, and what pages have left of memory is given back."""
_LIBRARIES = WarmTask()
"""The only task for a process that is not confined yet: it touches nothing of a user."""


def main(parent: int, memory_limit_mib: int, duty: str = "pages") -> int:
    """Serve until the worker, whose process id is `parent`, closes our stdin.

    Somebody waits for what a process with the duty `questions` finds: it gives way to others less.
    """
    channel = claim()
    die_with(parent)
    limits = Limits(memory_limit_mib * 2**20, gives_way=duty == "pages")
    limits.begin()
    # What imports make is no garbage, and stays: looking for some among it costs a twentieth of the start.
    gc.disable()
    # Late, so that fd 1 is claimed before any native library can print.
    from ocr_worker.pages.executor import Workbench

    # Said outright: from a folder that is full Python would turn to one that is everybody's.
    tempfile.tempdir = os.environ["TMPDIR"]
    temp = Path(tempfile.tempdir)
    # Some look for programs, libraries and settings in the working directory, and that of the worker may be anybody's.
    os.chdir(temp)
    bench = Workbench(temp)
    for ticket, task in Orders(channel, temp, limits).tasks():
        limits.allow_task()
        _send(channel, messages.dump(ticket, run(bench, task)))
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
    return 0


def run(bench: Workbench, task: Task) -> Outcome:
    """Do one task; every error becomes a Failure. One of the two places that catch everything."""
    try:
        return bench.run(task)
    except sandbox.CommandNeededError:
        return Failure(messages.NEEDS_COMMAND, f"{_name(task)} needs a command", retryable=True)
    except OcrError as error:
        return _failed(error)
    except MemoryError:
        short = TooLargeError(
            f"{_name(task)} needs more memory than a page may take. Lower `dpi` or `max_pixels`."
        )
        return Failure.of(short, {"traceback": traceback.format_exc()})
    except Exception as error:  # noqa: BLE001  # what a hostile file does to a library is that file's failure
        full = no_space(error, getattr(error, "filename", None) or "temporary files")
        if full:
            return _failed(full)
        is_damage = is_of_data(error) and isinstance(task, _READING)
        return _damage(task, error) if is_damage else _fault(task, error)


def _failed(error: OcrError) -> Failure:
    refused = isinstance(error.__cause__, PermissionError) and error.__cause__.errno == errno.EACCES
    return Failure.of(error, {**error.details, **({messages.REFUSED: True} if refused else {})})


def _damage(task: Task, error: Exception) -> Failure:
    message = (
        f"{_name(task)} holds something that can't be read ({type(error).__name__}); get the file again, or print it to"
        " a PDF. The log on stderr has the details."
    )
    return Failure.of(CorruptError(message), {"traceback": traceback.format_exc()})


def _fault(task: Task, error: Exception) -> Failure:
    message = (
        f"{_name(task)} could not be processed ({type(error).__name__}). The log on stderr has the details."
    )
    return Failure.of(InternalError(message), {"traceback": traceback.format_exc()})


def _name(task: Task) -> str:
    source = getattr(task, "source", None)
    return source.name if source else "The task"


class Orders:
    """The worker's orders, heard by a thread even while a task is in work: when they end in mid-task, the worker is dead.

    The portable way to die with the worker, not verified on macOS and Windows; on Linux the system is there first.
    Before the process is confined there is no thread, as the kernel confines the one that asks and those it starts.
    """

    def __init__(self, channel: Channel, temp: Path, limits: Limits) -> None:
        self._temp, self._limits = temp, limits
        self._stream = os.fdopen(channel.stdin, "rb")
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._confined = self._busy = False

    def tasks(self) -> Iterator[tuple[int, Task]]:
        """One after the other with its ticket, to the end of the orders."""
        while line := self._next() if self._confined else self._stream.readline():
            ticket, order = messages.load_task(line)
            if not self._confined and order != _LIBRARIES:
                self._confine(order if isinstance(order, Confine) else Confine())
            if not isinstance(order, Confine):
                self._busy = True
                yield ticket, order
                self._busy = False

    def _next(self) -> bytes:
        try:
            return self._lines.get(timeout=REST_SECONDS)
        except queue.Empty:
            heap.give_back()
            return self._lines.get()

    def _confine(self, to: Confine) -> None:
        if to.writes:
            # Python may keep what it compiles for the next process, which it could not from now on.
            # What fails here fails the task that needs it, and there somebody listens.
            with suppress(Exception):
                import ocr_worker.pages.compose
                import ocr_worker.pages.page  # noqa: F401
        from ocr_worker.engines.commands import page_commands

        commands = page_commands() if to.commands else None
        # Not earlier: by now the worker has put us into a job object of its own, and ours is to lie within that.
        self._limits.close(commands)
        for undone in sandbox.confine(to.writes, str(self._temp), commands):
            sys.stderr.write(f"not confined by {undone}\n")
        self._confined = True
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self) -> None:
        with self._stream:
            for line in self._stream:
                self._lines.put(line)
        self._lines.put(b"")
        if self._busy:
            end_group()


def _send(channel: Channel, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(channel.stdout, rest) :]
