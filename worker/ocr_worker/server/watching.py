"""Who watches jobs: the news of each are read once, whichever process runs it, and told to each watcher at its pace."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TypeVar

from ocr_worker.errors import OcrError
from ocr_worker.jobs import queries
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.jobs.subscriptions import Heard, Subscription
from ocr_worker.model.events import (
    CrewChanged,
    FileDone,
    FileEnded,
    FileStarted,
    JobEnded,
    JobEvent,
    JobFailed,
    JobPaused,
)
from ocr_worker.model.jobs import ACTIVE, JobId
from ocr_worker.model.results import JobSummary
from ocr_worker.server.feed import Batch, Face, Feed, Line, Standing
from ocr_worker.server.moment import Moment
from ocr_worker.store.job_store import JobStore, store_as_it_is
from ocr_worker.store.records import StoredJob

log = logging.getLogger(__name__)

T = TypeVar("T")
LOOK_SECONDS = 1.0
"""How often the store is asked for what is not told: a pause, and the jobs of other processes."""
TOGETHER_SECONDS = 0.01
"""How long the first of some news waits for those that come with it: the end of a file, and the progress that it is."""
AT_ONCE = 100
"""Events that are taken together."""


class Hub:
    """Feeds watchers. Of the event loop's thread, but for `on_event`, which the runtime calls."""

    def __init__(
        self,
        runtime: Runtime,
        reader: ThreadPoolExecutor,
        find_interrupted: Callable[[], Awaitable[None]],
        moment: Moment,
        kept_batches: int,
    ) -> None:
        """Listen to nothing yet: `open` does.

        Args:
            runtime: that has the jobs of this process.
            reader: the thread that reads the store.
            find_interrupted: has jobs of dead processes marked.
            moment: how the store stands.
            kept_batches: of the events of a job, for watchers who are behind.
        """
        self._runtime, self._reader, self._find_interrupted = runtime, reader, find_interrupted
        self._moment, self._kept_batches = moment, kept_batches
        self._loop: asyncio.AbstractEventLoop | None = None
        self._feeds: dict[JobId, Feed] = {}
        self.watchers: int = 0
        self.files_ended: int = 0
        """Since the start, of all jobs of this process."""
        self._watched: frozenset[JobId] = frozenset()
        """For `on_event`, which is of another thread: most jobs are watched by nobody."""
        self._store: JobStore | None = None
        self.closed: bool = False

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        await asyncio.wrap_future(self._runtime.submit(lambda _: self._runtime.attach(self)))

    def on_event(self, event: JobEvent) -> None:
        if isinstance(event, FileEnded):
            self.files_ended += 1
        match event:
            case FileStarted() | CrewChanged():
                # Watchers see what is in work in the progress.
                return
            case JobPaused():
                call = self.look
            case _:
                call = self._wake
        if self._loop is not None and event.job_id in self._watched:
            self._loop.call_soon_threadsafe(call, event.job_id)

    def end(self) -> None:
        """Nothing to do: the service has ended all watchers before the runtime."""

    def look(self, job_id: JobId) -> None:
        """Have watchers see how a job stands, as no event tells it."""
        if job_id in self._feeds:
            self._feeds[job_id].has_to_look = True
            self._wake(job_id)

    def close(self) -> None:
        """End all watchers."""
        self.closed = True
        self._runtime.detach(self)
        for feed in list(self._feeds.values()):
            feed.close()

    async def watch(
        self, job_id: JobId, after_seq: int, face: Face, line: Line | None
    ) -> AsyncGenerator[bytes, None]:
        """The job as it stands, then its events after `after_seq`, up to the end of its run; together what came together.

        What goes over the line while all is read is not given here.
        """
        if self.closed:
            return
        feed = self._feeds.get(job_id) or self._begun(job_id)
        feed.watchers, self.watchers = feed.watchers + 1, self.watchers + 1
        try:
            await feed.opened.wait()
            number, seen, upto = feed.next_number, after_seq, feed.seq
            opening = await self._opening(feed)
            if opening is None:
                return
            yield await opening.told(face, 0)
            while True:
                async for file in self._missed(job_id, seen, upto):
                    yield await face.tell(file)
                seen = max(seen, upto)
                number, seen = await feed.follow(line, face, number, seen)
                batch = await feed.batch(number)
                if batch is None:
                    return
                if batch.number > number:
                    # It took so long that others have gone by.
                    number, upto = batch.number, batch.since
                    continue
                yield await batch.told(face, seen)
                number, seen = batch.number + 1, max(seen, batch.upto)
        finally:
            feed.watchers, self.watchers = feed.watchers - 1, self.watchers - 1
            if feed.watchers == 0:
                self._forget(feed)

    async def _opening(self, feed: Feed) -> Batch | None:
        """The job as it stands; those who come before anything was written hear the same."""
        version = self._moment.now()
        opening = feed.opening(version)
        if opening is not None:
            return opening
        now = await self._read(lambda: self._look(feed.job_id))
        return None if now is None else feed.keep_opening(version, Standing(now[1]))

    async def _missed(self, job_id: JobId, seen: int, upto: int) -> AsyncIterator[FileDone]:
        """Files that ended after `seen` and up to `upto`, from the store."""
        while seen < upto:
            found = await self._read(partial(self._files, job_id, seen))
            for file in found:
                if file.seq <= upto:
                    yield file
            seen = found[-1].seq if found else upto

    def _begun(self, job_id: JobId) -> Feed:
        feed = self._feeds[job_id] = Feed(job_id, self._kept_batches, self._moment)
        feed.filling = asyncio.create_task(self._fill(feed))
        self._watched = frozenset(self._feeds)
        return feed

    def _forget(self, feed: Feed) -> None:
        """Who watches from now on has another feed."""
        feed.close()
        if self._feeds.get(feed.job_id) is feed:
            del self._feeds[feed.job_id]
            self._watched = frozenset(self._feeds)

    async def _fill(self, feed: Feed) -> None:
        """Put the news of a job into its feed, up to the end of its run, or for as long as anybody watches."""
        subscription: Subscription | None = None
        try:
            found = await self._read(lambda: self._look(feed.job_id))
            if found is None:
                return
            job, last = found
            # The end of a run is the last event of one that is over.
            feed.open(job.last_seq if job.state in ACTIVE else max(0, job.last_seq - 1))
            subscription = await asyncio.to_thread(self._runtime.subscribe, feed.job_id, feed.seq)
            while not feed.is_closed:
                feed.has_to_look = False
                with suppress(OcrError, sqlite3.Error):
                    # While the store is locked, there is another time.
                    await self._find_interrupted()
                found = await self._read(partial(self._look, feed.job_id, subscription))
                if found is None:
                    return
                if _differs(found[1], last):
                    feed.put([Standing(found[1])])
                last = found[1]
                if await self._has_ended(feed, subscription) or last.state not in ACTIVE:
                    return
        except (OcrError, sqlite3.Error) as error:
            log.warning("job %s can't be watched: %s", feed.job_id, error)
        finally:
            self._forget(feed)
            if subscription is not None:
                with suppress(RuntimeError):
                    # At the end of the service the reader may be gone before its watchers.
                    self._reader.submit(subscription.close)

    async def _has_ended(self, feed: Feed, subscription: Subscription) -> bool:
        """Put events into a feed until none comes for a while, or the store has to be looked into."""
        while not feed.is_closed and not feed.has_to_look:
            feed.woken.clear()
            # All that there is in one go: each costs a visit to the reader's thread.
            there = await self._read(lambda: _there(subscription))
            if there:
                feed.put(there)
                if isinstance(there[-1], JobEnded | JobFailed):
                    return True
            if len(there) < AT_ONCE:
                if not await _is_set(feed.woken, LOOK_SECONDS):
                    return False
                await asyncio.sleep(TOGETHER_SECONDS)
        return False

    def _look(
        self, job_id: JobId, subscription: Subscription | None = None
    ) -> tuple[StoredJob, JobSummary] | None:
        """The job as the store has it; None if it is gone. What ended unheard is told to the subscription."""
        job = self._stored().job(job_id)
        if job is None:
            return None
        if subscription is not None:
            subscription.look_back()
        return job, queries.job_summary(self._stored(), job)

    def _files(self, job_id: JobId, after_seq: int) -> list[FileDone]:
        found = self._stored().files_ended_after(job_id, after_seq, AT_ONCE)
        return [FileDone(job_id, file.number, seq, queries.file_result(file)) for seq, file in found]

    def _stored(self) -> JobStore:
        self._store = store_as_it_is(self._store, self._runtime.settings.state_dir)
        return self._store

    def _wake(self, job_id: JobId) -> None:
        if job_id in self._feeds:
            self._feeds[job_id].woken.set()

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
