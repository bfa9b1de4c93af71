"""The news of one job for all who watch it: in batches, each made into bytes once, of which the newest are kept.

Who is up to date is in the crowd: a batch goes to all lines of it at once, without a turn of each watcher's own.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Union

from ocr_worker.jobs.subscriptions import Heard
from ocr_worker.model.events import FileDone
from ocr_worker.model.jobs import JobId
from ocr_worker.model.results import JobSummary
from ocr_worker.server.moment import Moment

log = logging.getLogger(__name__)

LINE = "ocr_sidecar.line"
"""In the scope of a request: the `Line` to its client, if there is one."""


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


class Line(Protocol):
    """The way to a client, past all that an answer goes through otherwise."""

    @property
    def is_free(self) -> bool:
        """Whether its client has taken what was sent, and what is sent now comes next."""

    def send(self, framed: bytes) -> None:
        """Send part of an answer, as `framed` made it."""


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

    def __init__(self, job_id: JobId, most_kept: int, moment: Moment) -> None:
        """`most_kept` batches: who is further behind has missed progress, and reads files from the store."""
        self.job_id, self.moment = job_id, moment
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
        self._crowds: dict[str, _Crowd] = {}
        self._opening: tuple[Hashable, Batch] | None = None

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

    async def follow(self, line: Line | None, face: Face, number: int, seen: int) -> tuple[int, int]:
        """Have batches from this number on sent to a line, for as long as it takes them at once.

        Args:
            line: of the watcher, if it has one.
            face: its words.
            number: of the batch that comes next for it.
            seen: the `seq` up to which it knows of files.

        Returns:
            `number` and `seen`, as they are then.
        """
        if line is None:
            return number, seen
        crowd = self._crowds.get(face.name)
        if crowd is None:
            crowd = self._crowds[face.name] = _Crowd(self, face)
        return await crowd.follow(line, number, seen)

    def opening(self, version: Hashable | None) -> Batch | None:
        """What a watcher hears first, if it is there for this version of the store."""
        kept = self._opening
        return kept[1] if kept is not None and version is not None and kept[0] == version else None

    def keep_opening(self, version: Hashable | None, standing: Standing) -> Batch:
        """Put it into words once for all who come at this version."""
        batch = Batch(0, 0, 0, [standing])
        self._opening = (version, batch)
        return batch

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class _Crowd:
    """Watchers of one face who have heard all that there was."""

    def __init__(self, feed: Feed, face: Face) -> None:
        self._feed, self._face = feed, face
        self._number: int = 0
        """Of the batch that is told next."""
        self._lines: dict[Line, asyncio.Future[tuple[int, int]]] = {}
        self._telling: asyncio.Task[None] | None = None

    async def follow(self, line: Line, number: int, seen: int) -> tuple[int, int]:
        feed = self._feed
        if self._telling is None:
            self._number = number
        # While a batch is made, those who have it already wait for the next by themselves.
        if not (number == self._number == feed.next_number and seen <= feed.seq and line.is_free):
            return number, seen
        left: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        self._lines[line] = left
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell())
        try:
            return await left
        finally:
            self._lines.pop(line, None)

    async def _tell(self) -> None:
        seen = self._feed.seq
        try:
            while self._lines and (batch := await self._feed.batch(self._number)):
                if batch.number > self._number:
                    return
                said = await batch.told(self._face, batch.since)
                self._feed.moment.pass_by()
                self._send(framed(said), batch)
                self._number, seen = batch.number + 1, batch.upto
        except Exception:
            log.debug("who watches meets this by itself", exc_info=True)
        finally:
            self._telling = None
            for left in self._lines.values():
                if not left.done():
                    left.set_result((self._number, seen))
            self._lines.clear()

    def _send(self, said: bytes, batch: Batch) -> None:
        for line, left in self._lines.items():
            if left.done():
                # It goes, and has yet to say so.
                continue
            if line.is_free:
                line.send(said)
            else:
                left.set_result((batch.number, batch.since))


def framed(part: bytes) -> bytes:
    """Part of an answer whose length nobody knows before its end, as HTTP/1.1 has it."""
    # A part without bytes would be the end.
    return b"%x\r\n%s\r\n" % (len(part), part) if part else b""


async def _joined(news: Sequence[News], face: Face) -> bytes:
    return b"".join([await face.tell(each) for each in news])


def _is_seen(news: News, seen: int) -> bool:
    return isinstance(news, FileDone) and news.seq <= seen
