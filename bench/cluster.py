"""`python -m bench.cluster [ROW…]`: what a cluster costs. Nodes are simulated where the rows are about the way to them.

Prints a row each, and leaves nothing behind. That nothing is lost is for `make cluster-test` to show.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from ocr_worker.cluster.cluster_pool import ClusterPool
from ocr_worker.cluster.dask_engine import DaskEngine
from ocr_worker.cluster.node import TELL_SECONDS
from ocr_worker.cluster.orders import RESULT, PageReply, Reply, load_order
from ocr_worker.model.crew import Crew
from ocr_worker.model.tasks import PageDone, PageSettings, PageTask, Source
from ocr_worker.processes.pool import PoolStats, TaskEnded
from ocr_worker.settings import ClusterSettings, Settings
from rigs import await_that
from rigs.scheduler import SCHEDULER_SETTINGS, SCHEDULER_WORDS

if TYPE_CHECKING:
    from bench.jobs import Effort, Job

PAGE_BYTES = 7000
WAIT_SECONDS = 300.0


class NoProcesses:
    """A local pool that reads nothing, so that only the way to the nodes is measured."""

    size = 1

    def free(self) -> int:
        return 1

    def free_here(self) -> int:
        return 1

    def warm(self, *_: object) -> None: ...

    def start(self, *_: object) -> None:
        raise AssertionError("nothing is to be read here")

    def kill(self, *_: object) -> None: ...

    def owns(self, *_: object) -> bool:
        return False

    def handle(self, *_: object) -> list[TaskEnded]:
        return []

    def tick(self) -> None: ...

    def next_tick(self) -> float | None:
        return None

    def shift(self, *_: object) -> None: ...

    def touch(self) -> None: ...

    def waiting(self) -> set[int]:
        return set()

    def recall(self, *_: object) -> set[int]:
        return set()

    def crew(self) -> Crew:
        return Crew(1)

    def stats(self) -> PoolStats:
        return PoolStats()

    def rss_bytes(self) -> int:
        return 0

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Simulated:
    """So many slots, of which each reads so many pages that take so long; of them some at a time, as there are many to do."""

    slots: int
    pages_a_slot: int = 30
    page_seconds: float = 1.0
    slots_a_node: int = 10


@dataclass(frozen=True, slots=True)
class Measured:
    pages: int
    seconds_beyond: float
    """The ideal: until all slots are at work, between orders, and until the last one is told of."""
    share_of_ideal: float
    pages_an_order: float
    scheduler_ms: float
    coordinator_ms: float
    nodes_ms: float
    """CPU an order. That of the nodes is the simulation's own: all of them are one process of this machine."""
    cores: float
    """That all three kept busy."""
    scheduler_mb: float
    coordinator_mb: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, *PARTS, []], default=list(ROWS))
    parser.add_argument(
        "--share",
        type=float,
        default=1.0,
        help="Of the files beside the local pool, and of the pages of 1,000 slots.",
    )
    parser.add_argument("--address", default="")
    parser.add_argument("--slots", type=int, default=0)
    parser.add_argument("--slots-a-node", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    for row in options.rows:
        if row in PARTS:
            PARTS[row](options)
        else:
            sys.stdout.write(f"{row}: {ROWS[row](options.share)}\n")
            sys.stdout.flush()
    return 0


def simulated(case: Simulated, rounds: int = 2) -> str:
    found = [_run(case) for _ in range(rounds)]
    cheap = min(found, key=lambda one: one.scheduler_ms)
    shares = " and ".join(f"{one.share_of_ideal:.3f} ({one.seconds_beyond:.1f} s beyond it)" for one in found)
    return (
        f"{case.slots} slots in nodes of {case.slots_a_node}, {case.pages_a_slot} pages of {case.page_seconds:g} s each:"
        f" share of ideal {shares}; CPU an order of {cheap.pages_an_order:.1f} pages, scheduler {cheap.scheduler_ms:.2f} ms,"
        f" coordinator {cheap.coordinator_ms:.2f} ms, the simulated nodes {cheap.nodes_ms:.2f} ms, {cheap.cores:.2f} cores"
        f" of this machine in all; memory after {cheap.pages} pages {cheap.scheduler_mb:.0f} + {cheap.coordinator_mb:.0f} MB"
    )


def idle() -> str:
    """Of a scheduler and of two nodes in one process, over twenty seconds; and what a real node holds."""
    case, seconds = Simulated(20), 20
    with _scheduler() as (scheduler, address), _nodes(case, address) as nodes:
        _engine_of(address, case.slots)[0].close()
        before = _cpu(scheduler), _cpu(nodes)
        time.sleep(seconds)
        spent = [(_cpu(one) - then) / seconds for one, then in zip((scheduler, nodes), before, strict=True)]
    with tempfile.TemporaryDirectory() as place, _real_cluster(Path(place), warm=0) as (_, programs):
        scheduler_mb, *node_mb = (one.memory_info().rss / 1e6 for one in programs)
    return f"scheduler {spent[0]:.2%} of a core and {scheduler_mb:.1f} MB; a node {spent[1] / 2:.2%} and {max(node_mb):.1f} MB"


def embedded_start() -> str:
    from rigs.embedded import embedded

    seconds = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            with embedded(Path(folder), nodes=1):
                seconds.append(time.perf_counter() - begun)
    return f"{min(seconds):.2f} s at the least of {len(seconds)}, with one node"


# What makes files is imported by rows that need some: the memory of a coordinator is measured here, too.


def scans(share: float) -> str:
    from bench.jobs import scan_job

    return beside_local(scan_job, round(40 * share), 3)


def cards(share: float) -> str:
    from bench.jobs import card_job

    return beside_local(card_job, round(2000 * share), 3)


def losses(_: float) -> str:
    if os.geteuid() != 0:
        return "skipped: needs root for network namespaces"
    from bench import losses as rows

    return rows.losses()


def beside_local(make: Callable[[str, Effort, int], Job], count: int, rounds: int) -> str:
    """The same files by two processes of this machine, and by two nodes of one slot on it; in turn."""
    from bench.jobs import Effort

    with tempfile.TemporaryDirectory() as place, _real_cluster(Path(place)) as (address, programs):
        folder = Path(place)
        files = make("", Effort(folder), count).files
        idle = _cpu_a_second(programs)
        walls, beyond = [], []
        for turn in range(rounds):
            local = _batch(folder / f"local{turn}", files, 2)
            before = sum(map(_tree_cpu, programs))
            away = _batch(folder / f"away{turn}", files, 1, "--cluster", address)
            at_nodes = sum(map(_tree_cpu, programs)) - before - idle * away.seconds
            walls.append(local.seconds / away.seconds)
            beyond.append(1000 * (away.cpu + at_nodes - local.cpu) / count)
    return (
        f"{count} files, {rounds} rounds: wall of the local pool / of the cluster {_all(walls, '.2f')}; CPU a page beyond"
        f" the local pool's {_all(beyond, '.1f')} ms"
    )


def _all(figures: list[float], form: str) -> str:
    return ", ".join(format(one, form) for one in figures)


@dataclass(frozen=True, slots=True)
class _Taken:
    seconds: float
    cpu: float
    """Of a batch and all its processes."""


def _batch(folder: Path, files: list[Path], processes: int, *words: str) -> _Taken:
    state = {"OCR_WORKER_STATE_DIR": str(folder / "state"), "OCR_WORKER_PAGE_PROCESSES": str(processes)}
    environment = {**os.environ, **state}
    batch = [sys.executable, "-m", "ocr_worker", "batch", *map(str, files)]
    command = [*batch, "-o", str(folder / "out"), "-q", *words]
    before, begun = os.times(), time.monotonic()
    subprocess.run(command, env=environment, check=True)
    seconds, after = time.monotonic() - begun, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return _Taken(seconds, spent)


@contextmanager
def _real_cluster(folder: Path, warm: int = 8) -> Iterator[tuple[str, list[psutil.Process]]]:
    """A scheduler and two nodes of one slot, as docs/cluster.md starts them; ready, their page processes have read so much."""
    with _scheduler() as (scheduler, address), ExitStack() as stack:
        environment = {**os.environ, "OCR_WORKER_STATE_DIR": str(folder / "unused")}
        command = [sys.executable, "-m", "ocr_worker", "node", address, "--slots", "1"]
        nodes = [
            stack.enter_context(subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL))
            for _ in range(2)
        ]
        try:
            _engine_of(address, 2)[0].close()
            if warm:
                from samples import build

                warming = [one.path for one in build("cards", folder / "warm", seed=1, count=warm)]
                _batch(folder / "warmed", warming, 1, "--cluster", address)
            yield address, [scheduler, *(psutil.Process(one.pid) for one in nodes)]
        finally:
            for node in nodes:
                node.terminate()


def _cpu_a_second(programs: list[psutil.Process], seconds: float = 5.0) -> float:
    before = sum(map(_tree_cpu, programs))
    time.sleep(seconds)
    return (sum(map(_tree_cpu, programs)) - before) / seconds


def _tree_cpu(program: psutil.Process) -> float:
    """Of it and its page processes, those that have ended too."""
    spent = program.cpu_times()
    ended = spent.children_user + spent.children_system
    return _cpu(program) + ended + sum(map(_cpu, program.children(recursive=True)))


def _run(case: Simulated) -> Measured:
    with (
        _scheduler() as (scheduler, address),
        _nodes(case, address) as nodes,
        tempfile.TemporaryDirectory() as folder,
    ):
        engine, inbox = _engine_of(address, case.slots)
        pool = ClusterPool(NoProcesses(), engine, ClusterSettings(address), inbox.put)
        programs = (scheduler, psutil.Process(), nodes)
        before, begun = [_cpu(one) for one in programs], time.monotonic()
        count = case.slots * case.pages_a_slot
        _read_all(pool, inbox, count, Path(folder))
        seconds, ideal = time.monotonic() - begun, case.pages_a_slot * case.page_seconds
        spent = [_cpu(one) - then for one, then in zip(programs, before, strict=True)]
        memory = [one.memory_info().rss / 1e6 for one in programs]
        pool.close()
        scheduler_ms, coordinator_ms, nodes_ms = (1000 * one / engine.orders for one in spent)
        return Measured(
            pages=count, seconds_beyond=seconds - ideal, share_of_ideal=ideal / seconds,
            pages_an_order=count / engine.orders, scheduler_ms=scheduler_ms, coordinator_ms=coordinator_ms,
            nodes_ms=nodes_ms, cores=sum(spent) / seconds, scheduler_mb=memory[0], coordinator_mb=memory[1],
        )  # fmt: skip


def _cpu(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(spent.user + spent.system)


class _CountingEngine(DaskEngine):
    """And how many orders it has sent."""

    orders = 0

    def send(self, key: str, order: bytes) -> None:
        self.orders += 1
        super().send(key, order)


def _read_all(pool: ClusterPool, inbox: queue.SimpleQueue[Any], count: int, folder: Path) -> None:
    settings, started, ended = PageSettings(), 0, 0
    while ended < count:
        while started < count and pool.free() > 0:
            started += 1
            pool.start(
                started, PageTask(Source("/scan.png"), settings, started, str(folder / f"{started}.page")), 60
            )
        heard = pool.handle(inbox.get(timeout=WAIT_SECONDS))
        if lost := [one.outcome for one in heard if not isinstance(one.outcome, PageDone)]:
            raise RuntimeError(f"{len(lost)} pages came to nothing: {lost[0]}")
        ended += len(heard)


def _engine_of(address: str, slots: int) -> tuple[_CountingEngine, queue.SimpleQueue[Any]]:
    """Connected, with all nodes there."""
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    engine = _CountingEngine(ClusterSettings(address), inbox.put)
    deadline = time.monotonic() + WAIT_SECONDS
    while engine.slots() < slots:
        inbox.get(timeout=deadline - time.monotonic())
    return engine, inbox


@contextmanager
def _scheduler() -> Iterator[tuple[psutil.Process, str]]:
    """Dask's own program, as docs/cluster.md starts it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "scheduler.json"
        words = ("scheduler", "--host", "127.0.0.1", "--port", "0", *SCHEDULER_WORDS)
        command = [sys.executable, "-m", "dask", *words, "--scheduler-file", str(place)]
        environment = {**os.environ, **SCHEDULER_SETTINGS}
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as program:
            try:
                await_that(lambda: place.exists() and bool(place.read_bytes()), "the scheduler")
                yield psutil.Process(program.pid), str(json.loads(place.read_bytes())["address"])
            finally:
                program.kill()


@contextmanager
def _nodes(case: Simulated, address: str) -> Iterator[psutil.Process]:
    sizes = ("--slots", str(case.slots), "--slots-a-node", str(case.slots_a_node))
    words = ("nodes", "--address", address, "--seconds", str(case.page_seconds), *sizes)
    command = [sys.executable, "-m", "bench.cluster", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        try:
            process.stdout.readline()
            yield psutil.Process(process.pid)
        finally:
            process.kill()


def _be_nodes(options: argparse.Namespace) -> None:
    from distributed import Worker

    from ocr_worker.cluster.node_plugin import (
        FACTS,
        Node,
        NodePlugin,
        apply_node_settings,
        facts_of_this_machine,
    )

    facts = facts_of_this_machine()

    class Sleeper(NodePlugin):
        """Answers each page after its time, without reading any; has no page processes."""

        def setup(self, worker: Worker) -> None:
            self._worker = worker
            worker.startup_information[FACTS] = lambda _: facts

        def read(self, order: bytes) -> None:
            assert self._worker is not None
            head = load_order(order)
            self._worker.log_event(head.topic, {"begun": head.key, "node": self._worker.address})
            told_at, untold = time.monotonic(), list[PageReply]()
            for page in head.pages:
                threading.Event().wait(options.seconds)
                untold.append(_answer(page.ticket, page.task.page, options.seconds))
                # As nodes do.
                if page is head.pages[-1] or time.monotonic() - told_at >= TELL_SECONDS:
                    reply = Reply(head.key, "node", tuple(untold)).dump()
                    self._worker.log_event(head.topic, {"reply": reply})
                    told_at, untold = time.monotonic(), []

    async def serve() -> None:
        apply_node_settings()
        slots = options.slots_a_node
        settings = Settings(Path(tempfile.gettempdir()), page_processes=slots)
        nodes = [
            Node(options.address, nthreads=slots, plugins=(Sleeper(settings),), memory_limit=0)
            for _ in range(-(-options.slots // slots))
        ]
        await asyncio.gather(*nodes)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    asyncio.run(serve())


def _answer(ticket: int, page: int, seconds: float) -> PageReply:
    done = PageDone(page, "ok", 300, 90.0, seconds)
    return PageReply(ticket, done, seconds, files={RESULT: b"x" * PAGE_BYTES})


ROWS: dict[str, Callable[[float], str]] = {
    "scans": scans,
    "cards": cards,
    "losses": losses,
    "embedded": lambda _: embedded_start(),
    "idle": lambda _: idle(),
    "quick": lambda _: simulated(Simulated(2, 150, page_seconds=0.06, slots_a_node=1)),
    "fifty": lambda _: simulated(Simulated(50)),
    "two-hundred": lambda _: simulated(Simulated(200)),
    # So many slots in one process: more nodes, and what each costs when idle would be most of what is measured.
    "thousand": lambda share: simulated(
        Simulated(1000, max(1, round(40 * share)), page_seconds=5.0, slots_a_node=50), rounds=1
    ),
    "hundred-thousand": lambda share: simulated(
        Simulated(1000, max(1, round(100 * share)), slots_a_node=50), rounds=1
    ),
}
PARTS: dict[str, Callable[[argparse.Namespace], None]] = {"nodes": _be_nodes}

if __name__ == "__main__":
    sys.exit(main())
