"""A whole cluster in this process: Dask's scheduler and nodes without a network, real page processes, no server."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dask
from distributed import Scheduler

from ocr_worker.cluster.node import PathMap
from ocr_worker.cluster.node_plugin import Node, NodePlugin
from ocr_worker.settings import Settings
from rigs import HANG_SECONDS


@dataclass
class Embedded:
    folder: Path
    address: str = ""
    nodes: list[Node] = field(default_factory=list)
    scheduler: Scheduler | None = None
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def call(self, step: Any) -> Any:
        """Run a coroutine in the cluster's own thread."""
        return asyncio.run_coroutine_threadsafe(step, self.loop).result(HANG_SECONDS)

    def join(self, slots: int = 1, maps: Sequence[PathMap] = (), plugin: NodePlugin | None = None) -> Node:
        """Another node."""
        settings = Settings(self.folder / "unused", page_processes=slots)
        return self.call(self._join(slots, plugin or NodePlugin(settings, tuple(maps))))  # type: ignore[no-any-return]

    async def _join(self, slots: int, plugin: NodePlugin) -> Node:
        node = Node(
            self.address, nthreads=slots, plugins=(plugin,), memory_limit=0, local_directory=str(self.folder)
        )
        self.nodes.append(await node)
        return node

    def orders(self) -> int:
        """How many the scheduler has."""
        assert self.scheduler is not None
        return len(self.scheduler.tasks)

    def lose(self, node: Node) -> None:
        """As if its machine was switched off: the scheduler finds it gone."""
        self.nodes.remove(node)
        self.call(node.close(timeout=0.1, reason="lost"))


@contextmanager
def embedded(folder: Path, nodes: int = 2, protocol: str = "inproc") -> Iterator[Embedded]:
    logging.getLogger("distributed").setLevel(logging.ERROR)
    cluster = Embedded(folder)
    thread = threading.Thread(target=cluster.loop.run_forever, daemon=True)
    thread.start()
    with dask.config.set(
        {"distributed.scheduler.http.routes": [], "distributed.scheduler.allowed-failures": 2}
    ):
        cluster.scheduler = scheduler = cluster.call(_scheduler(protocol))
        cluster.address = scheduler.address
        try:
            for _ in range(nodes):
                cluster.join()
            yield cluster
        finally:
            for node in list(cluster.nodes):
                cluster.lose(node)
            cluster.call(scheduler.close())
            cluster.loop.call_soon_threadsafe(cluster.loop.stop)
            thread.join(HANG_SECONDS)


async def _scheduler(protocol: str) -> Scheduler:
    host = "127.0.0.1" if protocol == "tcp" else None
    return await Scheduler(protocol=protocol, host=host, dashboard=False, dashboard_address=":0", port=0)  # type: ignore[no-any-return]
