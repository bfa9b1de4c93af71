"""Orders to the nodes by a Dask scheduler. A thread of its own connects, again and again, and never holds up a host.

No pickle of a node is ever read: replies come as events in msgpack, and what Dask pickles beside that (the type of a
result, an exception) is left as it is. Where Dask would read one all the same, it is refused.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from typing import Any

from distributed import Client, Future, Security
from typing_extensions import Self

from ocr_worker.cluster.engine import (
    EngineMessage,
    Loss,
    NodeFacts,
    NodesChanged,
    OrderBegun,
    OrderEnded,
    PagesSpoke,
    Reader,
)
from ocr_worker.cluster.node_plugin import FACTS, read_order, security_of
from ocr_worker.cluster.plain import refuse_pickles
from ocr_worker.cluster.readers import difference, own_reader
from ocr_worker.cluster.security import checked_address, is_secure
from ocr_worker.settings import MIB, ClusterSettings

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often the nodes are looked at."""
AGAIN_SECONDS = 1.0
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
"""A scheduler that takes longer to tell of its nodes is lost; one that is busy with a thousand slots may take some.

What ends is heard of at once: this is for one that hangs.
"""
CLOSE_SECONDS = 2.0
KEPT_EVENTS = 1000
"""Of a topic, by the scheduler."""
KEPT_MESSAGES = 1
GATHER_SECONDS = 0.02
MOST_GRAPH_BYTES = MIB
TOPIC = "ocr-"
"""How the topics begin under which nodes tell of pages."""
READ_PLAINLY = ["msgpack", "error"]


class DaskEngine:
    """An Engine. Begins to connect at once, and goes on until it is closed."""

    def __init__(self, settings: ClusterSettings, post: Callable[[EngineMessage], None]) -> None:
        """Raises ClusterInsecureError."""
        self._address = checked_address(settings.address, settings.tls, insecure=settings.insecure)
        self._security = security_of(settings.tls)
        self._post = post
        self._nodes: tuple[NodeFacts, ...] = ()
        self._slots = 0
        self._refused: dict[str, str] = {}
        self.topic = ""
        self._outbox: deque[tuple[str, bytes]] = deque()
        self._sending: asyncio.TimerHandle | None = None
        self._orders: dict[str, Future[Any]] = {}
        self._client: _Client | None = None
        self._closing = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="cluster", daemon=True)
        self._thread.start()

    # From the owner's thread

    @property
    def secure(self) -> bool:
        return is_secure(self._address)

    def slots(self) -> int:
        return self._slots

    def nodes(self) -> tuple[NodeFacts, ...]:
        return self._nodes

    def send(self, key: str, order: bytes) -> None:
        self._outbox.append((key, order))
        self._call(self._send_soon)

    def withdraw(self, keys: Collection[str]) -> None:
        self._call(self._withdraw, tuple(keys))

    def refuse(self, node: str, why: str) -> None:
        self._refused[node] = why
        self._count(tuple(self._judged(one) for one in self._nodes))

    def forgive(self) -> None:
        for node in list(self._refused):
            del self._refused[node]
        self._count(tuple(self._judged(replace(one, refused="")) for one in self._nodes))

    def close(self) -> None:
        self._call(self._closing.set)
        self._thread.join(CLOSE_SECONDS)

    def _call(self, call: Callable[..., None], *arguments: Any) -> None:
        # A loop that has ended has nothing to withdraw.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, *arguments)

    # In the engine's thread

    def _run(self) -> None:
        refuse_pickles()
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._stay_connected())
        except Exception:
            log.exception("the way to the cluster failed")
        finally:
            self._lose_all()
            self._loop.close()

    async def _stay_connected(self) -> None:
        told = False
        while not self._closing.is_set():
            try:
                client = await self._connected()
            except Exception as error:  # noqa: BLE001  # whatever it is, another try may meet a better network
                if not told:
                    log.warning("the cluster %s can't be reached: %s", self._address, error)
                told = True
                await self._pause(AGAIN_SECONDS)
                continue
            told = False
            if client is not None:
                await self._work(client)

    async def _connected(self) -> _Client | None:
        """None where it is not needed any more before it is there."""
        connecting = asyncio.ensure_future(_Client(self._address, self._security, self).connected())
        closing = asyncio.ensure_future(self._closing.wait())
        await asyncio.wait({connecting, closing}, return_when=asyncio.FIRST_COMPLETED)
        closing.cancel()
        if connecting.done():
            return connecting.result()
        connecting.cancel()
        with suppress(asyncio.CancelledError):
            await connecting
        return None

    async def _work(self, client: _Client) -> None:
        """Until the way to the scheduler is lost, or is not needed any more."""
        self._client, self.topic = client, f"{TOPIC}{client.id}"
        client.subscribe_topic(self.topic, self._hear)
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            while not client.lost.is_set() and not self._closing.is_set():
                await self._look(client)
                lost = asyncio.ensure_future(client.lost.wait())
                await asyncio.wait({lost, closing}, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                lost.cancel()
        except Exception as error:  # noqa: BLE001  # as when it can't be reached
            log.warning("the cluster %s is lost: %s", self._address, error)
        finally:
            closing.cancel()
            self._client = None
            self._lose_all()
            await self._leave(client)

    async def _leave(self, client: _Client) -> None:
        with suppress(Exception):
            if not client.lost.is_set():
                # The scheduler keeps what was told under a topic, which is text of pages.
                client.unsubscribe_topic(self.topic)
                await client.log_event([self.topic] * KEPT_EVENTS, "")
            await asyncio.wait_for(client.close(timeout=1), CLOSE_SECONDS)

    async def _look(self, client: _Client) -> None:
        """See who is there."""
        try:
            found = await asyncio.wait_for(_identity(client), ANSWER_SECONDS)
        except asyncio.TimeoutError:
            raise TimeoutError(f"it has not answered for {ANSWER_SECONDS:g} s") from None
        nodes = tuple(self._judged(node) for node in nodes_of(found))
        before = _marks(self._nodes)
        self._count(nodes)
        if _marks(nodes) != before:
            self._post(NodesChanged(self))

    def _judged(self, node: NodeFacts) -> NodeFacts:
        why = self._refused.get(node.address) or node.refused or difference(own_reader(), node.reader)
        return replace(node, refused=why)

    def _count(self, nodes: tuple[NodeFacts, ...]) -> None:
        self._nodes = nodes
        self._slots = sum(node.slots for node in nodes if not node.refused)

    def _send_soon(self) -> None:
        """With what else comes for a moment: a graph costs the scheduler twice what an order in it does, and orders are ahead."""
        if self._sending is None:
            self._sending = self._loop.call_later(GATHER_SECONDS, self._send_all)

    def _send_all(self) -> None:
        self._sending = None
        while self._outbox:
            orders, size = dict[str, bytes](), 0
            while self._outbox and size < MOST_GRAPH_BYTES:
                key, order = self._outbox.popleft()
                orders[key] = order
                size += len(order)
            self._send(orders)

    def _send(self, orders: dict[str, bytes]) -> None:
        client = self._client
        if client is not None:
            allowed = [node.address for node in self._nodes if not node.refused]
            workers = allowed if len(allowed) < len(self._nodes) else None
            try:
                futures = client.map(
                    read_order, list(orders.values()), key=list(orders), pure=False, workers=workers
                )
            except Exception:
                log.exception("orders can't be sent")
            else:
                self._orders.update(zip(orders, futures, strict=True))
                return
        for key in orders:
            self._post(OrderEnded(self, key, why=Loss("scheduler")))

    def _withdraw(self, keys: tuple[str, ...]) -> None:
        self._send_all()
        futures = [future for key in keys if (future := self._orders.pop(key, None)) is not None]
        if futures and self._client is not None:
            asyncio.ensure_future(self._cancel(self._client, futures))  # noqa: RUF006  # its loop outlives it

    async def _cancel(self, client: _Client, futures: list[Future[Any]]) -> None:
        with suppress(Exception):
            await client.cancel(futures, force=True)

    def _hear(self, event: tuple[float, Any]) -> None:
        """What a node tells by the scheduler."""
        _, told = event
        if not isinstance(told, dict):
            return
        if isinstance(reply := told.get("reply"), bytes):
            self._post(PagesSpoke(self, reply))
        elif told.get("begun") in self._orders:
            self._post(OrderBegun(self, told["begun"], str(told.get("node"))))

    def done(self, key: str) -> None:
        """All pages of it were told of, as events come before the end of what told them; should some be missing, they are asked for."""
        if (future := self._orders.pop(key, None)) is not None:
            self._post(OrderEnded(self, key))
            future.release()

    def failed(self, key: str, loss: Loss) -> None:
        if (future := self._orders.pop(key, None)) is not None:
            self._post(OrderEnded(self, key, why=loss))
            future.release()

    def _lose_all(self) -> None:
        self._send_all()
        for key in list(self._orders):
            self._post(OrderEnded(self, key, why=Loss("scheduler")))
        self._orders.clear()
        if self._nodes:
            self._count(())
            self._post(NodesChanged(self))

    async def _pause(self, seconds: float) -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)


class _PlainClient(Client):
    """Leaves packed what others have pickled, and lets no node print or warn here: the output is the host's."""

    def __init__(self, address: str, security: Security, seconds: float = CONNECT_SECONDS) -> None:
        super().__init__(
            address,
            asynchronous=True,
            set_as_default=False,
            direct_to_workers=False,
            timeout=seconds,
            security=security,
            deserializers=READ_PLAINLY,
        )
        self._seconds = seconds

    async def connected(self) -> Self:
        try:
            # Dask itself waits for ever for who takes a connection and says nothing, as a scheduler that was stopped.
            await asyncio.wait_for(self, self._seconds)
        except asyncio.TimeoutError:
            raise TimeoutError(f"no word for {self._seconds:g} s") from None
        finally:
            if self.status != "running":
                # Else its end by the collector would begin a close that nobody awaits.
                self.status = "closed"
        return self

    async def _ensure_connected(self, timeout: float | None = None) -> None:
        await super()._ensure_connected(timeout=timeout)
        if self.scheduler_comm is not None:
            self.scheduler_comm.comm.deserialize = False
            # Dask keeps the last thousand that it sent: here graphs of up to a megabyte, with passwords.
            self.scheduler_comm.recent_message_log = deque(maxlen=KEPT_MESSAGES)

    def subscribe_topic(self, topic: str, handler: Callable[[Any], None]) -> None:
        if topic.startswith(TOPIC):
            super().subscribe_topic(topic, handler)


class _Client(_PlainClient):
    """Says at once when the scheduler is gone: another client takes its place."""

    def __init__(self, address: str, security: Security, owner: DaskEngine) -> None:
        super().__init__(address, security)
        self.owner, self.lost = owner, asyncio.Event()

    async def _handle_report(self) -> None:
        try:
            await super()._handle_report()
        except Exception as error:  # noqa: BLE001  # whatever can't be read
            log.warning("what the scheduler sends is not read: %s", error)
        finally:
            self.lost.set()

    async def _reconnect(self) -> None:
        self.scheduler_comm = None
        self.lost.set()

    def _handle_key_in_memory(self, key: Any = None, type: Any = None, workers: Any = None) -> None:  # noqa: A002, ARG002
        # As it is called; the type is a pickle of the node.
        super()._handle_key_in_memory(key)
        self.owner.done(key)

    def _handle_task_erred(self, key: Any = None, exception: Any = None, traceback: Any = None) -> None:  # noqa: ARG002
        self.owner.failed(key, Loss("node"))

    def _handle_cancelled_keys(self, keys: Any, reason: Any = None, msg: Any = None) -> None:
        super()._handle_cancelled_keys(keys, reason=reason, msg=msg)
        for key in keys:
            self.owner.failed(key, Loss("withdrawn"))


async def _identity(client: Client) -> dict[str, Any]:
    """Of the scheduler, with all its workers."""
    scheduler: Any = client.scheduler
    return dict(await scheduler.identity(n_workers=-1))


def nodes_of(identity: dict[str, Any]) -> list[NodeFacts]:
    """The nodes that a scheduler knows; workers of other programs among them are refused."""
    return [_facts(address, worker) for address, worker in identity["workers"].items()]


def _facts(address: str, worker: dict[str, Any]) -> NodeFacts:
    told, name = worker.get(FACTS), str(worker.get("name", address))
    if not isinstance(told, dict) or worker.get("status") != "running":
        why = "it leaves" if isinstance(told, dict) else "it was not started by `ocr-worker node`"
        return NodeFacts(address, name, 0, Reader("", {}, {}), refused=why)
    reader = Reader(str(told["version"]), dict(told["engines"]), dict(told["languages"]))
    metrics = worker.get("metrics") or {}
    return NodeFacts(
        address,
        name,
        int(worker["nthreads"]),
        reader,
        int(told["memory_bytes"]),
        str(told["python"]),
        int((metrics.get(FACTS) or {}).get("pages_per_minute", 0)),
    )


def _marks(nodes: tuple[NodeFacts, ...]) -> list[tuple[str, int, str]]:
    return [(node.address, node.slots, node.refused) for node in nodes]


def look_at(settings: ClusterSettings, seconds: float = CONNECT_SECONDS) -> list[NodeFacts]:
    """The nodes of a cluster, asked once. Raises OSError, ClusterInsecureError."""
    address = checked_address(settings.address, settings.tls, insecure=settings.insecure)

    async def ask() -> dict[str, Any]:
        refuse_pickles()
        client = await _PlainClient(address, security_of(settings.tls), seconds).connected()
        try:
            return await _identity(client)
        finally:
            await client.close(timeout=1)

    ours = own_reader()
    nodes = nodes_of(asyncio.run(ask()))
    return [replace(node, refused=node.refused or difference(ours, node.reader)) for node in nodes]
