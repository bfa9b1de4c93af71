"""A machine of the cluster: a thread that owns the page processes, as these die with the thread that started them.

Needs the inputs for reading and nothing else: no state folder, no output folder. Knows nothing of Dask.
"""

from __future__ import annotations

import logging
import queue
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ocr_worker.cluster.orders import PICTURE, RESULT, Order, OrderedPage, PageReply, Reply
from ocr_worker.cluster.readers import digest_of
from ocr_worker.files.private import make_private
from ocr_worker.files.sweep import leave_temp_folder, make_temp_folder
from ocr_worker.model.tasks import PageSettings, PageTask, Source
from ocr_worker.processes.guard import Guard
from ocr_worker.processes.pool import PagePool, Pool, TaskEnded
from ocr_worker.settings import Settings

log = logging.getLogger(__name__)

NO_INODE = 0
"""A share may number files otherwise, so that nodes go by size and time of change."""
WATCHED_SECONDS = 60.0
REMEMBERED = 64
TELL_SECONDS = 0.25
"""How often the pages of an order are told of at most: each word costs scheduler and coordinator what a tenth of a card does."""
Say = Callable[[bytes], None]
"""Tells of pages that have ended, from the node's thread."""


@dataclass(frozen=True, slots=True)
class PathMap:
    """Where a folder of the coordinator lies on this machine."""

    theirs: str
    ours: str

    @classmethod
    def of(cls, said: str) -> PathMap:
        """From THEIRS=HERE. Raises ValueError for what is none."""
        theirs, equals, here = said.partition("=")
        if not (theirs and equals and here):
            raise ValueError(f"must be THEIRS=HERE, not {said[:40]!r}.")
        return cls(theirs.rstrip("/") or "/", here.rstrip("/") or "/")

    def here(self, path: str) -> str | None:
        """The path on this machine; None for what lies elsewhere."""
        if path == self.theirs or path.startswith(self.theirs.rstrip("/\\") + "/"):
            return self.ours + path[len(self.theirs) :]
        return None


@dataclass(slots=True)
class _Work:
    """An order in work, one page after the other."""

    order: Order
    say: Say
    waiting: deque[OrderedPage]
    ticket: int = 0
    """The page in work, in the pool's numbers."""
    page: OrderedPage | None = None
    untold: list[PageReply] = field(default_factory=list)
    told_at: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def tell_at(self) -> float | None:
        """When what has ended is to be told of; None where nothing has."""
        return self.told_at + TELL_SECONDS if self.untold else None

    def tell(self, node: str) -> None:
        if self.untold:
            self.say(Reply(self.order.key, node, tuple(self.untold)).dump())
            self.untold.clear()
            self.told_at = time.monotonic()


class PageNode:
    """Reads the pages of orders; from any thread, `read` waits for its order's end, and `end` ends orders."""

    def __init__(self, settings: Settings, name: str, maps: tuple[PathMap, ...] = ()) -> None:
        """Start the thread; page processes start with the first order.

        Args:
            settings: of the processes; their number is that of the slots. Of the state folder only the place for temporary
                files is used, where a later node removes what one that was killed has left.
            name: by which the coordinator knows this node.
            maps: where folders of the coordinator lie here.
        """
        self.name, self._maps = name, maps
        self.slots = settings.page_processes
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._places = settings.temp_dir
        self._folder = make_temp_folder(self._places)
        self._settings = replace(settings, state_dir=self._folder, cluster=None)
        self._pool: Pool | None = None
        self._works: dict[str, _Work] = {}
        self._withdrawn: deque[str] = deque(maxlen=REMEMBERED)
        """Orders that were ended before they had begun here: their threads are on the way."""
        self._last_ticket = 0
        self._read_at: deque[float] = deque(maxlen=10_000)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="page node", daemon=True)
        self._thread.start()

    # From any thread

    def read(self, order: Order, say: Say) -> None:
        """Carry out an order, telling of its pages as they end, and wait for its end."""
        if refusal := self._refusal(order):
            say(Reply(order.key, self.name, (), refusal).dump())
            return
        work = _Work(order, say, deque(order.pages))
        self._inbox.put(lambda: self._begin(work))
        while not work.ended.wait(1.0):
            if self._closed.is_set():
                break

    def end(self, key: str) -> None:
        """Kill what runs of an order; nothing more is done of it."""
        self._inbox.put(lambda: self._end(key))

    def end_all(self) -> None:
        """Kill all that runs."""
        for key in list(self._works):
            self.end(key)

    def await_rest(self, seconds: float) -> None:
        """Wait until no order is in work, for so long at most."""
        deadline = time.monotonic() + seconds
        for work in list(self._works.values()):
            work.ended.wait(max(0.0, deadline - time.monotonic()))

    def pages_per_minute(self) -> int:
        """Pages that ended within the last minute."""
        since = time.monotonic() - WATCHED_SECONDS
        return sum(at >= since for at in list(self._read_at))

    def close(self) -> None:
        """End all page processes, and the thread."""
        self._closed.set()
        self._inbox.put(lambda: None)
        self._thread.join()

    def _refusal(self, order: Order) -> str:
        """Why this node must not read it: it would read otherwise."""
        for settings in {self._settings_here(page.task.settings) for page in order.pages}:
            if digest_of(settings) != order.reader:
                languages = "+".join(settings.languages)
                return f"it reads {languages} with another engine or other data"
        return ""

    # In the node's thread

    def _run(self) -> None:
        # Made here: the system ends page processes with the thread that started them.
        self._pool = pool = PagePool(self.slots, self._settings, Guard(), self._inbox.put)
        try:
            while not self._closed.is_set():
                self._step(pool)
        except Exception:
            log.exception("the page node failed")
        finally:
            self._closed.set()
            pool.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            leave_temp_folder(self._places)

    def _step(self, pool: Pool) -> None:
        due = min(
            filter(None, (pool.next_tick(), *(one.tell_at for one in self._works.values()))), default=None
        )
        patience = None if due is None else max(0.0, due - time.monotonic())
        try:
            message = self._inbox.get(timeout=patience)
        except queue.Empty:
            pool.tick()
        else:
            if callable(message):
                message()
            else:
                for ended in pool.handle(message):
                    self._page_ended(ended)
        now = time.monotonic()
        for work in self._works.values():
            if work.tell_at is not None and now >= work.tell_at:
                work.tell(self.name)

    def _begin(self, work: _Work) -> None:
        if (key := work.order.key) in self._withdrawn:
            self._withdrawn.remove(key)
            work.ended.set()
            return
        self._works[key] = work
        self._next(work)

    def _next(self, work: _Work) -> None:
        """Start the order's next page, or end it."""
        assert self._pool is not None
        if not work.waiting:
            self._finish(work)
            return
        self._last_ticket += 1
        work.ticket, work.page = self._last_ticket, work.waiting.popleft()
        try:
            task = self._task_here(work.ticket, work.page)
            self._pool.start(work.ticket, task, work.page.limit_seconds)
        except OSError as error:
            # No fault of the page: another node may do better.
            shutil.rmtree(self._result_folder(work.ticket), ignore_errors=True)
            work.tell(self.name)
            work.say(Reply(work.order.key, self.name, (), f"it can't begin with a page: {error}").dump())
            self._finish(work)

    def _page_ended(self, ended: TaskEnded) -> None:
        work = next((one for one in self._works.values() if one.ticket == ended.ticket), None)
        if work is None or work.page is None:
            return
        self._read_at.append(time.monotonic())
        folder = self._result_folder(ended.ticket)
        files = {
            end: place.read_bytes()
            for end in (RESULT, PICTURE)
            if (place := folder / f"{work.page.task.page}{end}").exists()
        }
        shutil.rmtree(folder, ignore_errors=True)
        self._page_done(
            work, PageReply(work.page.ticket, ended.outcome, ended.seconds, ended.is_first, files)
        )

    def _page_done(self, work: _Work, reply: PageReply) -> None:
        work.page, work.ticket = None, 0
        work.untold.append(reply)
        self._next(work)

    def _finish(self, work: _Work) -> None:
        work.tell(self.name)
        del self._works[work.order.key]
        work.ended.set()

    def _end(self, key: str) -> None:
        work = self._works.get(key)
        if work is None or self._pool is None:
            self._withdrawn.append(key)
            return
        self._pool.kill({work.ticket})
        work.untold.clear()
        shutil.rmtree(self._result_folder(work.ticket), ignore_errors=True)
        work.waiting.clear()
        self._finish(work)

    def _task_here(self, ticket: int, page: OrderedPage) -> PageTask:
        """The task with the paths of this machine. Raises OSError."""
        folder = self._result_folder(ticket)
        make_private(self._settings.jobs_dir, folder)
        source = page.task.source
        if page.content is not None:
            place = folder / Path(source.path).name
            place.write_bytes(page.content)
            source = replace(source, path=str(place), stamp=None, no_links_below=None)
        else:
            source = self._source_here(source)
        result = str(folder / f"{page.task.page}{RESULT}")
        return PageTask(source, self._settings_here(page.task.settings), page.task.page, result)

    def _source_here(self, source: Source) -> Source:
        """No link is followed where the coordinator follows none; those on the way to a mapped folder are this machine's own."""
        stamp = source.stamp and (source.stamp[0], source.stamp[1], NO_INODE)
        path, fixed = source.path, source.no_links_below
        if (mapped := next((one for one in self._maps if one.here(path) is not None), None)) is not None:
            path = mapped.here(path) or path
            is_named = fixed is None or path == mapped.ours
            fixed = None if is_named else mapped.here(str(fixed)) or mapped.ours
        return replace(source, path=path, stamp=stamp, no_links_below=fixed)

    def _settings_here(self, settings: PageSettings) -> PageSettings:
        if settings.tessdata_dir is None and not settings.tessdata_dirs:
            return settings
        own = settings.tessdata_dir and self._path_here(settings.tessdata_dir)
        return replace(
            settings, tessdata_dir=own, tessdata_dirs=tuple(map(self._path_here, settings.tessdata_dirs))
        )

    def _path_here(self, path: str) -> str:
        return next((here for one in self._maps if (here := one.here(path)) is not None), path)

    def _result_folder(self, ticket: int) -> Path:
        return self._settings.jobs_dir / str(ticket)
