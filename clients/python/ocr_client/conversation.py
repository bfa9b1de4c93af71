"""What was asked and is not answered yet, and the jobs at work. It outlives a worker. Knows nothing of processes."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from ocr_client.errors import OcrError, error_of
from ocr_client.metrics import Metrics
from ocr_client.run import Run, Said
from ocr_client.wire import encode

log = logging.getLogger(__name__)


@dataclass
class Asked:
    """A command without an answer yet."""

    command: str
    run: Run | None
    """The run that it reopens."""
    passwords: Mapping[str, str]
    opens: bool = False
    """Whether the answer is the run that it begins, and not the event."""
    answer: Future[Any] = field(default_factory=Future)


class Conversation:
    """Heard in one thread at a time, asked in any; `lock` guards what they share."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._asked: dict[str, Asked] = {}
        self._numbers = count(1)
        self._seq = 0
        self._is_garbled = False
        self.runs: dict[str, Run] = {}
        """By job: those that have not ended."""
        self.last_end: str | None = None
        """How the last run ended."""
        self.heard_at = 0.0
        self.metrics: Metrics = Metrics()

    def begin(self) -> None:
        """Another worker is about to speak."""
        self._seq, self.heard_at = 0, time.monotonic()

    def worded(self, asked: Asked, fields: Mapping[str, object]) -> tuple[str, bytes]:
        """A command's id and line. Raises UnsendableError."""
        number = f"c{next(self._numbers)}"
        given = {name: value for name, value in fields.items() if value is not None}
        return number, encode({"command": asked.command, "id": number, **given})

    def expect(self, number: str, asked: Asked) -> None:
        """The command is about to be sent."""
        with self._lock:
            self._asked[number] = asked
            self.metrics.commands += 1

    def hear(self, line: bytes) -> None:
        """A line of the worker has come."""
        with self._lock:
            self._count(line)
        event = _event(line)
        if event is None:
            if not self._is_garbled:
                # Once: a program that is no worker may write thousands.
                log.warning("the worker wrote a line that is no event: %.100r", line.rstrip())
            self._is_garbled = True
            return
        self._is_garbled = False
        self._count_gap(event.get("seq"))
        self._route(event)

    def ended(self, run: Run, status: str) -> None:
        """A run has come to its end."""
        with self._lock:
            self.runs.pop(run.job_id, None)
            self.last_end = status
            self.metrics.jobs_ended += 1

    def settle(self, error: OcrError) -> None:
        """Nobody will answer what was asked."""
        with self._lock:
            waiting, self._asked = list(self._asked.values()), {}
        for asked in waiting:
            asked.answer.set_exception(error)

    def fail_runs(self, error: OcrError) -> None:
        """No run will come to its end."""
        with self._lock:
            runs, self.runs = list(self.runs.values()), {}
        for run in runs:
            run.fail(error)

    def _count(self, line: bytes) -> None:
        self.heard_at, metrics = time.monotonic(), self.metrics
        metrics.events += 1
        metrics.bytes_received += len(line) + 1
        metrics.longest_line_bytes = max(metrics.longest_line_bytes, len(line))

    def _count_gap(self, seq: object) -> None:
        if isinstance(seq, int):
            self.metrics.events_lost += max(0, seq - self._seq - 1)
            self._seq = seq

    def _route(self, event: Said) -> None:
        with self._lock:
            asked = self._asked.pop(str(event.get("id")), None)
        if asked is not None:
            self._answer(asked, event)
        elif (run := self.runs.get(event.get("job_id", ""))) is not None:
            self._pass_on(run, event)

    def _answer(self, asked: Asked, event: Said) -> None:
        if event["type"] == "error":
            asked.answer.set_exception(error_of(event))
        elif asked.opens:
            asked.answer.set_result(self._begun(asked, event))
        else:
            asked.answer.set_result(event)

    def _begun(self, asked: Asked, event: Said) -> Run | None:
        data, job_id = event["data"], event.get("job_id", "")
        if data.get("kind") != "accepted":
            # A run of ours goes on, and is known already; or nothing is left to do.
            return None if asked.run else self.runs.get(job_id)
        count = data.get("file_count", 0)
        run = asked.run or Run(job_id, count, data.get("total_files", count))
        run.passwords = asked.passwords
        with self._lock:
            self.runs[job_id] = run
        return run

    def _pass_on(self, run: Run, event: Said) -> None:
        kind = event["data"].get("kind", event["type"])
        if kind in ("batch", "error"):
            self.ended(run, event["data"].get("status", "failed"))
        self.metrics.files_ended += kind == "file_done"
        run.take(event)


def _event(line: bytes) -> Said | None:
    """None for what is no event."""
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not (isinstance(read, dict) and isinstance(read.get("data"), dict)):
        return None
    is_event = isinstance(read.get("type"), str) and isinstance(read.get("job_id", ""), str)
    return read if is_event else None
