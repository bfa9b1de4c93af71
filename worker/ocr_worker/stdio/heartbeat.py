"""Heartbeats at the interval that `hello` asked for, from a thread of their own: one long page delays none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from ocr_protocol import Event, Info
from ocr_worker.jobs.capabilities import rss_bytes


@dataclass(frozen=True, slots=True)
class Pulse:
    """What the worker is doing, as the loop last knew it."""

    state: str = "idle"
    job_id: str | None = None
    file: str | None = None
    page: int | None = None
    changed_at: float = 0.0


class Heart:
    """The loop notes what it does; the thread sends the way to tell it, so that a beat which waited is not out of date."""

    def __init__(self, send: Callable[[Callable[[], Event]], None]) -> None:
        self._send, self._pulse = send, Pulse(changed_at=time.monotonic())
        self._interval: float | None = None
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def beat_every(self, seconds: float | None) -> None:
        """Set the interval; None stops the heart."""
        self._interval = seconds
        self._changed.set()
        if seconds is not None and not self._thread.is_alive():
            self._thread.start()

    def note(
        self, state: str, job_id: str | None = None, file: str | None = None, page: int | None = None
    ) -> None:
        """Take in what is done now; one assignment, so that the thread never sees half of it."""
        pulse = Pulse(state, job_id, file, page, self._pulse.changed_at)
        if pulse != self._pulse:
            self._pulse = replace(pulse, changed_at=time.monotonic())

    def forget(self, job_id: str) -> None:
        """Tell no more of a job, the end of which is about to be told."""
        if self._pulse.job_id == job_id:
            self.note(self._pulse.state)

    def _run(self) -> None:
        while True:
            if self._changed.wait(self._interval):
                self._changed.clear()
            else:
                self._send(partial(self._beat, self._pulse.job_id))

    def _beat(self, job_id: str | None) -> Event:
        """What is done now, but of no job that began after the beat was sent: its acceptance may wait behind it."""
        pulse = self._pulse
        return _event(pulse if pulse.job_id == job_id else replace(pulse, job_id=None, file=None, page=None))


def _event(pulse: Pulse) -> Event:
    what = f"Working on {pulse.file}" if pulse.file else f"The worker is {pulse.state}"
    data = {
        "kind": "heartbeat", "message": what, "state": pulse.state, "job_id": pulse.job_id, "file": pulse.file, "page": pulse.page,
        "rss_bytes": rss_bytes(), "idle_seconds": round(time.monotonic() - pulse.changed_at, 3),
    }  # fmt: skip
    return Info(job_id=pulse.job_id, data=data)
