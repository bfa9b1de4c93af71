"""See and end the processes of one worker, wherever they were re-parented to: all carry its state folder in their environment."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from tests.limits import HANG_SECONDS


def alive(state: Path) -> list[psutil.Process]:
    """Every live process of the worker with this state folder; the dead that nobody has waited for do not count."""
    return [process for process in psutil.process_iter() if _belongs(process, state)]


def page_processes(state: Path) -> list[psutil.Process]:
    """Those for the pages of jobs."""
    return _with_duty(state, "pages")


def inspectors(state: Path) -> list[psutil.Process]:
    """Those for single questions."""
    return _with_duty(state, "questions")


def _with_duty(state: Path, duty: str) -> list[psutil.Process]:
    return [process for process in alive(state) if words(process)[-1:] == [duty]]


def named(state: Path, name: str) -> list[psutil.Process]:
    """The worker's processes that run a command of this name, or a script of it."""
    return [one for one in alive(state) if any(Path(word).name == name for word in words(one)[:2])]


def wait_until(condition: Callable[[], object], what: str, seconds: float = HANG_SECONDS) -> None:
    """Ask until it holds; fail when the time is up."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        pause.wait(0.01)


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.kill()


def stop(processes: list[psutil.Process]) -> None:
    """Have them do nothing, until they are resumed or killed."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.suspend()


def wait_at_rest(process: psutil.Process) -> None:
    """Until it waits for something. Windows does not tell that; there it has used no time between two looks."""

    def is_at_rest() -> bool:
        if sys.platform != "win32":
            return process.status() == psutil.STATUS_SLEEPING
        before = process.cpu_times()
        threading.Event().wait(0.5)
        return process.cpu_times() == before

    wait_until(is_at_rest, "it is at rest")


def wait_gone(state: Path) -> None:
    """The promise is 2 s, which `bench control` measures; here a loaded machine may take longer."""
    wait_until(lambda: not alive(state), f"processes left over: {alive(state)}")


def kill_all(state: Path) -> None:
    """End all of a worker's processes by force, until none is left."""

    def none_left() -> bool:
        left = alive(state)
        kill(left)
        return not left

    wait_until(none_left, "processes that can't be killed")


def _belongs(process: psutil.Process, state: Path) -> bool:
    try:
        dead = process.status() == psutil.STATUS_ZOMBIE
        return not dead and process.environ().get("OCR_WORKER_STATE_DIR") == str(state)
    except psutil.Error:
        return False


def words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def page_processes_of_this_process() -> list[psutil.Process]:
    """Page processes that a library in our own process has started."""
    return [
        child
        for child in psutil.Process().children()
        if "page-process" in words(child) and child.status() != psutil.STATUS_ZOMBIE
    ]
