"""The news of one job for all who watch it: in batches, each made into bytes once, of which the newest are kept."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Union

from ocr_worker.jobs.subscriptions import Heard
from ocr_worker.model.events import FileDone
from ocr_worker.model.jobs import JobId
from ocr_worker.model.results import JobSummary


@dataclass(frozen=True, slots=True)
class Standing:
    """A job as it stands: the first that a watcher hears, and again whenever its state or counts have changed unsaid."""

    summary: JobSummary


News = Union[Standing, Heard]


@dataclass(frozen=True, slots=True)
class Face:
    """Those who hear the same words."""

    name: str
    tell: Callable[[News], Awaitable[bytes]]


@dataclass(slots=True)
class Batch:
    """News that came together."""

    number: int
    since: int
    upto: int
    """The `seq` up to which files were told before it, and with it."""
    news: Sequence[News]
    _said: dict[str, asyncio.Task[bytes]] = field(default_factory=dict)

    async def told(self, face: Face, seen: int) -> bytes:
        """All of it, but for files up to `seen`, in the words of a face."""
        if seen > self.since:
            return await _joined([news for news in self.news if not _is_seen(news, seen)], face)
        said = self._said.get(face.name)
        if said is None:
            said = self._said[face.name] = asyncio.ensure_future(_joined(self.news, face))
        try:
            # A watcher that goes away is no reason to have the others hear nothing.
            return said.result() if said.done() else await asyncio.shield(said)
        except BaseException:
            if said.done():
                # The next one tries again.
                self._said.pop(face.name, None)
            raise


class Feed:
    """For the thread of the event loop."""

    def __init__(self, job_id: JobId, most_kept: int) -> None:
        """`most_kept` batches: who is further behind has missed progress, and reads files from the store."""
        self.job_id = job_id
        self.watchers: int = 0
        self.seq: int = 0
        """Files up to it were told, or had ended before it was opened."""
        self.next_number: int = 0
        self.opened, self.woken = asyncio.Event(), asyncio.Event()
        self.has_to_look: bool = False
        """Whether it was woken for what only the store tells: a job that was paused, or goes on."""
        self.is_closed: bool = False
        self.filling: asyncio.Task[None] | None = None
        """Kept, as the loop keeps no task."""
        self._kept = deque[Batch](maxlen=most_kept)
        self._changed = asyncio.Event()

    def open(self, seq: int) -> None:
        """What ended up to `seq` is not told here."""
        self.seq = seq
        self.opened.set()

    def put(self, news: Sequence[News]) -> None:
        """Tell all watchers."""
        upto = max([self.seq, *(each.seq for each in news if isinstance(each, FileDone))])
        self._kept.append(Batch(self.next_number, self.seq, upto, news))
        self.next_number, self.seq = self.next_number + 1, upto
        self._wake()

    def close(self) -> None:
        """No more will come."""
        self.is_closed = True
        self.opened.set()
        self.woken.set()
        self._wake()

    async def batch(self, number: int) -> Batch | None:
        """The batch of this number, once it is there, or the oldest that is kept since; None after the last."""
        while number >= self.next_number:
            if self.is_closed:
                return None
            await self._changed.wait()
        return self._kept[max(0, number - self._kept[0].number)]

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


async def _joined(news: Sequence[News], face: Face) -> bytes:
    return b"".join([await face.tell(each) for each in news])


def _is_seen(news: News, seen: int) -> bool:
    return isinstance(news, FileDone) and news.seq <= seen
