"""Watch the worker from a process of its own, and kill what is left when the worker cannot.

The guard is forked before there are threads. It needs nothing of the worker's interpreter: it hears signals through the
C-level wake-up pipe, sees the host go by polling, and sees the worker die by the end of its pipe.
Windows has no fork: `windows_guard` has what stands there for all of this.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ocr_worker.files.liveness import birth
from ocr_worker.processes.prctl import PR_SET_PDEATHSIG

POLL_SECONDS = 0.25


def ending_signals() -> tuple[int, ...]:
    """Those that order an end; that the terminal is gone is such an order, unless it was to be ignored when we were started (nohup)."""
    if sys.platform == "win32":
        # Ctrl-C, and Ctrl-Break, which also stands for a console that is closed and a user who leaves.
        return signal.SIGINT, signal.SIGTERM, signal.SIGBREAK
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return signal.SIGINT, signal.SIGTERM
    return signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def hear_signals(post: Callable[[int], None]) -> None:
    """Post each order to end."""
    if sys.platform == "win32":
        from ocr_worker.processes.windows_guard import hear_signals_aside

        hear_signals_aside(ending_signals(), post)
        return
    for number in ending_signals():
        signal.signal(number, lambda received, _: post(received))


@dataclass(frozen=True, slots=True)
class HostGone:
    """Nobody reads stdout any more, or the host's process is dead."""

    reason: str


class Guard:
    """The worker's end of the guard: tells it which processes are the worker's and when an end has been ordered."""

    def __init__(self, orders: int | None = None) -> None:
        self._orders = orders

    def adopt(self, pid: int) -> None:
        """End this process's group should the worker die."""
        self._say(f"+{pid}\n")

    def release(self, pid: int) -> None:
        self._say(f"-{pid}\n")

    def watch_parent(self, pid: int | None) -> None:
        """End with this process; None with none."""
        self._say(f"p{pid or 0}\n")

    def end_within_grace(self) -> None:
        """Start the time after which the worker is ended by force."""
        self._say("e0\n")

    def _say(self, order: str) -> None:
        """A guard that is stopped or gone holds up nobody: what it does not hear, the system does at our end."""
        if self._orders is not None:
            with suppress(OSError):
                os.write(self._orders, order.encode("ascii"))


def start_guard(stdout: int, grace_seconds: float) -> Guard:
    """Fork the guard, and wait a millisecond until it is on its own. Call before any thread exists and before heavy imports."""
    if sys.platform == "win32":
        from ocr_worker.processes.windows_guard import JobGuard

        return JobGuard(grace_seconds)
    read_orders, write_orders = os.pipe()
    read_wakeups, write_wakeups = os.pipe()
    read_ready, write_ready = os.pipe()
    worker, ending = os.getpid(), ending_signals()
    if os.fork() == 0:
        # Out of the worker's process group, which a host may kill as a whole.
        os.setsid()
        _ignore_terminal_signals()
        # This ends the wait for it.
        _close_all_but({1, 2, stdout, read_orders, read_wakeups})
        _wake_at_the_end_of_the_worker()
        _Watch(worker, read_orders, read_wakeups, stdout, grace_seconds, ending).run()
        os._exit(0)
    for theirs in (read_orders, read_wakeups, write_ready):
        os.close(theirs)
    os.read(read_ready, 1)
    os.close(read_ready)
    for ours in (write_orders, write_wakeups):
        os.set_blocking(ours, False)
    signal.set_wakeup_fd(write_wakeups, warn_on_full_buffer=False)
    return Guard(write_orders)


def guard_of_page_processes() -> Guard:
    """For a program that runs jobs itself and decides when it ends: it is never ended by force."""
    if sys.platform == "win32":
        from ocr_worker.processes.windows_guard import JobGuard

        return JobGuard()
    return Guard()


class Watch(Protocol):
    def gone(self, parent: int | None, wait_seconds: float) -> str | None:
        """Wait up to `wait_seconds`; why the host is gone, or None."""
        ...


def watch_host(stdout: int, parent: Callable[[], int | None], post: Callable[[HostGone], None]) -> None:
    """Post HostGone, from a thread, once stdout has no reader or the parent's process is dead; it may be posted for each."""

    def run(watch: Watch) -> None:
        while True:
            watched = parent()
            reason = watch.gone(watched, POLL_SECONDS)
            # A later `hello` may have let that parent go while we looked.
            if reason is not None and parent() == watched:
                post(HostGone(reason))
                return

    for watch in _watches(stdout):
        threading.Thread(target=run, args=(watch,), name="host", daemon=True).start()


def _watches(stdout: int) -> tuple[Watch, ...]:
    if sys.platform == "win32":
        from ocr_worker.processes.windows_guard import ParentWatch, PipeWatch

        return ParentWatch(), PipeWatch(stdout)
    return (HostWatch(stdout),)


class HostWatch:
    """Tells whether the host is still there, without writing to it."""

    def __init__(self, stdout: int, born: Callable[[int], str | None] = birth) -> None:
        self._born = born
        self._identity: tuple[int, str] | None = None
        if sys.platform != "win32":
            self._poll = select.poll()
            # No event is asked for: POLLERR, POLLHUP and POLLNVAL come unasked.
            self._poll.register(stdout, 0)

    def gone(self, parent: int | None, wait_seconds: float) -> str | None:
        """Wait up to `wait_seconds`; why the host is gone, or None."""
        if sys.platform != "win32" and self._poll.poll(wait_seconds * 1000):
            return "stdout has no reader"
        if parent is not None and not self._alive(parent):
            return f"the host's process {parent} has ended"
        return None

    def _alive(self, pid: int) -> bool:
        born = self._born(pid)
        if born is None:
            return False
        # The same pid with another birth is another process.
        if self._identity is None or self._identity[0] != pid:
            self._identity = (pid, born)
        return self._identity[1] == born


@dataclass(slots=True)
class _Watch:
    """The guard's own loop, in its own process."""

    worker: int
    orders: int
    wakeups: int
    stdout: int
    grace_seconds: float
    ending: tuple[int, ...]
    """The signals that order an end."""
    children: set[int] = field(default_factory=set)
    parent: int | None = None
    deadline: float | None = None
    pending: bytes = b""

    def run(self) -> None:
        host, inputs = HostWatch(self.stdout), [self.orders, self.wakeups]
        while not self._overdue():
            ready, _, _ = select.select(inputs, [], [], POLL_SECONDS)
            if self.orders in ready and not self._obey():
                break
            if self.wakeups in ready:
                self._hear_signal()
            if self.deadline is None and (host.gone(self.parent, 0) is not None or self._is_deaf()):
                self._start_grace()
        self._end_all()

    def _obey(self) -> bool:
        """Take in the worker's orders; False once the worker is dead."""
        chunk = os.read(self.orders, 4096)
        *lines, self.pending = (self.pending + chunk).split(b"\n")
        for line in lines:
            verb, number = line[:1], int(line[1:])
            if verb == b"+":
                self.children.add(number)
            elif verb == b"-":
                self.children.discard(number)
            elif verb == b"p":
                self.parent = number or None
            else:
                self._start_grace()
        return bool(chunk)

    def _hear_signal(self) -> None:
        if set(self.ending) & set(os.read(self.wakeups, 512)):
            self._start_grace()

    def _is_deaf(self) -> bool:
        """Whether an order to end waits for a worker that a dead disk holds in the kernel, where no handler runs."""
        return bool(undelivered(self.worker) & set(self.ending))

    def _start_grace(self) -> None:
        if self.deadline is None:
            self.deadline = time.monotonic() + self.grace_seconds

    def _overdue(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline

    def _end_all(self) -> None:
        """End the worker, should it still live, and then its children with all that they started."""
        if sys.platform == "win32":
            return
        if os.getppid() == self.worker:
            with suppress(OSError):
                os.kill(self.worker, signal.SIGKILL)
        for child in self.children:
            with suppress(OSError):
                os.killpg(child, signal.SIGKILL)


def undelivered(pid: int) -> set[int]:
    """Signals that were sent to a process, and that it has neither taken yet nor blocked; Linux alone tells."""
    sets = dict.fromkeys((b"SigPnd", b"ShdPnd", b"SigBlk"), 0)
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_bytes().splitlines():
            name, _, value = line.partition(b":")
            if name in sets:
                sets[name] = int(value, 16)
    waiting = (sets[b"SigPnd"] | sets[b"ShdPnd"]) & ~sets[b"SigBlk"]
    return {number for number in range(1, waiting.bit_length() + 1) if waiting >> (number - 1) & 1}


def _wake_at_the_end_of_the_worker() -> None:
    """Go on when it has ended, should somebody have stopped us."""
    if sys.platform == "linux":
        # Late, and in the guard alone: the worker says hello without it.
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGCONT)


def _close_all_but(kept: set[int]) -> None:
    low = 0
    for fd in sorted(kept):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, 4096)


def _ignore_terminal_signals() -> None:
    # The guard outlives the order to end: it is the one that sees it carried out.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
