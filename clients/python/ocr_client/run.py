"""One job as its host sees it: its events, and its result. Filled by the reader's thread, read by any."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Literal, cast

from ocr_client.errors import OcrError, error_of
from ocr_client.wire_types import BatchData, Event, ProgressData

Wish = Literal["run", "pause", "cancel"]
Said = dict[str, Any]
"""An event, before its kind is known."""


class Run:
    """Only the newest progress waits to be read; nothing else is dropped."""

    def __init__(self, job_id: str, file_count: int, total_files: int) -> None:
        self.job_id, self.file_count, self.total_files = job_id, file_count, total_files
        self.passwords: Mapping[str, str] = {}
        """To be sent again should the worker crash: it never stores them."""
        self.progress: ProgressData | None = None
        self.wish: Wish = "run"
        """What its user wants of it, which outlives a worker."""
        self.adrift = False
        """Its worker is gone, and the next has not heard of it: what its user wants is told with that."""
        self.result: Future[BatchData] = Future()
        # So that nobody who waits can cancel what others wait for.
        self.result.set_running_or_notify_cancel()
        self._events: deque[Event] = deque()
        self._news = threading.Condition()
        self._listeners: list[Callable[[], None]] = []

    @property
    def ended(self) -> bool:
        return self.result.done()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this, from some thread, whenever there is something to take."""
        self._listeners.append(listener)

    def take(self, event: Said) -> None:
        """An event of the job has come; of its end, the last one."""
        with self._news:
            if event["type"] == "progress":
                self.progress = event["data"]
                if self._events and self._events[-1]["type"] == "progress":
                    self._events.pop()
            self._events.append(cast("Event", event))
        if event["type"] == "result":
            self.complete(cast("BatchData", event["data"]))
        elif event["type"] == "error":
            self.fail(error_of(event))
        else:
            self._tell()

    def complete(self, data: BatchData) -> None:
        """No more will come."""
        with self._news:
            if not self.ended:
                self.result.set_result(data)
        self._tell()

    def fail(self, error: OcrError) -> None:
        """No more will come."""
        with self._news:
            if not self.ended:
                self.result.set_exception(error)
        self._tell()

    def poll(self) -> Event | None:
        """The next event that is there."""
        with self._news:
            return self._events.popleft() if self._events else None

    def next(self, timeout: float | None = None) -> Event | None:
        """The next event; None after the last one, or when the time is up."""
        with self._news:
            self._news.wait_for(lambda: self._events or self.ended, timeout)
            return self._events.popleft() if self._events else None

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()
        for listener in self._listeners:
            listener()


def counted(details: Mapping[str, Any]) -> BatchData:
    """The end of a job from what `get_job` tells: with counts in place of lists."""
    stats, took, state = details["stats"], details["statistics"], details["state"]
    counts = {
        "successful": stats["completed"], "completed_with_errors": 0, "failed": stats["failed"], "skipped": stats["skipped"],
    }  # fmt: skip
    made: dict[str, Any] = {
        "kind": "batch", "status": state if state in ("completed", "cancelled") else "stopped", "counts": counts, "total_files": stats["total"],
        "total_pages_processed": took["pages"], "duration_seconds": took["duration_seconds"], "statistics": took,
    }  # fmt: skip
    return cast("BatchData", made)
