"""The page processes: each one spawned process and its pipe, so that one death is one slot's.

Owned by one thread. Each slot has a reader thread that only posts to that thread's inbox.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Union

import psutil

from ocr_worker.errors import CrashedError, PageTimeoutError
from ocr_worker.guard import Guard
from ocr_worker.pipeline import boundary
from ocr_worker.pipeline.tasks import Failure, Outcome, PageDone, PageSettings, Task, WarmTask
from ocr_worker.settings import MIB, Settings
from ocr_worker.sweep import make_temp_folder

log = logging.getLogger(__name__)

START = (
    "import sys; sys.path[:] = [place for place in sys.path if place];"
    " from ocr_worker.__main__ import main; sys.exit(main())"
)
"""Unlike `-m`, this imports nothing from the working directory, which may be anybody's. (`-P` needs Python 3.11.)"""
WARM_UP, WARM_UP_SECONDS = 0, 120
"""The ticket of every warm-up; those of tasks are above it."""
LEAVE_SECONDS = 2.0
KILL_SECONDS = 0.5
"""How long a killed process may take to be gone; one in the middle of a disk write takes a moment."""


@dataclass(frozen=True, slots=True)
class SlotSpoke:
    slot: Slot
    line: bytes


@dataclass(frozen=True, slots=True)
class SlotEnded:
    slot: Slot
    last_words: str


PoolMessage = Union[SlotSpoke, SlotEnded]


@dataclass(frozen=True, slots=True)
class TaskEnded:
    ticket: int
    outcome: Outcome


@dataclass(slots=True, eq=False)
class Slot:
    """One page process. `ticket` is the task in work; WARM_UP where there is none but that, None is idle."""

    process: subprocess.Popen[bytes]
    temp: Path
    """Its own folder for temporary files, which goes when the process does."""
    ticket: int | None = None
    deadline: float = 0.0
    limit_seconds: float = 0.0
    pages: int = 0
    idle_since: float = 0.0
    timed_out: bool = False
    stderr: deque[str] = field(default_factory=lambda: deque(maxlen=8))
    meter: psutil.Process | None = None
    """Kept: to make one takes longer than to read it."""

    def rss_bytes(self) -> int:
        """Resident memory; 0 when that can't be read."""
        try:
            self.meter = self.meter or psutil.Process(self.process.pid)
            return int(self.meter.memory_info().rss)
        except psutil.Error:
            return 0


class PagePool:
    """Runs tasks in at most `size` page processes, each of which can be killed without the others noticing."""

    def __init__(
        self, size: int, settings: Settings, guard: Guard, post: Callable[[PoolMessage], None]
    ) -> None:
        self.size, self.deaths, self.recycled = size, 0, 0
        self._settings, self._guard, self._post = settings, guard, post
        self._slots: list[Slot] = []
        self._leaving: dict[Slot, float] = {}
        """Processes that were let go, and when they are ended by force."""

    def free(self) -> int:
        """How many tasks can be started now."""
        return self.size - len(self.tickets())

    def tickets(self) -> set[int]:
        """The tasks in work."""
        return {slot.ticket for slot in self._slots if slot.ticket}

    def warm(self, count: int, settings: PageSettings | None) -> None:
        """Have up to `count` processes ready, with engine and model loaded where settings name them."""
        for _ in range(min(count, self.size) - len(self._slots)):
            self._give(self._spawn(), WARM_UP, WarmTask(settings), WARM_UP_SECONDS)

    def start(self, ticket: int, task: Task, limit_seconds: float) -> None:
        """Start a task; needs a free slot. Its end comes as TaskEnded from `handle` or `tick`, at the latest at its limit."""
        for slot in [slot for slot in self._slots if slot.ticket is None and slot.process.poll() is not None]:
            # It died at rest; its reader has not said so yet.
            self._forget(slot)
        idle = [slot for slot in self._slots if slot.ticket is None]
        warming = [slot for slot in self._slots if slot.ticket == WARM_UP]
        if idle:
            slot = idle[-1]
        elif len(self._slots) < self.size:
            slot = self._spawn()
        else:
            # Its pipe holds the task until the warm-up is over.
            slot = warming[0]
        self._give(slot, ticket, task, limit_seconds)

    def kill(self, tickets: set[int]) -> None:
        """End tasks at once; nothing more is heard of them, and they write no more."""
        killed = [slot for slot in self._slots if slot.ticket in tickets]
        for slot in killed:
            self._remove(slot)
        for slot in killed:
            with suppress(subprocess.TimeoutExpired):
                slot.process.wait(KILL_SECONDS)

    def owns(self, message: PoolMessage) -> bool:
        """Whether it comes from one of this pool's processes."""
        return message.slot in self._slots or message.slot in self._leaving

    def handle(self, message: PoolMessage) -> TaskEnded | None:
        slot = message.slot
        if slot in self._leaving and isinstance(message, SlotEnded):
            del self._leaving[slot]
            self._guard.release(slot.process.pid)
        if slot not in self._slots:
            return None
        if isinstance(message, SlotEnded):
            return self._bury(slot, message.last_words)
        try:
            ticket, outcome = boundary.load_outcome(message.line)
        except (ValueError, KeyError, TypeError, RecursionError):
            return self._astray(slot, "answered with something that is no outcome")
        if ticket == WARM_UP:
            self._warmed(slot, outcome)
            return None
        if ticket != slot.ticket:
            return self._astray(slot, "answered what it was not asked")
        return self._finish(slot, outcome)

    def tick(self) -> None:
        """Kill what is overdue; let go what is idle for long. The ends come through the slots' pipes."""
        now = time.monotonic()
        for slot in self._slots[:]:
            if slot.ticket is not None and now >= slot.deadline and not slot.timed_out:
                slot.timed_out = True
                _kill_group(slot.process)
            elif slot.ticket is None and now - slot.idle_since >= self._settings.idle_seconds:
                self._retire(slot)
        for slot, deadline in self._leaving.items():
            if now >= deadline:
                _kill_group(slot.process)
                self._leaving[slot] = now + LEAVE_SECONDS

    def next_tick(self) -> float | None:
        """When `tick` has something to do, on the monotonic clock."""
        idle = self._settings.idle_seconds
        times = [
            slot.idle_since + idle if slot.ticket is None else slot.deadline
            for slot in self._slots
            if not slot.timed_out
        ]
        return min([*times, *self._leaving.values()], default=None)

    def touch(self) -> None:
        """Count the idle time of all processes from now."""
        for slot in self._slots:
            slot.idle_since = time.monotonic()

    def rss_bytes(self) -> int:
        """Resident memory of all page processes together."""
        return sum(slot.rss_bytes() for slot in self._slots)

    def close(self) -> None:
        """End all processes, by force."""
        for slot in self._slots[:]:
            self._remove(slot)
        for slot in self._leaving:
            _kill_group(slot.process)

    def _give(self, slot: Slot, ticket: int, task: Task, limit_seconds: float) -> None:
        slot.ticket, slot.limit_seconds = ticket, limit_seconds
        slot.deadline = time.monotonic() + limit_seconds
        assert slot.process.stdin is not None
        # A process that has died meanwhile is reported by its reader.
        with suppress(OSError):
            slot.process.stdin.write(boundary.dump(ticket, task))
            slot.process.stdin.flush()

    def _warmed(self, slot: Slot, outcome: Outcome) -> None:
        """A warm-up that failed costs nothing: the first task says so as well, and there somebody listens."""
        if isinstance(outcome, Failure):
            log.warning("page process %d is not warm: %s", slot.process.pid, outcome.message)
        # It may have been given a task meanwhile.
        if slot.ticket == WARM_UP:
            slot.ticket, slot.idle_since = None, time.monotonic()

    def _astray(self, slot: Slot, how: str) -> TaskEnded | None:
        self._remove(slot)
        return self._ended(slot, _crash(how))

    def _finish(self, slot: Slot, outcome: Outcome) -> TaskEnded | None:
        slot.pages += isinstance(outcome, PageDone)
        ended = self._ended(slot, outcome)
        slot.ticket, slot.idle_since = None, time.monotonic()
        if slot.pages >= self._settings.recycle_pages or slot.rss_bytes() > self._settings.recycle_mib * MIB:
            self.recycled += 1
            self._retire(slot)
        return ended

    def _bury(self, slot: Slot, last_words: str) -> TaskEnded | None:
        self._remove(slot)
        self.deaths += 1
        if slot.timed_out:
            late = PageTimeoutError(
                f"no result within {slot.limit_seconds:g} seconds; allow more time, or lower the dpi"
            )
            return self._ended(slot, Failure(late.code, late.message, late.retryable))
        how = _how_it_ended(slot.process.returncode)
        log.warning("page process %d %s; its last words: %s", slot.process.pid, how, last_words)
        return self._ended(slot, _crash(how, _signal_name(slot.process.returncode)))

    def _ended(self, slot: Slot, outcome: Outcome) -> TaskEnded | None:
        return TaskEnded(slot.ticket, outcome) if slot.ticket else None

    def _spawn(self) -> Slot:
        temp = make_temp_folder(self._settings.temp_dir)
        process = subprocess.Popen(
            _command(self._settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(temp),
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._guard.adopt(process.pid)
        slot = Slot(process, temp, idle_since=time.monotonic())
        self._slots.append(slot)
        threading.Thread(target=self._read, args=(slot,), name=f"page {process.pid}", daemon=True).start()
        return slot

    def _read(self, slot: Slot) -> None:
        assert slot.process.stdout is not None
        assert slot.process.stderr is not None
        drain = threading.Thread(target=_drain, args=(slot.process.stderr, slot.stderr), daemon=True)
        drain.start()
        with slot.process.stdout as lines:
            for line in lines:
                self._post(SlotSpoke(slot, line))
        slot.process.wait()
        shutil.rmtree(slot.temp, ignore_errors=True)
        drain.join(1)
        self._post(SlotEnded(slot, " | ".join(slot.stderr)))

    def _retire(self, slot: Slot) -> None:
        """Let an idle process go: it ends when its stdin does, or by force should it be stuck."""
        self._slots.remove(slot)
        self._leaving[slot] = time.monotonic() + LEAVE_SECONDS
        assert slot.process.stdin is not None
        with suppress(OSError):
            slot.process.stdin.close()

    def _remove(self, slot: Slot) -> None:
        _kill_group(slot.process)
        self._forget(slot)

    def _forget(self, slot: Slot) -> None:
        self._slots.remove(slot)
        self._guard.release(slot.process.pid)


def _command(settings: Settings) -> list[str]:
    start = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-c", START]
    return [*start, "page-process", str(os.getpid()), str(settings.cache_dir), str(settings.memory_limit_mib)]


def _environment(temp: Path) -> dict[str, str]:
    environment = dict(os.environ, OMP_THREAD_LIMIT="1", TMPDIR=str(temp), TEMP=str(temp), TMP=str(temp))
    # PyInstaller points the loader at its own folder; our children need the system's again.
    if "LD_LIBRARY_PATH_ORIG" in environment:
        environment["LD_LIBRARY_PATH"] = environment.pop("LD_LIBRARY_PATH_ORIG")
    return environment


def _drain(stderr: IO[bytes], kept: deque[str]) -> None:
    """Keep the last words of a page process, so that it never blocks on a full stderr."""
    with stderr:
        while line := stderr.readline(500):
            kept.append(line.decode("utf-8", "replace").strip())


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _crash(how: str, signal_name: str | None = None) -> Failure:
    error = CrashedError(
        f"the page's process {how}; try again with more memory free, or take the page out of the file"
    )
    return Failure(error.code, error.message, error.retryable, {"signal": signal_name} if signal_name else {})


def _how_it_ended(code: int | None) -> str:
    name = _signal_name(code)
    return f"was ended by {name}" if name else f"ended with exit code {code}"


def _signal_name(code: int | None) -> str | None:
    return signal.Signals(-code).name if code is not None and code < 0 else None
