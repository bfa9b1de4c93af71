"""The events of a job for any number of watchers, each at its own pace, whichever process runs the job."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar, Union

from ocr_worker.errors import OcrError
from ocr_worker.jobs import queries
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.jobs.subscriptions import Heard, Subscription
from ocr_worker.model.events import (
    CrewChanged,
    FileStarted,
    JobEnded,
    JobEvent,
    JobFailed,
    JobPaused,
)
from ocr_worker.model.jobs import ACTIVE, JobId
from ocr_worker.model.results import JobSummary
from ocr_worker.store.job_store import JobStore, store_as_it_is

T = TypeVar("T")
LOOK_SECONDS = 1.0
"""How often the store is asked for what is not told: a pause, and the jobs of other processes."""
AT_ONCE = 100
"""Events that are taken together."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A job as it stands: the first that a watcher hears, and again whenever its state or counts have changed unsaid."""

    summary: JobSummary


News = Union[Standing, Heard]


@dataclass(slots=True)
class _Watcher:
    woken: asyncio.Event
    has_to_look: bool = False
    """Whether it was woken for what only the store tells: a job that was paused, or goes on."""


class Hub:
    """Wakes watchers. Of the event loop's thread, but for `on_event`, which the runtime calls."""

    def __init__(
        self, runtime: Runtime, reader: ThreadPoolExecutor, find_interrupted: Callable[[], Awaitable[None]]
    ) -> None:
        """Listen to nothing yet: `open` does. `find_interrupted` has jobs of dead processes marked."""
        self._runtime, self._reader, self._find_interrupted = runtime, reader, find_interrupted
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[JobId, list[_Watcher]] = defaultdict(list)
        self._store: JobStore | None = None
        self.closed: bool = False

    @property
    def watchers(self) -> int:
        return sum(map(len, self._waiting.values()))

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        await asyncio.wrap_future(self._runtime.submit(lambda _: self._runtime.attach(self)))

    def on_event(self, event: JobEvent) -> None:
        match event:
            case FileStarted() | CrewChanged():
                # Watchers see what is in work in the progress.
                return
            case JobPaused(job_id):
                call = self.look
            case _:
                call, job_id = self._wake, event.job_id
        if self._loop is not None and not self.closed:
            self._loop.call_soon_threadsafe(call, job_id)

    def end(self) -> None:
        """Nothing to do: the service has ended all watchers before the runtime."""

    def look(self, job_id: JobId) -> None:
        """Have watchers see how a job stands, as no event tells it."""
        for watcher in self._waiting.get(job_id, ()):
            watcher.has_to_look = True
        self._wake(job_id)

    def close(self) -> None:
        """End all watchers."""
        self.closed = True
        self._runtime.detach(self)
        for job_id in list(self._waiting):
            self._wake(job_id)

    async def watch(self, job_id: JobId, after_seq: int) -> AsyncIterator[Sequence[News]]:
        """The job as it stands, then its events after `after_seq`, up to the end of its run; together what came together."""
        subscription = await asyncio.to_thread(self._runtime.subscribe, job_id, after_seq)
        watcher = _Watcher(asyncio.Event())
        self._waiting[job_id].append(watcher)
        last: JobSummary | None = None
        try:
            while not self.closed:
                watcher.has_to_look = False
                with suppress(OcrError, sqlite3.Error):
                    # While the store is locked, there is another time.
                    await self._find_interrupted()
                now = await self._read(lambda: self._look(subscription, job_id))
                if now is None:
                    return
                if last is None or _differs(now, last):
                    yield [Standing(now)]
                last = now
                async for heard in self._told(subscription, watcher):
                    yield heard
                    if isinstance(heard[-1], JobEnded | JobFailed):
                        return
                if last.state not in ACTIVE:
                    return
        finally:
            self._forget(job_id, watcher)
            with suppress(RuntimeError):
                # At the end of the service the reader may be gone before its watchers.
                self._reader.submit(subscription.close)

    async def _told(self, subscription: Subscription, watcher: _Watcher) -> AsyncIterator[Sequence[Heard]]:
        """Events until none comes for a while, or the store has to be looked into."""
        while not self.closed and not watcher.has_to_look:
            watcher.woken.clear()
            # All that there is in one go: each costs a visit to the reader's thread.
            there = await self._read(lambda: _there(subscription))
            if there:
                yield there
            if len(there) < AT_ONCE and not await _is_set(watcher.woken, LOOK_SECONDS):
                return

    def _forget(self, job_id: JobId, watcher: _Watcher) -> None:
        self._waiting[job_id] = [each for each in self._waiting[job_id] if each is not watcher]
        if not self._waiting[job_id]:
            del self._waiting[job_id]

    def _look(self, subscription: Subscription, job_id: JobId) -> JobSummary | None:
        """The job as the store has it; None if it is gone. What ended unheard is told to the subscription."""
        self._store = store_as_it_is(self._store, self._runtime.settings.state_dir)
        job = self._store.job(job_id)
        if job is None:
            return None
        subscription.look_back()
        return queries.job_summary(self._store, job)

    def _wake(self, job_id: JobId) -> None:
        for watcher in self._waiting.get(job_id, ()):
            watcher.woken.set()

    async def _read(self, query: Callable[[], T]) -> T:
        """Subscriptions have a connection to the store, which is for one thread."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, query)


def _there(subscription: Subscription) -> list[Heard]:
    """The events that are there already, or many of them; the end of a run is the last."""
    there: list[Heard] = []
    while len(there) < AT_ONCE and (heard := subscription.get(0)) is not None:
        there.append(heard)
        if isinstance(heard, JobEnded | JobFailed):
            break
    return there


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        return False
    return True


def _differs(one: JobSummary, other: JobSummary) -> bool:
    """Whether watchers have something to see; what is in work may be told by events."""
    return (one.state, one.stats, one.pages_done) != (other.state, other.stats, other.pages_done)
