"""A page process: reads tasks, writes outcomes, dies with the worker. All that touches a user's file runs here."""

from __future__ import annotations

import gc
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_worker.errors import InternalError, OcrError, TooLargeError, no_space
from ocr_worker.model.tasks import Failure, Outcome, Task
from ocr_worker.processes import messages
from ocr_worker.processes.claim import Channel, claim
from ocr_worker.processes.parent_death import die_with, end_group

if TYPE_CHECKING:
    from ocr_worker.pages.executor import Workbench

NICENESS = 5
TASK_CPU_SECONDS = 900
MOST_FILE_BYTES = 2**35
MOST_OPEN_FILES = 256


def main(parent: int, cache_dir: Path, memory_limit_mib: int) -> int:
    """Serve until the worker, whose process id is `parent`, closes our stdin."""
    channel = claim()
    die_with(parent)
    _step_back()
    _limit(memory_limit_mib)
    # What imports make is no garbage, and stays: looking for some among it costs a twentieth of the start.
    gc.disable()
    # Late, so that fd 1 is claimed before any native library can print.
    from ocr_worker.pages.executor import Workbench

    bench = Workbench(cache_dir)
    for ticket, task in Orders(channel).tasks():
        _limit_time()
        _send(channel, messages.dump(ticket, run(bench, task)))
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
    return 0


def run(bench: Workbench, task: Task) -> Outcome:
    """Do one task; every error becomes a Failure. One of the two places that catch everything."""
    try:
        return bench.run(task)
    except OcrError as error:
        return Failure.of(error)
    except MemoryError:
        short = TooLargeError(
            f"{_name(task)} needs more memory than a page may take. Lower the dpi or max_pixels."
        )
        return Failure.of(short, {"traceback": traceback.format_exc()})
    except Exception as error:  # noqa: BLE001  # what a hostile file does to a library is that file's failure
        full = no_space(error, getattr(error, "filename", None) or "temporary files")
        return Failure.of(full) if full else _fault(task, error)


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
    """

    def __init__(self, channel: Channel) -> None:
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._channel, self._busy = channel, False
        threading.Thread(target=self._hear, daemon=True).start()

    def tasks(self) -> Iterator[tuple[int, Task]]:
        """One after the other with its ticket, to the end of the orders."""
        while line := self._lines.get():
            self._busy = True
            yield messages.load_task(line)
            self._busy = False

    def _hear(self) -> None:
        with os.fdopen(self._channel.stdin, "rb") as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put(b"")
        if self._busy:
            end_group()


def _send(channel: Channel, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(channel.stdout, rest) :]


def _step_back() -> None:
    if sys.platform != "win32":
        os.nice(NICENESS)


def _limit(memory_limit_mib: int) -> None:
    if sys.platform == "win32":
        return
    import resource

    for limit, most in (
        (resource.RLIMIT_AS, memory_limit_mib * 2**20),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, MOST_FILE_BYTES),
        (resource.RLIMIT_NOFILE, MOST_OPEN_FILES),
    ):
        _, hard = resource.getrlimit(limit)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # Some systems refuse a limit outright; a page without it is better than no page.
        with suppress(OSError, ValueError):
            resource.setrlimit(limit, (allowed, allowed))


def _limit_time() -> None:
    """Allow one more task's share of processor time. The worker's deadline comes first, unless the worker hangs."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(time.process_time()) + TASK_CPU_SECONDS
    allowed = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, hard))
