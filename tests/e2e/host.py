"""A host of the worker as tests need one: every wait is bounded, and all that the worker says is held to the protocol."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from ocr_protocol import ANSWERS
from ocr_protocol.answers import OF_A_JOB
from ocr_protocol.schema import event_adapter
from ocr_worker.store.job_store import JobStore
from tests.e2e import tree
from tests.hold import Hold
from tests.limits import HANG_SECONDS
from tests.pipes import has_news

Event = dict[str, Any]
StartWorker = Callable[..., "Host"]
OF_A_RUN = {"progress", "file_started", "file_done", "paused", "heartbeat", "batch"}
ENDS = {"batch", "error"}
SELDOM_HZ = 0.001
"""More seldom than any job here is long: of its progress only the first and the last are told."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How the worker is started, where that is not the usual way."""

    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = (sys.executable, "-m", "ocr_worker")
    cwd: Path | None = None
    stderr: int | IO[bytes] | None = None
    flags: int = 0
    """Of Windows."""


class Host:
    """One worker under `folder`, and what it has said. Reads at once unless `reading` is cleared."""

    def __init__(self, folder: Path, launch: Launch | None = None) -> None:
        launch = launch or Launch()
        folder.mkdir(parents=True, exist_ok=True)
        self.state, self.log, self.hold = folder / "state", folder / "stderr.log", Hold(folder)
        self.events: list[Event] = []
        self.reading = threading.Event()
        self.reading.set()
        self._news, self._asked, self._stores = threading.Condition(), 0, list[JobStore]()
        self._ledger, self._abandoned = Ledger(), threading.Event()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                launch.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=launch.cwd or folder,
                creationflags=launch.flags,
                stderr=log if launch.stderr is None else launch.stderr,
                env={
                    **os.environ,
                    "OCR_WORKER_STATE_DIR": str(self.state),
                    **self.hold.environment(launch.environment),
                },
            )  # fmt: skip
        assert self.process.stdin
        assert self.process.stdout
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def send(self, command: str, **fields: object) -> None:
        self.send_bytes(json.dumps({"command": command, **fields}).encode("ascii") + b"\n")

    def send_bytes(self, lines: bytes) -> None:
        self.stdin.write(lines)
        self.stdin.flush()

    def ask(self, command: str, **fields: object) -> Event:
        """Send a command and return its first answer."""
        self._asked += 1
        asked = f"{command}-{self._asked}"
        self.send(command, id=asked, **fields)
        return self.wait(lambda event: event.get("id") == asked, f"an answer to {command}")

    def batch(self, files: Iterable[Path], output_dir: Path, priority: int = 0, **options: Any) -> str:
        """Send a batch; the id of the job once it is accepted."""
        answer = self.ask(
            "ocr_batch",
            files=[str(file) for file in files],
            output_dir=str(output_dir),
            priority=priority,
            options=options,
        )
        assert answer["type"] == "info", answer
        return str(answer["job_id"])

    def wait(self, match: Callable[[Event], bool], what: str, seconds: float = HANG_SECONDS) -> Event:
        """The first event that matches, of all that came or come."""
        deadline, seen = time.monotonic() + seconds, 0
        with self._news:
            while True:
                for event in self.events[seen:]:
                    if match(event):
                        return event
                seen = len(self.events)
                assert self._reader.is_alive(), f"the worker ended before {what}: {self.last_words()}"
                assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s; {self.last_words()}"
                self._news.wait(0.2)

    def of(self, job_id: str, kind: str) -> list[Event]:
        """A job's events of a kind, or of the type progress."""
        with self._news:
            return [event for event in self.events if event.get("job_id") == job_id and _kind(event) == kind]

    def wait_of(self, job_id: str, kind: str) -> None:
        self.wait(lambda _: bool(self.of(job_id, kind)), f"{kind} of job {job_id}")

    def wait_file_done(self, job_id: str, count: int = 1) -> None:
        self.wait(lambda _: len(self.of(job_id, "file_done")) >= count, f"file_done number {count}")

    def wait_end(self, job_id: str, runs: int = 1) -> Any:
        """The data of the job's terminal event, or of that of a later run."""
        what = f"the end of job {job_id}"
        self.wait(lambda _: len(self.of(job_id, "batch")) >= runs, what)
        return self.of(job_id, "batch")[runs - 1]["data"]

    def wait_in_work(self, job_id: str, number: int, page: int = 1) -> None:
        """Wait until a page process has been given the page: only the store can tell this between two events."""

        def in_work() -> bool:
            return any(
                one.page == page and one.attempts == 1 and one.status is None
                for one in self.store.pages(job_id, number)
            )

        tree.wait_until(in_work, f"page {page} of file {number} in work")

    @property
    def store(self) -> JobStore:
        if not self._stores:
            self._stores.append(JobStore(self.state))
        return self._stores[0]

    def exit_code(self, seconds: float = HANG_SECONDS) -> int:
        """Wait for the worker's end, and read all that it said before it."""
        code = self.process.wait(seconds)
        self._reader.join(HANG_SECONDS)
        return code

    def stop_reading(self) -> None:
        """Close our end of the worker's stdout, as the death of a host does."""
        self._abandoned.set()
        self._reader.join(HANG_SECONDS)
        self.stdout.close()

    def cpu_seconds(self) -> float:
        """Processor time of the worker's main process."""
        return sum(psutil.Process(self.process.pid).cpu_times()[:2])

    def last_words(self) -> str:
        log = self.log.read_text(encoding="utf-8", errors="replace")[-1500:]
        return f"last event {self.events[-1:]}, log {log!r}"

    def close(self) -> None:
        """End everything by force, and fail if anything the worker said broke the protocol."""
        self.reading.set()
        for store in self._stores:
            store.close()
        tree.kill_all(self.state)
        self.process.wait(HANG_SECONDS)
        self._reader.join(HANG_SECONDS)
        for stream in (self.stdin, self.stdout):
            with suppress(OSError):
                stream.close()
        assert not self._ledger.faults, self._ledger.faults

    def _read(self) -> None:
        pending = b""
        while not self._abandoned.is_set():
            if not self.reading.is_set() or not has_news(self.stdout, 0.05):
                self._abandoned.wait(0.01)
                continue
            chunk = os.read(self.stdout.fileno(), 65536)
            if not chunk:
                return
            *lines, pending = (pending + chunk).split(b"\n")
            with self._news:
                for line in lines:
                    self._ledger.take(line, self.events)
                self._news.notify_all()


class Ledger:
    """Holds what the worker says to the protocol: events of the schema, counted without gap, percent that never falls,
    and nothing of a run after its one terminal event."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._adapter = event_adapter()
        self._seq = 0
        self._open = set[str]()
        """Jobs of which a run has begun and not ended."""
        self._percent: dict[str, float] = {}

    def take(self, line: bytes, events: list[Event]) -> None:
        try:
            self._adapter.validate_json(line)
            event: Event = json.loads(line.decode("ascii"))
        except ValueError as error:
            self.faults.append(f"{line[:200]!r}: {error}")
            return
        self._seq += 1
        self._check(event)
        events.append(event)

    def _check(self, event: Event) -> None:
        job_id, kind = str(event.get("job_id")), _kind(event)
        if event["seq"] != self._seq:
            self.faults.append(f"seq {event['seq']} where {self._seq} is due")
        self._check_envelope(event, kind)
        if kind == "accepted":
            self._open.add(job_id)
        elif kind in OF_A_RUN and "job_id" in event and job_id not in self._open:
            self.faults.append(f"after the end of its run: {event}")
        elif kind == "progress":
            self._check_percent(job_id, event["data"]["percent"])
        elif kind in ENDS:
            self._open.discard(job_id)
            if event["data"].get("status") == "completed":
                # What is done anew of a completed job has a way of its own to go.
                self._percent.pop(job_id, None)

    def _check_envelope(self, event: Event, kind: str) -> None:
        if kind in OF_A_JOB and "job_id" not in event:
            self.faults.append(f"of no job: {event}")
        if event["type"] == "info" and "command" in event and kind not in ANSWERS[event["command"]].kinds:
            self.faults.append(f"no answer to {event['command']}: {event}")

    def _check_percent(self, job_id: str, percent: float) -> None:
        if percent < self._percent.get(job_id, 0.0):
            self.faults.append(f"percent of {job_id} fell from {self._percent[job_id]} to {percent}")
        self._percent[job_id] = percent


def _kind(event: Event) -> str:
    return str(event["data"].get("kind", event["type"]))
