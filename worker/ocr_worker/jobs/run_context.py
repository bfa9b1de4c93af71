"""What all runs share: store, pool, settings, leases, listener."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from ocr_worker.model.events import JobEvent
from ocr_worker.processes.pool import Pool
from ocr_worker.settings import Settings
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.leases import JobLeases


class Listener(Protocol):
    """Who hears what happens to jobs, in the thread that owns them."""

    def on_event(self, event: JobEvent) -> None: ...


class Face(Listener, Protocol):
    """A listener that hears all events of a runtime."""

    def end(self) -> None:
        """The runtime is closed: nothing more is heard."""
        ...


@dataclass(frozen=True, slots=True)
class RunContext:
    store: JobStore
    pool: Pool
    settings: Settings
    leases: JobLeases
    listener: Listener
    tickets: Iterator[int]
    progress_seconds: float = 0.1
    """Least time between two progress events of a job."""
