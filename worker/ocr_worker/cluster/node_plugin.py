"""A Dask worker that reads pages: its plugin, the one function that orders name, and its life on a scheduler."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import dask
from distributed import Security, Worker, WorkerPlugin, get_worker
from distributed.comm.core import connect

from ocr_worker.cluster.node import PageNode, PathMap
from ocr_worker.cluster.orders import Reply, load_order
from ocr_worker.cluster.readers import own_reader
from ocr_worker.settings import Settings, TlsFiles

if TYPE_CHECKING:
    from ocr_worker.cluster.node_process import NodeOptions

log = logging.getLogger(__name__)

FACTS = "ocr"
"""Under which the scheduler keeps what a node says of itself."""
SILENT_SECONDS = 15.0
"""Without a word of the scheduler for so long, nobody waits for the pages any more."""
LEAVE_SECONDS = 10.0
"""How long a node that leaves finishes its pages."""
NODE_SETTINGS = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.low-level-log-length": 10,
}
"""Dask looks at all threads a hundred times a second, and at its loop fifty times: most of what an idle node costs.

It keeps the last thousand messages that it sent, which here are texts of pages.
"""
JOIN_SECONDS = 5.0
LOOK_SECONDS = 2.0
AGAIN_SECONDS = 1.0


def read_order(order: bytes) -> None:
    """Carry out an order on the node that this is called on. Its name is all of ours that is ever pickled.

    Each page is told of as it ends, in the stream that then tells of the order's end: nothing is left to be fetched.
    """
    worker = get_worker()
    plugin = worker.plugins.get(NodePlugin.name)
    if isinstance(plugin, NodePlugin):
        plugin.read(order)
        return
    head = load_order(order)
    refusal = Reply(head.key, worker.address, (), "it was not started by `ocr-worker node`").dump()
    worker.log_event(head.topic, {"reply": refusal})


class NodePlugin(WorkerPlugin):
    """Ties a page node to a Dask worker."""

    name = "ocr-pages"

    def __init__(self, settings: Settings, maps: tuple[PathMap, ...] = ()) -> None:
        """Start nothing yet; `settings.page_processes` is made the worker's number of threads."""
        self._settings, self._maps = settings, maps
        self.node: PageNode | None = None
        self._worker: Worker | None = None

    def setup(self, worker: Worker) -> None:
        """Before the worker registers, so that the scheduler has all of it at once."""
        self._worker = worker
        self.node = node = PageNode(self._settings, worker.address, self._maps)
        worker.startup_information[FACTS] = lambda _: facts_of_this_machine()
        worker.metrics[FACTS] = lambda _: {"pages_per_minute": node.pages_per_minute()}

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002  # as Dask calls it
        if self.node is not None:
            self.node.close()

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """A task that was withdrawn runs on in Dask; here its page process is killed."""
        if start in {"executing", "long-running"} and finish == "released" and self.node is not None:
            self.node.end(str(key))

    def read(self, order: bytes) -> None:
        """In a thread of the worker, until the order has ended."""
        assert self._worker is not None
        assert self.node is not None
        worker, head = self._worker, load_order(order)
        worker.log_event(head.topic, {"begun": head.key, "node": worker.address})

        def say(reply: bytes) -> None:
            worker.log_event(head.topic, {"reply": reply})

        try:
            self.node.read(head, say)
        except Exception as error:  # noqa: BLE001  # Dask would log what it was called with, and pickle the error
            log.warning("an order can't be carried out (%s)", type(error).__name__)


class Node(Worker):
    """A Dask worker that knows when it last heard the scheduler, and serves no pages of its own."""

    heard_at: float = 0.0

    def _update_latency(self, latency: float) -> None:
        super()._update_latency(latency)
        self.heard_at = time.monotonic()

    def start_http_server(self, *_: Any, **__: Any) -> None:
        """None: nobody asked for one."""


def security_of(tls: TlsFiles | None) -> Security:
    """Both sides show certificates of one authority."""
    if tls is None:
        return Security()
    files = {
        f"tls_{side}_{kind}": str(file)
        for side in ("client", "worker", "scheduler")
        for kind, file in (("cert", tls.cert), ("key", tls.key))
    }
    return Security(tls_ca_file=str(tls.ca), require_encryption=True, **files)


def facts_of_this_machine() -> dict[str, Any]:
    """What the scheduler keeps of this node."""
    import psutil

    reader = own_reader()
    return {
        "version": reader.version,
        "engines": reader.engines,
        "languages": reader.languages,
        "memory_bytes": int(psutil.virtual_memory().total),
        "python": sys.version.split()[0],
    }


async def serve_node(
    options: NodeOptions, settings: Settings, leave: asyncio.Event, say: Callable[[str], None]
) -> None:
    """Be a node until `leave` is set; join again after any loss."""
    apply_node_settings()
    told = ""
    while not leave.is_set():
        node, plugin = _made(options, settings)
        try:
            await asyncio.wait_for(node, JOIN_SECONDS)
        except Exception as error:  # noqa: BLE001  # the next try may meet a better network
            await _close(node, plugin)
            what = f"{options.address} can't be joined: {str(error) or await _silence_of(options)}"
            if what != told:
                say(what)
            told = what
            await _pause(leave, AGAIN_SECONDS)
            continue
        told = ""
        say(f"Joined {options.address} with {options.slots} slot{'s' * (options.slots != 1)}")
        await _be_a_node(node, plugin, leave)
        if not leave.is_set():
            say(f"Lost {options.address}; joining again")
            await _pause(leave, AGAIN_SECONDS)


async def _silence_of(options: NodeOptions) -> str:
    """Why the scheduler does not answer: Dask tries again and again, and tells nobody what it meets."""
    arguments = security_of(options.tls).get_connection_args("worker")
    try:
        comm = await asyncio.wait_for(connect(options.address, LOOK_SECONDS, **arguments), 2 * LOOK_SECONDS)
    except asyncio.TimeoutError:
        return f"no word for {2 * LOOK_SECONDS:g} s"
    except Exception as error:  # noqa: BLE001  # told
        # Without the port that was ours: else the same would be told again and again.
        return str(error).rpartition(">: ")[2]
    comm.abort()
    return "it takes no nodes now"


def apply_node_settings() -> None:
    """Of this process, for good: it is a node."""
    dask.config.set(NODE_SETTINGS)


def _made(options: NodeOptions, settings: Settings) -> tuple[Node, NodePlugin]:
    plugin = NodePlugin(settings, options.maps)
    node = Node(
        options.address,
        nthreads=options.slots,
        name=options.name,
        security=security_of(options.tls),
        plugins=(plugin,),
        memory_limit=0,
        dashboard=False,
        death_timeout=JOIN_SECONDS,
        local_directory=str(settings.temp_dir),
    )
    return node, plugin


async def _be_a_node(node: Node, plugin: NodePlugin, leave: asyncio.Event) -> None:
    while node.status.name in {"running", "paused"}:
        if time.monotonic() - node.heard_at > SILENT_SECONDS:
            log.warning("the scheduler has not been heard for %g s", SILENT_SECONDS)
            break
        if leave.is_set():
            await _finish(node, plugin)
            break
        await _pause(leave, AGAIN_SECONDS)
    await _close(node, plugin)


async def _finish(node: Node, plugin: NodePlugin) -> None:
    """Take nothing new, and finish what is in work, for a while."""
    with suppress(Exception):
        await asyncio.wait_for(
            node.scheduler.retire_workers(
                workers=[node.address], close_workers=False, remove=False, stimulus_id="ocr-node-leaves"
            ),
            LEAVE_SECONDS,
        )
    if plugin.node is not None:
        await asyncio.to_thread(plugin.node.await_rest, LEAVE_SECONDS)


async def _close(node: Node, plugin: NodePlugin) -> None:
    if plugin.node is not None:
        plugin.node.end_all()
    with suppress(Exception):
        await asyncio.wait_for(node.close(timeout=2), 2 * JOIN_SECONDS)
    plugin.teardown(node)


async def _pause(leave: asyncio.Event, seconds: float) -> None:
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(leave.wait(), seconds)
