"""A pool of this machine's processes and the nodes of a cluster. Only pages go away; opening and composing stay here.

Composing compares inodes, takes locks, and publishes by link and rename; so nodes need no state and no output folder.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from ocr_worker.cluster.engine import (
    Engine,
    EngineMessage,
    Loss,
    NodesChanged,
    OrderBegun,
    OrderEnded,
    PagesSpoke,
)
from ocr_worker.cluster.inputs import SEEN_OTHERWISE, content_of, is_of_the_node, is_seen_otherwise
from ocr_worker.cluster.orders import RESULT, Order, OrderedPage, PageReply, Reply, load_reply
from ocr_worker.cluster.readers import digest_of
from ocr_worker.cluster.sizes import Sizes
from ocr_worker.errors import ClusterInsecureError, CrashedError, NodeLostError, OcrError
from ocr_worker.files.atomic import write_unsynced
from ocr_worker.files.bounded import Glances
from ocr_worker.files.private import make_private
from ocr_worker.model.crew import Crew, RefusedNode
from ocr_worker.model.tasks import (
    ComposeTask,
    Failure,
    Opened,
    OpenTask,
    PageDone,
    PageSettings,
    PageTask,
    Source,
    Task,
)
from ocr_worker.processes.failures import none_started
from ocr_worker.processes.pool import Pool, PoolStats, TaskEnded
from ocr_worker.processes.reach import Place
from ocr_worker.settings import MIB, ClusterSettings

log = logging.getLogger(__name__)

ALONE_SECONDS = 10.0
"""Without a node for so long, what was asked for that case is done."""
ORDERS_A_SLOT = 2
"""One in work and one that waits: what is at the engine is bounded by slots, not by the batch."""
ORDERS_READY = 2
"""Pages for so many more a slot are kept ready. As the batch nears its end they are fewer, and so orders become smaller:
else some slots would have a whole order left when others have nothing."""
MOST_NODES_ENDED = 3
"""A page that has taken so many nodes with it is given up."""
MOST_INLINE_BYTES = 4 * MIB
REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Due:
    """Pages wait for their orders to be formed; or a task has ended without having begun."""

    pool: ClusterPool
    ended: tuple[TaskEnded, ...] = ()


@dataclass(slots=True)
class _Page:
    ticket: int
    task: PageTask
    limit_seconds: float

    @property
    def name(self) -> tuple[str, int]:
        """What it is, whatever its ticket."""
        return self.task.source.path, self.task.page


@dataclass(slots=True)
class _Sent:
    """An order at the engine, and its pages that have not ended, in the order in which they are read."""

    pages: dict[int, _Page]
    node: str = ""
    """Empty before one has begun with it."""


class ClusterPool:
    """Its size follows the nodes. Owned by one thread, to whose inbox processes and engine post."""

    def __init__(
        self, local: Pool, engine: Engine, settings: ClusterSettings, post: Callable[[object], None]
    ) -> None:
        """Own nothing yet but what was given; `post` puts a message into the owner's inbox, from any thread."""
        self._local, self._engine, self._settings, self._post = local, engine, settings, post
        self._name, self._numbers = secrets.token_hex(4), count(1)
        self._steps: deque[tuple[int, Task, float]] = deque()
        """Tasks for this machine that wait for a process."""
        self._ready: deque[_Page] = deque()
        """Pages that nobody has yet."""
        self._at_home: dict[int, Task] = {}
        self._sent: dict[str, _Sent] = {}
        self._away: dict[int, str] = {}
        """Ticket to the key of its order."""
        self._sizes, self._glances = Sizes(), Glances()
        self._ended_nodes: dict[tuple[str, int], int] = {}
        """How many nodes went down with a page."""
        self._refused: dict[str, RefusedNode] = {}
        self._alone_at: float | None = time.monotonic() + ALONE_SECONDS
        """When it is to be seen to that no node is there; None while there are some."""
        self._is_alone, self._is_due, self._lost = False, False, 0

    # What a pool is asked

    @property
    def size(self) -> int:
        """How many tasks may be at work or wait for their turn, so that orders can be formed of several pages."""
        orders = (ORDERS_A_SLOT + ORDERS_READY) * self._engine.slots()
        return self._local.size + orders * self._sizes.pages_an_order

    def free(self) -> int:
        taken = len(self._steps) + len(self._ready) + len(self._at_home) + len(self._away)
        return max(0, self.size - taken)

    def free_here(self) -> int:
        return max(0, self._local.free() - len(self._steps))

    def warm(self, count: int, settings: PageSettings | None, output: Place | None = None) -> None:
        # Another job may name other folders and languages.
        self._engine.forgive()
        self._refused.clear()
        self._local.warm(min(count, self._local.size), settings, output)

    def start(self, ticket: int, task: Task, limit_seconds: float) -> None:
        if not isinstance(task, PageTask):
            self._steps.append((ticket, task, limit_seconds))
        elif task.source.password is not None and not self._engine.secure:
            self._post(Due(self, (TaskEnded(ticket, _insecure(task), 0.0),)))
            return
        else:
            self._ready.append(_Page(ticket, task, limit_seconds))
        if not self._is_due:
            # Not at once: what is started in the same turn makes one order.
            self._is_due = True
            self._post(Due(self))

    def kill(self, tickets: set[int]) -> None:
        self._steps = deque(step for step in self._steps if step[0] not in tickets)
        self._ready = deque(page for page in self._ready if page.ticket not in tickets)
        here = tickets & self._at_home.keys()
        withdrawn = {self._away[ticket] for ticket in tickets & self._away.keys()}
        if withdrawn:
            self._engine.withdraw(withdrawn)
        for key in withdrawn:
            left = self._forget(key)
            self._ready.extendleft(reversed([page for page in left if page.ticket not in tickets]))
        for ticket in here:
            del self._at_home[ticket]
        self._local.kill(here)

    def owns(self, message: object) -> bool:
        if isinstance(message, Due):
            return message.pool is self
        if isinstance(message, OrderBegun | PagesSpoke | OrderEnded | NodesChanged):
            return message.engine is self._engine
        return self._local.owns(message)

    def handle(self, message: Any) -> list[TaskEnded]:
        if isinstance(message, Due):
            self._is_due = self._is_due and bool(message.ended)
            ended = list(message.ended)
        elif isinstance(message, OrderBegun | PagesSpoke | OrderEnded | NodesChanged):
            ended = self._hear(message)
        else:
            ended = self._heard_here(self._local.handle(message))
        return ended + self._dispatch()

    def tick(self) -> None:
        self._local.tick()
        now = time.monotonic()
        if self._alone_at is not None and now >= self._alone_at and not self._is_alone:
            self._is_alone = True
            if self._settings.on_no_nodes == "local":
                log.warning("no node of the cluster is there: this machine reads the pages itself")
            # Heard by the owner, which then tells of it.
            self._post(Due(self))

    def next_tick(self) -> float | None:
        times = [self._local.next_tick(), None if self._is_alone else self._alone_at]
        return min((at for at in times if at is not None), default=None)

    def shift(self, seconds: float) -> None:
        self._local.shift(seconds)
        if self._alone_at is not None:
            self._alone_at += seconds

    def touch(self) -> None:
        self._local.touch()

    def waiting(self) -> set[int]:
        """All that no process has: of an order in work that is all but its first page."""
        waiting = {page.ticket for page in self._ready} | {ticket for ticket, *_ in self._steps}
        for sent in self._sent.values():
            at_work = 1 if sent.node else 0
            waiting.update(list(sent.pages)[at_work:])
        return waiting

    def recall(self, tickets: set[int]) -> set[int]:
        """What is ready, and orders that no node has begun with."""
        waiting = {page.ticket for page in self._ready}
        for sent in self._sent.values():
            if not sent.node and sent.pages.keys() <= tickets:
                waiting |= sent.pages.keys()
        recalled = waiting & tickets
        self.kill(recalled)
        return recalled

    def crew(self) -> Crew:
        nodes = self._engine.nodes()
        reading = [node for node in nodes if not node.refused]
        refused = [
            self._refused.get(node.address) or RefusedNode(node.name, "node_differs", node.refused)
            for node in nodes
            if node.refused
        ]
        width = self._engine.slots() + max(1, self._local.size - self._kept)
        slots = sum(node.slots for node in reading)
        return Crew(width, len(reading), slots, self._lost, tuple(refused), self._is_alone)

    def stats(self) -> PoolStats:
        return self._local.stats()

    def rss_bytes(self) -> int:
        return self._local.rss_bytes()

    def close(self) -> None:
        self._engine.close()
        self._local.close()
        for forgotten in (self._steps, self._ready, self._at_home, self._sent, self._away):
            forgotten.clear()

    # Who gets what

    @property
    def _kept(self) -> int:
        """Processes of this machine that read no pages, so that opening and composing never wait long."""
        if self._engine.slots():
            return 1
        if self._settings.on_no_nodes == "wait":
            return self._local.size
        return 0 if self._is_alone else 1

    def _dispatch(self) -> list[TaskEnded]:
        ended = list[TaskEnded]()
        while self._steps and self._local.free() > 0:
            ended += self._start_here(*self._steps.popleft())
        self._send_orders()
        for page in self._for_here():
            ended += self._start_here(page.ticket, page.task, page.limit_seconds)
        return ended

    def _for_here(self) -> Iterable[_Page]:
        """Pages for processes of this machine that would have nothing to do."""
        while self._ready and not self._steps and self._local.free() > self._kept:
            yield self._ready.popleft()

    def _start_here(self, ticket: int, task: Task, limit_seconds: float) -> list[TaskEnded]:
        try:
            self._local.start(ticket, task, limit_seconds)
        except OSError as error:
            return [TaskEnded(ticket, none_started(str(error)))]
        self._at_home[ticket] = task
        return []

    def _send_orders(self) -> None:
        slots = self._engine.slots()
        while self._ready and len(self._sent) < ORDERS_A_SLOT * slots:
            self._send(self._chosen(slots))

    def _chosen(self, slots: int) -> list[_Page]:
        """The pages of the next order: a part of a slot's share of what is ready, so that all end at about the same time."""
        most = -(-len(self._ready) // (ORDERS_READY * slots))
        first = self._ready.popleft()
        chosen = [first]
        # Of one that ended a node it is to be known that it was this one, should it end another.
        while self._ready and len(chosen) < most and first.name not in self._ended_nodes:
            page = self._ready[0]
            is_like = page.task.settings == first.task.settings and page.name not in self._ended_nodes
            if not is_like or not self._sizes.fits([one.task for one in chosen], page.task):
                break
            chosen.append(self._ready.popleft())
        return chosen

    def _send(self, pages: list[_Page]) -> None:
        key = f"page-{self._name}-{next(self._numbers)}"
        reader = digest_of(pages[0].task.settings)
        ordered = tuple(
            OrderedPage(page.ticket, page.task, page.limit_seconds, self._content(page)) for page in pages
        )
        self._sent[key] = _Sent({page.ticket: page for page in pages})
        self._away.update(dict.fromkeys((page.ticket for page in pages), key))
        self._engine.send(key, Order(key, self._engine.topic, reader, ordered).dump())

    def _content(self, page: _Page) -> bytes | None:
        """The file itself, where it may go inside the order: small, of one page, and unchanged."""
        source = page.task.source
        if not self._settings.inline or self._sizes.pages_of(source.path) != 1:
            return None
        try:
            return self._glances.take(lambda: content_of(source, MOST_INLINE_BYTES), source.path)
        except (OSError, OcrError):
            # A node says what is wrong with it.
            return None

    def _fault_of_node(self, source: Source, failure: Failure) -> str:
        """What is wrong with a node by what it says of a page; empty where that holds here as well."""
        if failure.code not in SEEN_OTHERWISE:
            return f"it says: {failure.message}" if is_of_the_node(failure.code) else ""
        try:
            is_otherwise = self._glances.take(lambda: is_seen_otherwise(source, failure.code), source.path)
        except (OSError, OcrError, ValueError):
            return ""
        return SEEN_OTHERWISE[failure.code].format(source.name) if is_otherwise else ""

    # What was heard

    def _heard_here(self, ended: list[TaskEnded]) -> list[TaskEnded]:
        for one in ended:
            task = self._at_home.pop(one.ticket, None)
            match task, one.outcome:
                case OpenTask(), Opened():
                    self._sizes.opened(task.source.path, one.outcome)
                case ComposeTask(), _:
                    self._sizes.forget(task.source.path)
                case PageTask(), PageDone():
                    self._sizes.page_took(task, one.seconds)
                case _:
                    pass
        return ended

    def _hear(self, message: EngineMessage) -> list[TaskEnded]:
        match message:
            case OrderBegun(_, key, node):
                return self._begun(key, node)
            case PagesSpoke(_, content):
                return self._replied(content)
            case OrderEnded(_, key, content, why):
                ended = self._replied(content) if content is not None else []
                return ended + self._order_ended(key, why)
            case NodesChanged():
                self._look_at_nodes()
                return []

    def _look_at_nodes(self) -> None:
        if self._engine.slots():
            self._alone_at, self._is_alone = None, False
        elif self._alone_at is None:
            self._alone_at = time.monotonic() + ALONE_SECONDS

    def _begun(self, key: str, node: str) -> list[TaskEnded]:
        """A node is at work; if another was before, that one is gone, and with it maybe for the page that it had."""
        sent = self._sent.get(key)
        if sent is None:
            return []
        before, sent.node = sent.node, node
        if not before:
            return []
        is_guilty = self._count_ended_node(sent.pages.values())
        if len(sent.pages) == 1 and not is_guilty:
            self._lost += 1
            return []
        self._engine.withdraw({key})
        return self._give_back(self._forget(key), "node", return_now=True)

    def _replied(self, content: bytes) -> list[TaskEnded]:
        try:
            reply = load_reply(content)
        except (ValueError, KeyError, TypeError, RecursionError):
            log.warning("a node answered with something that is no reply")
            return []
        if reply.refusal:
            return self._refuse(reply)
        return [ended for page in reply.pages for ended in self._page_ended(reply.node, page)]

    def _page_ended(self, node: str, reply: PageReply) -> list[TaskEnded]:
        """Take in what came of a page. What is not in work any more is dropped: it came late, or twice."""
        key = self._away.get(reply.ticket)
        if key is None:
            return []
        page, outcome = self._sent[key].pages[reply.ticket], reply.outcome
        if isinstance(outcome, Failure) and (why := self._fault_of_node(page.task.source, outcome)):
            self._refuse_faulty(node, page, why)
            return []
        self._take(key, reply.ticket)
        if isinstance(outcome, PageDone):
            if RESULT not in reply.files:
                return [TaskEnded(reply.ticket, _lost("withdrawn"), 0.0)]
            self._sizes.page_took(page.task, reply.seconds)
            try:
                _put(page.task, reply)
            except (OSError, OcrError) as error:
                return [TaskEnded(reply.ticket, _not_stored(error), reply.seconds)]
        self._ended_nodes.pop(page.name, None)
        return [TaskEnded(reply.ticket, outcome, reply.seconds, reply.is_first)]

    def _take(self, key: str, ticket: int) -> None:
        del self._away[ticket]
        sent = self._sent[key]
        del sent.pages[ticket]
        if not sent.pages:
            del self._sent[key]

    def _order_ended(self, key: str, why: Loss | None) -> list[TaskEnded]:
        """Nothing more comes of it: what has no reply is lost."""
        begun = self._sent[key].node if key in self._sent else ""
        left = self._forget(key)
        if not left:
            return []
        loss = why or Loss("withdrawn")
        if begun and loss.why == "node":
            self._count_ended_node(left)
        return self._give_back(left, loss.why)

    def _give_back(self, pages: list[_Page], why: str, *, return_now: bool = False) -> list[TaskEnded]:
        """Pages that were lost: guilty ones are given up; the others are told of, or just wait for their turn again."""
        ended = list[TaskEnded]()
        self._lost += len(pages)
        for page in reversed(pages):
            if self._ended_nodes.get(page.name, 0) >= MOST_NODES_ENDED:
                ended.append(TaskEnded(page.ticket, _guilty(), 0.0))
            elif return_now:
                self._ready.appendleft(page)
            else:
                ended.append(TaskEnded(page.ticket, _lost(why), 0.0))
        return ended

    def _count_ended_node(self, pages: Iterable[_Page]) -> bool:
        """Whether one of them has taken too many with it. Each may have been it: of the last that ended no word may have come."""
        counts = []
        for page in pages:
            counts.append(self._ended_nodes.pop(page.name, 0) + 1)
            while len(self._ended_nodes) >= REMEMBERED:
                del self._ended_nodes[next(iter(self._ended_nodes))]
            self._ended_nodes[page.name] = counts[-1]
        return max(counts) >= MOST_NODES_ENDED

    def _refuse(self, reply: Reply) -> list[TaskEnded]:
        """A node that would read otherwise gets nothing more; its order goes to another."""
        self._tell_refused(reply.node, reply.refusal)
        self._ready.extendleft(reversed(self._forget(reply.key)))
        return []

    def _refuse_faulty(self, node: str, page: _Page, why: str) -> None:
        """No fault of the file: it is there as it was, and this node does not see it so, or can't work."""
        self._tell_refused(node, why)
        self._take(self._away[page.ticket], page.ticket)
        self._ready.appendleft(page)

    def _tell_refused(self, node: str, why: str) -> None:
        if node not in self._refused:
            name = next((one.name for one in self._engine.nodes() if one.address == node), node)
            log.warning("the node %s gets no pages: %s", name, why)
            self._refused[node] = RefusedNode(name, "node_differs", why)
        self._engine.refuse(node, why)
        self._look_at_nodes()

    def _forget(self, key: str) -> list[_Page]:
        """Its pages that have not ended."""
        sent = self._sent.pop(key, None)
        if sent is None:
            return []
        for ticket in sent.pages:
            del self._away[ticket]
        return list(sent.pages.values())


def _put(task: PageTask, reply: PageReply) -> None:
    """Put a page's files into place: the result last, as it stands for all of them. Raises OSError, OcrError."""
    place = Path(task.result_path)
    make_private(place.parent)
    for ending in sorted(reply.files, reverse=True):
        write_unsynced(place.with_suffix(ending), reply.files[ending])


def _insecure(task: PageTask) -> Failure:
    message = (
        f"{task.source.name} needs its password, which goes over TLS alone: give the cluster certificates, or read it"
        " without the cluster"
    )
    return Failure.of(ClusterInsecureError(message))


def _lost(why: str) -> Failure:
    what = {"node": "the node that read it is gone", "scheduler": "the cluster's scheduler is gone"}
    return Failure.of(NodeLostError(what.get(why, "the cluster gave it back")))


def _guilty() -> Failure:
    message = f"{MOST_NODES_ENDED} nodes ended while this page was in work; take it out of the file, or read it alone"
    return Failure.of(CrashedError(message, nodes=MOST_NODES_ENDED))


def _not_stored(error: Exception) -> Failure:
    if isinstance(error, OcrError):
        return Failure.of(error)
    return none_started(f"its result can't be stored: {error}")
