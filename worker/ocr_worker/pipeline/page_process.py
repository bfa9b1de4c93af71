"""A page process: reads tasks, writes outcomes, dies with the worker. All that touches a user's file runs here."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_worker.claim import Channel, claim
from ocr_worker.errors import OcrError, TooLargeError
from ocr_worker.pipeline import boundary
from ocr_worker.pipeline.tasks import Failure, Outcome, Task

if TYPE_CHECKING:
    from ocr_worker.pipeline.work import Workbench

NICENESS = 5
PR_SET_PDEATHSIG = 1


def main(parent: int, cache_dir: Path, memory_limit_mib: int) -> int:
    """Serve until the worker, whose process id is `parent`, closes our stdin."""
    channel = claim()
    _die_with(parent)
    _limit(memory_limit_mib)
    # Late, so that fd 1 is claimed before any native library can print.
    from ocr_worker.pipeline.work import Workbench

    bench = Workbench(cache_dir)
    for task in _tasks(channel):
        _send(channel, run(bench, task))
    return 0


def run(bench: Workbench, task: Task) -> Outcome:
    """Do one task; every error becomes a Failure. One of the two places that catch everything."""
    try:
        return bench.run(task)
    except OcrError as error:
        return Failure(error.code, error.message, error.retryable, error.details)
    except MemoryError:
        short = TooLargeError(
            f"{_name(task)} needs more memory than a page may take. Lower the dpi or max_pixels."
        )
        return Failure(short.code, short.message, short.retryable, {"traceback": traceback.format_exc()})
    except Exception as error:  # noqa: BLE001  # what a hostile file does to a library is that file's failure
        message = f"{_name(task)} could not be processed ({type(error).__name__}). The log on stderr has the details."
        return Failure("internal", message, retryable=False, details={"traceback": traceback.format_exc()})


def _name(task: Task) -> str:
    source = getattr(task, "source", None)
    return source.name if source else "The task"


def _tasks(channel: Channel) -> Iterator[Task]:
    with os.fdopen(channel.stdin, "rb") as lines:
        for line in lines:
            yield boundary.load_task(line)


def _send(channel: Channel, outcome: Outcome) -> None:
    line = memoryview(boundary.dump(outcome))
    while line:
        line = line[os.write(channel.stdout, line) :]


def _die_with(parent: int) -> None:
    """End this process when the worker's ends, however that happens."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    """The portable way to die with the parent; not verified on macOS and Windows here."""
    asleep = threading.Event()
    while os.getppid() == parent:
        asleep.wait(0.5)
    os._exit(1)


def _limit(memory_limit_mib: int) -> None:
    if sys.platform == "win32":
        return
    import resource

    size = memory_limit_mib * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
