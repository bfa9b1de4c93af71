"""Run a command and measure it: wall time, CPU time of the whole tree, peak memory of the whole tree as PSS."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Command:
    """What to run; `stdin` is a file's content, as a script pipes it in."""

    argv: list[str]
    stdin: bytes = b""
    environment: dict[str, str] = field(default_factory=dict)
    limit_seconds: float = 1800


@dataclass(frozen=True, slots=True)
class Run:
    seconds: float
    cpu_seconds: float
    peak_pss_bytes: int


def measure(command: Command, log: Path) -> Run:
    """Run to the end. Raises RuntimeError with its last words when the command fails or takes too long."""
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
    # wait4 counts all descendants that were waited for, so a pool's processes are in it.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    limit.cancel()
    watch.stop()
    if process.returncode:
        last_words = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"{command.argv[:4]} ended with {process.returncode}: {last_words}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, watch.peak_bytes)


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
