"""A host for tests: spawns the real worker, keeps all that it says, and never waits without a limit."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.tree import wait_until
from tests.faults import sayings
from tests.hold import Hold
from tests.limits import HANG_SECONDS

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spawn:
    """How a worker is to be started, beside what every one gets."""

    environment: Mapping[str, str] = field(default_factory=dict)
    wrapper: tuple[str, ...] = ()
    """A command line that the worker's is appended to: strace, prlimit."""
    command: tuple[str, ...] = (sys.executable, "-m", "ocr_worker")
    before_exec: Callable[[], None] | None = None
    stdout: int = subprocess.PIPE


class Worker:
    """A running worker with state, temp folder and log of its own under `home`."""

    def __init__(self, home: Path, spawn: Spawn | None = None) -> None:
        spawn = spawn or Spawn()
        self.home, self.temp, self.log = home, home / "tmp", home / "worker.log"
        self.state = Path(spawn.environment.get("OCR_WORKER_STATE_DIR", home / "state"))
        self.temp.mkdir(parents=True, exist_ok=True)
        environment = {"OCR_WORKER_STATE_DIR": str(self.state), "TMPDIR": str(self.temp), **spawn.environment}
        self.hold = Hold(home)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*spawn.wrapper, *spawn.command],
                stdin=subprocess.PIPE,
                stdout=spawn.stdout,
                stderr=log,
                env={**os.environ, **self.hold.environment(environment)},
                preexec_fn=spawn.before_exec,
            )
        self.events: list[Event] = []
        self._news: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        if self.process.stdout is not None:
            threading.Thread(target=self._read, daemon=True).start()

    def send(self, command: str, **fields: object) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"command": command, **fields}).encode("ascii") + b"\n")
        self.process.stdin.flush()

    def start_batch(self, files: Iterable[str | Path], output_dir: Path, **options: object) -> str:
        """Send a batch; its job_id once it is accepted, or the error as AssertionError."""
        self.send(
            "ocr_batch",
            id="b",
            files=[as_sent(f) for f in files],
            output_dir=str(output_dir),
            options=options,
        )
        event = self.wait(lambda e: e.get("id") == "b" and e["type"] in ("info", "error"))
        assert event["type"] == "info", event
        return str(event["job_id"])

    def batch(self, files: Iterable[str | Path], output_dir: Path, **options: object) -> Event:
        """Run a batch to its end; the data of its result."""
        return self.ended(self.start_batch(files, output_dir, **options))

    def ended(self, job_id: str, seconds: float = HANG_SECONDS) -> Event:
        """Wait for the terminal event of a job; its data."""
        event = self.wait(lambda e: e.get("job_id") == job_id and e["type"] in ("result", "error"), seconds)
        data: Event = event["data"]
        return data

    def ask(self, command: str, **fields: object) -> Event:
        """Send a command; its result or error."""
        self.send(command, id=command, **fields)
        return self.wait(lambda e: e.get("id") == command and e["type"] in ("result", "error"))

    def wait(self, wanted: Callable[[Event], bool], seconds: float = HANG_SECONDS) -> Event:
        """The next event of the kind."""
        end = time.monotonic() + seconds
        while True:
            try:
                event = self._news.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(
                    f"waited {seconds} s in vain; the log: {self.log_text()[-2000:]}"
                ) from None
            assert event is not None, f"the worker ended; the log: {self.log_text()[-2000:]}"
            if wanted(event):
                return event

    def exit_code(self, seconds: float = HANG_SECONDS) -> int:
        return self.process.wait(seconds)

    def page_processes(self) -> list[psutil.Process]:
        return [p for p in descendants(self.process.pid) if "page-process" in _command_line(p)]

    def log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """End it, by force if it takes long, with all that it started."""
        family = descendants(self.process.pid)
        with contextlib.suppress(OSError):
            assert self.process.stdin
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            event = json.loads(line)
            self.events.append(event)
            self._news.put(event)
        self._news.put(None)


@contextmanager
def running(home: Path, spawn: Spawn | None = None) -> Iterator[Worker]:
    worker = Worker(home, spawn)
    try:
        yield worker
        for event in worker.events:
            sayings.check(event)
    finally:
        worker.close()


def as_sent(file: str | Path) -> str:
    """A path as a host sends it: a URI where its bytes are not UTF-8."""
    try:
        str(file).encode("utf-8")
    except UnicodeEncodeError:
        return Path(file).as_uri()
    return str(file)


def descendants(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
    return []


def is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def wait_gone(processes: Sequence[psutil.Process]) -> None:
    wait_until(lambda: not any(map(is_alive, processes)), "processes are gone")


def codes(data: Event) -> dict[str, str]:
    """The failed files of a result by name, and why each failed."""
    return {Path(entry["file"]).name: entry["code"] for entry in data["failed"]}


def nothing_is_left(folder: Path, after: str = "") -> None:
    """No temporary file, however deep. A result waits for its manifest, but not for long: that one may be in the making."""
    with contextlib.suppress(AssertionError):
        wait_until(lambda: not left_behind(folder), "nothing is left")
    assert left_behind(folder) == [], after


def left_behind(folder: Path) -> list[str]:
    """Temporary files in a folder, however deep."""
    return [str(path) for path in folder.rglob("*") if path.name.endswith(".part")]


def _command_line(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []
