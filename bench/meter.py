"""Run a command and measure it: wall time, CPU time of the whole tree, peak memory of the whole tree as PSS."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.1
ORPHAN_SECONDS = 5
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Command:
    """What to run; `stdin` is a file's content, as a script pipes it in."""

    argv: list[str]
    stdin: bytes = b""
    environment: dict[str, str] = field(default_factory=dict)
    limit_seconds: float = 1800
    own_clock: Path | None = None
    """A file to which the command writes the seconds that count, where its preparations do not."""


@dataclass(frozen=True, slots=True)
class Run:
    seconds: float
    cpu_seconds: float
    peak_pss_bytes: int


def measure(command: Command, log: Path) -> Run:
    """Run to the end. Raises RuntimeError with its last words when the command fails or takes too long."""
    _adopt_orphans()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command.argv,
            stdin=subprocess.PIPE,
            stdout=stderr,
            stderr=stderr,
            env={**os.environ, **command.environment},
        )
    watch = _PeakWatch(process.pid)
    watch.start()
    limit = threading.Timer(command.limit_seconds, process.kill)
    limit.start()
    assert process.stdin
    process.stdin.write(command.stdin)
    process.stdin.close()
    process.wait()
    seconds = time.monotonic() - start
    limit.cancel()
    watch.stop()
    _wait_for_orphans()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        last_words = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"{command.argv[:4]} ended with {process.returncode}: {last_words}")
    cpu_seconds = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    if command.own_clock:
        seconds = float(command.own_clock.read_text(encoding="utf-8"))
    return Run(seconds, cpu_seconds, watch.peak_bytes)


def _adopt_orphans() -> None:
    # Page processes that outlive their parent for a moment would take their CPU time with them to init.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait_for_orphans() -> None:
    deadline = time.monotonic() + ORPHAN_SECONDS
    while time.monotonic() < deadline:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            time.sleep(0.01)


class _PeakWatch(threading.Thread):
    """Samples the PSS of a process tree until told to stop."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self._root = psutil.Process(pid)
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, tree_pss(self._root))

    def stop(self) -> None:
        self._over.set()
        self.join()


def tree_pss(root: psutil.Process) -> int:
    """Memory of a process and all below it, shared pages counted once. RSS where the system knows no PSS."""
    total = 0
    try:
        tree = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in tree:
        try:
            memory = process.memory_full_info()
            total += memory.pss if sys.platform == "linux" else memory.rss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total
