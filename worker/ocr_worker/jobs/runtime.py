"""What the owner of a job service gives it, and the inbox of one in our own process."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ocr_worker.model.jobs import JobEvent
from ocr_worker.processes.guard import Guard
from ocr_worker.processes.pool import PagePool
from ocr_worker.processes.slot import SlotMessage
from ocr_worker.settings import Settings

if TYPE_CHECKING:
    from ocr_worker.jobs.service import JobService

FLAG_SECONDS = 0.05
"""A cancellation flag, or a signal, is asked for at least so often."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the service's owner gives it."""

    settings: Settings
    post: Callable[[SlotMessage], None]
    """Puts a message into the owner's inbox, from any thread."""
    emit: Callable[[JobEvent], None]
    guard: Guard = field(default_factory=Guard)
    progress_seconds: float = 0.1
    pool: PagePool | None = None
    """The service makes one where there is none."""


class Inbox:
    """What comes to the owner of a service in its own process: messages from threads, events from the service."""

    def __init__(self) -> None:
        # Not a SimpleQueue: a signal that comes when the time is up, as after a sleep of the machine, makes that wait for ever.
        self._messages: queue.Queue[SlotMessage] = queue.Queue()
        self._events: list[JobEvent] = []

    def surroundings(self, settings: Settings, progress_seconds: float = 0.1) -> Surroundings:
        return Surroundings(
            settings, self._messages.put, self._events.append, progress_seconds=progress_seconds
        )

    def take_events(self) -> list[JobEvent]:
        events, self._events[:] = self._events[:], []
        return events

    def wait(self, service: JobService) -> None:
        """Let the service handle the next message, or return when a flag or a timer is due."""
        due = service.next_tick()
        seconds = FLAG_SECONDS if due is None else min(FLAG_SECONDS, max(0.0, due - time.monotonic()))
        try:
            service.handle(self._messages.get(timeout=seconds))
        except queue.Empty:
            return
