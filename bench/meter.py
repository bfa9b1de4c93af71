"""Run a command and measure it: wall time, CPU time of the whole tree, memory of the whole tree as PSS over time."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import resource
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.25
"""A sample takes 6 ms of CPU time, which no contender should feel."""
KEPT_SAMPLES = 200
ORPHAN_SECONDS = 10
PR_SET_CHILD_SUBREAPER = 36
_CURRENT = re.compile(rb'"current":(\d+)')


@dataclass(frozen=True, slots=True)
class Command:
    """What to run; `stdin` is a file's content, as a script pipes it in."""

    argv: list[str]
    stdin: bytes = b""
    environment: dict[str, str] = field(default_factory=dict)
    limit_seconds: float = 7200
    own_clock: Path | None = None
    """A file to which the command writes what counts, where its preparations do not: see `write_clock`."""


Sample = tuple[float, float, int]
"""Seconds since the start, PSS of the tree in MB (10^6 bytes), pages done as far as a worker's events tell."""


@dataclass(frozen=True, slots=True)
class Run:
    seconds: float
    cpu_seconds: float
    peak_pss_bytes: int
    """Of the whole command, its preparations included."""
    samples: tuple[Sample, ...] = ()
    shrunk_pages: int | None = None
    """On how many pages the resolution gate was open, where the command tells."""


def measure(command: Command, log: Path) -> Run:
    """Run to the end. Raises RuntimeError with its last words when the command fails or takes too long."""
    _adopt_orphans()
    others = {child.pid for child in psutil.Process().children()}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command.argv,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**os.environ, **command.environment},
        )
    watch = _Watch(process.pid, log)
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
    _wait_for_orphans(others)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        last_words = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"{command.argv[:4]} ended with {process.returncode}: {last_words}")
    cpu_seconds = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    peak, samples = watch.peak_bytes, thinned(watch.samples, KEPT_SAMPLES)
    if command.own_clock:
        told = json.loads(command.own_clock.read_text(encoding="utf-8"))
        return Run(peak_pss_bytes=peak, samples=samples, **told)
    return Run(seconds, cpu_seconds, peak, samples)


def write_clock(path: Path, seconds: float, cpu_seconds: float, shrunk_pages: int | None = None) -> None:
    """For a command with a clock of its own: seconds by the wall, and of all its processes, within the part that counts."""
    told = {"seconds": seconds, "cpu_seconds": cpu_seconds, "shrunk_pages": shrunk_pages}
    path.write_text(json.dumps(told), encoding="utf-8")


def thinned(samples: list[Sample], most: int) -> tuple[Sample, ...]:
    """At most so many, each the highest of its stretch, so that no peak is lost."""
    step = -(-len(samples) // most) or 1
    stretches = (samples[at : at + step] for at in range(0, len(samples), step))
    return tuple(max(stretch, key=lambda sample: sample[1]) for stretch in stretches)


def _adopt_orphans() -> None:
    # Page processes that outlive their parent for a moment would take their CPU time with them to init.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait_for_orphans(others: set[int]) -> None:
    """Reap what the command left behind; `others` are children that we had before."""
    deadline = time.monotonic() + ORPHAN_SECONDS
    while time.monotonic() < deadline:
        left = {child.pid for child in psutil.Process().children()} - others
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.01)


class _Watch(threading.Thread):
    """Samples the PSS of a process tree, and the pages its log tells of, until told to stop."""

    def __init__(self, pid: int, log: Path) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.samples: list[Sample] = []
        self._root = psutil.Process(pid)
        self._log = log
        self._pages = 0
        self._over = threading.Event()

    def run(self) -> None:
        start = time.monotonic()
        with self._log.open("rb") as log:
            while not self._over.wait(SAMPLE_SECONDS):
                pss = tree_pss(self._root)
                self.peak_bytes = max(self.peak_bytes, pss)
                done = _CURRENT.findall(log.read())
                self._pages = int(done[-1]) if done else self._pages
                self.samples.append((time.monotonic() - start, pss / 1e6, self._pages))

    def stop(self) -> None:
        self._over.set()
        self.join()


def tree_pss(root: psutil.Process) -> int:
    """Memory of a process and all below it, shared pages counted once. RSS where the system knows no PSS."""
    total = 0
    for process in _tree(root):
        try:
            memory = process.memory_full_info()
            total += memory.pss if sys.platform == "linux" else memory.rss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total


def tree_cpu_seconds(root: psutil.Process) -> float:
    """CPU time of a process, of all below it, and of those that these have waited for."""
    total = 0.0
    for process in _tree(root):
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


def _tree(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
