"""Heartbeats at the interval that `hello` asked for, from a thread that no page can delay."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from ocr_protocol import Event, Info
from ocr_worker.jobs.capabilities import rss_bytes
from ocr_worker.model.jobs import Doing


class Heart:
    """Sends functions, not events, so that a heartbeat that waited is still up to date."""

    def __init__(self, send: Callable[[Callable[[], Event]], None], doing: Callable[[], Doing]) -> None:
        self._send, self._doing = send, doing
        self._interval: float | None = None
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def beat_every(self, seconds: float | None) -> None:
        """Set the interval; None stops the heart."""
        self._interval = seconds
        self._changed.set()
        if seconds is not None and not self._thread.is_alive():
            self._thread.start()

    def _run(self) -> None:
        while True:
            if self._changed.wait(self._interval):
                self._changed.clear()
            else:
                self._send(partial(self._beat, self._doing().job_id))

    def _beat(self, job_id: str | None) -> Event:
        """What is done now, but of no job that began after the beat was sent: its acceptance may wait behind it."""
        doing = self._doing()
        return _event(doing if doing.job_id == job_id else Doing(doing.state))


def _event(doing: Doing) -> Event:
    what = f"Working on {doing.file}" if doing.file else f"The worker is {doing.state}"
    data = {
        "kind": "heartbeat", "message": what, "state": doing.state, "job_id": doing.job_id, "file": doing.file, "page": doing.page,
        "rss_bytes": rss_bytes(), "idle_seconds": round(time.monotonic() - doing.since, 3),
    }  # fmt: skip
    return Info(job_id=doing.job_id, data=data)
