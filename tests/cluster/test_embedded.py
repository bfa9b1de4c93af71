"""Whole batches on a cluster in this process: Dask's own scheduler and nodes, real page processes."""

from __future__ import annotations

import asyncio
import itertools
import os
import pickle
import queue
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Worker
from PIL import Image, ImageDraw, ImageFont

from ocr_worker.cluster import dask_engine, node_plugin
from ocr_worker.cluster.cluster_pool import ClusterPool
from ocr_worker.cluster.dask_engine import DaskEngine, look_at
from ocr_worker.cluster.node import PathMap
from ocr_worker.cluster.node_plugin import NodePlugin
from ocr_worker.cluster.node_process import NodeOptions
from ocr_worker.cluster.orders import RESULT, PageReply, Reply, load_order
from ocr_worker.cluster.sizes import MOST_PAGES
from ocr_worker.jobs.requests import Asked, job_request
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.model.events import FileDone, JobEnded, JobFailed
from ocr_worker.model.option_table import make_options
from ocr_worker.model.tasks import PageDone, PageSettings, PageTask, Source
from ocr_worker.settings import ClusterSettings, Settings
from rigs.embedded import Embedded, embedded
from rigs.outputs import Outputs
from tests.e2e.tree import wait_until
from tests.hold import Hold, held_name
from tests.limits import HANG_SECONDS
from tests.processes.fake_pool import FakePool


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with embedded(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Small pages of one line each."""
    folder = tmp_path_factory.mktemp("cards")
    return [card(folder / f"card-{number}.png", f"Card number {number}") for number in range(1, 7)]


def card(place: Path, line: str) -> Path:
    picture = Image.new("L", (700, 120), 255)
    ImageDraw.Draw(picture).text((30, 35), line, fill=0, font=ImageFont.load_default(40))
    picture.save(place, dpi=(300, 300))
    return place


class Batch(Outputs):
    """Runs files in a runtime of its own, and keeps what was told."""

    def __init__(
        self, folder: Path, settings: ClusterSettings | None, files: list[Path], processes: int = 1
    ) -> None:
        self.out = folder / "out"
        self.runtime = Runtime(
            Settings(folder / "state", page_processes=processes, cluster=settings), progress_seconds=0
        )
        self.files, self.crews, self.failed = files, list[Any](), list[tuple[str, str]]()
        self.acting: threading.Thread | None = None

    def run(
        self, act: Callable[[Batch], None] | None = None, at: Embedded | None = None
    ) -> JobEnded | JobFailed:
        """To its end; `act` is called in a thread of its own, once page processes of the nodes are `at` work."""
        request = job_request(
            Asked(tuple(map(str, self.files)), str(self.out), make_options({"outputs": ["txt", "json"]}, str))
        )
        deadline = time.monotonic() + HANG_SECONDS
        with self.runtime as runtime:
            accepted = runtime.admit(request)
            self.job_id = accepted.job_id
            with runtime.subscribe(accepted.job_id) as events:
                while time.monotonic() < deadline:
                    event = events.get(0.02)
                    if isinstance(event, JobEnded | JobFailed):
                        if self.acting is not None:
                            self.acting.join(HANG_SECONDS)
                        return event
                    if isinstance(event, FileDone) and event.result.error is not None:
                        self.failed.append((Path(event.result.file).name, event.result.error.code))
                    if (progress := getattr(event, "progress", None)) and progress.crew:
                        self.crews.append(progress.crew)
                    if act is not None and at is not None and at_work(at):
                        self.acting = threading.Thread(target=act, args=(self,), daemon=True)
                        self.acting.start()
                        act = None
        raise TimeoutError


def at_work(cluster: Embedded) -> list[psutil.Process]:
    """The page processes of nodes that have a page."""
    plugins: list[Any] = [node.plugins[NodePlugin.name] for node in cluster.nodes]
    slots = [slot for plugin in plugins if plugin.node._pool for slot in plugin.node._pool._slots]
    return [psutil.Process(slot.pid) for slot in slots if slot.ticket]


def test_a_batch_on_nodes_has_the_text_and_boxes_of_one_on_this_machine(
    cluster: Embedded, cards: list[Path], tmp_path: Path
) -> None:
    here, away = (
        Batch(tmp_path / "here", None, cards),
        Batch(tmp_path / "away", ClusterSettings(cluster.address), cards),
    )

    ends = [here.run(), away.run()]

    assert [end.run.status for end in ends if isinstance(end, JobEnded)] == ["completed", "completed"]
    assert away.texts() == here.texts()
    assert "Card number 1" in here.texts()["card-1.txt"]
    assert away.boxes() == here.boxes()
    assert max(crew.nodes for crew in away.crews) == 2


def test_a_node_that_is_lost_in_mid_page_costs_no_page(cards: list[Path], tmp_path: Path) -> None:
    with embedded(tmp_path) as cluster:
        batch = Batch(tmp_path, ClusterSettings(cluster.address), cards)

        end = batch.run(lambda _: cluster.lose(cluster.nodes[0]), cluster)

    assert isinstance(end, JobEnded)
    assert end.run.status == "completed"
    assert len(batch.texts()) == len(cards)


def test_a_page_takes_three_nodes_with_it_and_no_more(
    cards: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = Hold(tmp_path)
    for name, value in hold.environment({}).items():
        monkeypatch.setenv(name, value)
    fatal = card(held_name(tmp_path / "fatal.png", [1]), "Fatal")
    with embedded(tmp_path, nodes=1) as cluster:
        settings = ClusterSettings(cluster.address, on_no_nodes="wait")
        batch = Batch(tmp_path, settings, [*cards, fatal])

        def lose_three(_: Batch) -> None:
            for times in (1, 2, 3):
                hold.wait(times)
                cluster.join()
                cluster.lose(cluster.nodes[0])

        end = batch.run(lose_three, cluster)

    assert isinstance(end, JobEnded)
    assert batch.failed == [(fatal.name, "crashed")]
    assert len(batch.texts()) == len(cards)


def test_a_cancel_kills_the_page_processes_of_nodes(cluster: Embedded, tmp_path: Path) -> None:
    """Dask's own cancel lets run on what runs."""
    slow = [tmp_path / f"slow-{number}.png" for number in range(3)]
    Image.effect_noise((1600, 2200), 90).save(slow[0], dpi=(200, 200), compress_level=1)
    for place in slow[1:]:
        shutil.copy(slow[0], place)
    batch = Batch(tmp_path, ClusterSettings(cluster.address), slow)
    gone = []

    def cancel(batch: Batch) -> None:
        processes = at_work(cluster)
        batch.runtime.call(lambda service: service.cancel(batch.job_id))
        gone.append((len(processes) > 0, psutil.wait_procs(processes, timeout=HANG_SECONDS)[1]))

    end = batch.run(cancel, cluster)

    assert isinstance(end, JobEnded)
    assert end.run.status == "cancelled"
    assert gone == [(True, [])]


def test_a_pause_begins_nothing_more_at_nodes_and_a_resume_goes_on(
    cluster: Embedded, cards: list[Path], tmp_path: Path
) -> None:
    picture, book = Image.open(cards[0]), tmp_path / "book.tif"
    picture.save(book, dpi=(300, 300), save_all=True, append_images=[picture] * 39)
    batch = Batch(tmp_path, ClusterSettings(cluster.address), [book])
    read = []

    def results() -> int:
        return len(list((tmp_path / "state").rglob("*.page")))

    def pause(batch: Batch) -> None:
        wait_until(lambda: results() > 5, "some pages")
        batch.runtime.call(lambda service: service.pause([batch.job_id]))
        read.append(results())
        wait_until(lambda: not cluster.orders() and not at_work(cluster), "the orders in work")
        read.append(results())
        batch.runtime.call(lambda service: service.unpause([batch.job_id]))

    end = batch.run(pause, cluster)

    before, after = read
    assert after - before <= MOST_PAGES * len(cluster.nodes), "an order in work at each"
    assert isinstance(end, JobEnded)
    assert end.run.status == "completed"
    assert batch.texts()["book.txt"].count("Card number 1") == 40


def test_a_page_process_that_is_killed_at_a_node_costs_a_try_and_no_page(
    cluster: Embedded, cards: list[Path], tmp_path: Path
) -> None:
    batch = Batch(tmp_path, ClusterSettings(cluster.address), cards[:3])

    def kill(_: Batch) -> None:
        for process in at_work(cluster)[:1]:
            os.kill(process.pid, signal.SIGKILL)

    end = batch.run(kill, cluster)

    assert isinstance(end, JobEnded)
    assert len(batch.texts()) == 3


def test_a_node_sees_mapped_folders_and_one_that_sees_none_is_refused_and_told(
    cards: list[Path], tmp_path: Path
) -> None:
    """The nodes' own view is played by a folder that the coordinator alone names otherwise."""
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    ours.mkdir()
    for place in cards[:2]:
        shutil.copy2(place, theirs / place.name)
        shutil.copy2(place, ours / place.name)
    with embedded(tmp_path, nodes=0) as cluster:
        mapped = cluster.join(maps=[PathMap(str(theirs), str(ours))])
        blind = cluster.join(maps=[PathMap(str(theirs), str(tmp_path / "nowhere"))])
        batch = Batch(
            tmp_path, ClusterSettings(cluster.address), [theirs / place.name for place in cards[:2]]
        )

        end = batch.run()

    refused = {node.node for crew in batch.crews for node in crew.refused}
    assert isinstance(end, JobEnded)
    assert len(batch.texts()) == 2
    assert refused <= {blind.address}
    assert mapped.address not in refused


def test_small_files_go_inside_the_order_where_nodes_share_no_folder(
    cards: list[Path], tmp_path: Path
) -> None:
    with embedded(tmp_path, nodes=0) as cluster:
        cluster.join(maps=[PathMap(str(cards[0].parent), str(tmp_path / "nowhere"))])
        batch = Batch(tmp_path, ClusterSettings(cluster.address, inline=True), cards[:3])

        batch.run()

    assert len(batch.texts()) == 3
    assert not any(crew.refused for crew in batch.crews)


UNPICKLED_IN: list[str] = []
"""The threads that read a pickle of the hostile node."""


def unpickled() -> HarmError:
    UNPICKLED_IN.append(threading.current_thread().name)
    return HarmError()


class HarmError(Exception):
    """Runs code wherever it is unpickled, and has whoever passes it on pickle it again."""

    def __reduce__(self) -> Any:
        return unpickled, ()


class HostilePlugin(NodePlugin):
    """All that Dask would pickle is harm: at its first order a warning and each result's type, at the second an event and an error."""

    orders = 0

    def setup(self, worker: Worker) -> None:
        super().setup(worker)
        send, harm = worker.batched_send, pickle.dumps(HarmError())

        def send_harm(msg: dict[str, Any]) -> None:
            send({**msg, "type": harm} if msg.get("op") == "task-finished" else msg)

        worker.batched_send = send_harm  # type: ignore[method-assign]

    def read(self, order: bytes) -> None:
        self.orders, worker, harm = self.orders + 1, self._worker, pickle.dumps(HarmError())
        assert worker is not None
        if self.orders == 1:
            worker.log_event("print", {"args": ("harm",), "sep": " ", "end": "", "file": 1, "flush": True})
            worker.log_event("warn", {"message": harm, "category": harm})
        if self.orders == 2:
            worker.batched_send({"op": "log-event", "topic": load_order(order).topic, "msg": HarmError()})
            raise HarmError
        super().read(order)


def test_no_pickle_of_a_node_is_read(
    cards: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """By the thread that talks with the cluster; the scheduler reads what is no msgpack, as Dask does."""
    with embedded(tmp_path, nodes=0, protocol="tcp") as cluster:
        cluster.join(plugin=HostilePlugin(Settings(tmp_path / "unused", page_processes=1)))
        batch = Batch(tmp_path, ClusterSettings(cluster.address), cards[:3], processes=1)

        end = batch.run()

    assert isinstance(end, JobEnded)
    assert end.run.status == "completed"
    assert len(batch.texts()) == 3
    assert UNPICKLED_IN
    assert "cluster" not in UNPICKLED_IN
    assert "harm" not in capfd.readouterr().out


def test_no_pickle_among_the_facts_of_nodes_is_read(tmp_path: Path) -> None:
    UNPICKLED_IN.clear()
    with embedded(tmp_path, nodes=1, protocol="tcp") as cluster:
        (node,) = cluster.nodes
        node.metrics["harm"] = lambda _: HarmError()
        cluster.call(node.heartbeat())

        with pytest.raises(OSError, match="is not read"):
            look_at(ClusterSettings(cluster.address))

    assert UNPICKLED_IN
    assert threading.current_thread().name not in UNPICKLED_IN


class Gated(NodePlugin):
    """Answers pages without reading any, one for each step of the test, and keeps for whom."""

    def __init__(self, slots: int) -> None:
        super().__init__(Settings(Path("unused"), page_processes=slots))
        self.steps, self.read_for = threading.Semaphore(0), list[str]()

    def setup(self, worker: Worker) -> None:
        self._worker = worker
        worker.startup_information[node_plugin.FACTS] = lambda _: node_plugin.facts_of_this_machine()

    def read(self, order: bytes) -> None:
        head, worker = load_order(order), self._worker
        assert worker is not None
        for page in head.pages:
            self.steps.acquire()
            # So long a page makes an order of its own.
            done = PageDone(page.task.page, "ok", 1, 90.0, 5.0)
            reply = Reply(
                head.key, worker.address, (PageReply(page.ticket, done, 5.0, files={RESULT: b"{}"}),)
            )
            worker.log_event(head.topic, {"reply": reply.dump()})
            self.read_for.append(head.topic)


class Coordinator:
    """Has ever more pages to be read."""

    def __init__(self, address: str, folder: Path) -> None:
        settings, self._inbox = ClusterSettings(address), queue.SimpleQueue[Any]()
        self.engine = DaskEngine(settings, self._inbox.put)
        self.pool = ClusterPool(FakePool(self._inbox.put, size=1), self.engine, settings, self._inbox.put)
        self._folder, self._ends = folder, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        tickets = itertools.count(1)
        while not self._ends.is_set():
            while self.pool.crew().slots and self.pool.free() > 0:
                ticket = next(tickets)
                place = self._folder / f"{ticket}.page"
                self.pool.start(ticket, PageTask(Source("/s.png"), PageSettings(), ticket, str(place)), 60)
            with suppress(queue.Empty):
                self.pool.handle(self._inbox.get(timeout=0.1))

    def close(self) -> None:
        self._ends.set()
        self._thread.join(HANG_SECONDS)
        self.pool.close()


def test_two_coordinators_get_at_least_two_fifths_each(tmp_path: Path) -> None:
    slots, pages, plugin = 2, 50, Gated(2)
    with embedded(tmp_path, nodes=0) as cluster:
        cluster.join(slots=slots, plugin=plugin)
        both = [Coordinator(cluster.address, tmp_path / name) for name in ("one", "two")]
        for read in range(pages + 1):
            wait_until(
                lambda read=read: len(plugin.read_for) == read and cluster.orders() == 4 * slots,  # type: ignore[misc]
                "two orders a slot of each coordinator",
            )
            plugin.steps.release()
        plugin.steps.release(1000)
        for one in both:
            one.close()

    shares = [plugin.read_for[:pages].count(topic) / pages for topic in set(plugin.read_for)]
    assert min(shares) >= 0.4


def test_of_what_was_sent_no_more_than_the_last_is_kept(tmp_path: Path) -> None:
    """There may be passwords in it, and a batch has many orders."""
    plugin = Gated(1)
    with embedded(tmp_path, nodes=0) as cluster:
        cluster.join(plugin=plugin)
        coordinator = Coordinator(cluster.address, tmp_path)
        for read in range(5):
            plugin.steps.release()
            wait_until(lambda read=read: len(plugin.read_for) > read, "a page")  # type: ignore[misc]
        client: Any = coordinator.engine._client
        kept = list(client.scheduler_comm.recent_message_log)
        plugin.steps.release(1000)
        coordinator.close()

    assert len(kept) <= 1


def test_a_node_of_another_version_is_refused_with_a_sentence(
    cards: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = node_plugin.facts_of_this_machine()
    monkeypatch.setattr(node_plugin, "facts_of_this_machine", lambda: {**facts, "version": "0.0.1"})
    with embedded(tmp_path, nodes=1) as cluster:
        (node,) = look_at(ClusterSettings(cluster.address))

    assert node.refused.startswith("it has ocr-sidecar 0.0.1, not ")


def test_a_worker_of_another_program_gets_no_pages() -> None:
    other = {"workers": {"tcp://1": {"name": "other", "nthreads": 4, "status": "running"}}}

    (node,) = dask_engine.nodes_of(other)

    assert node.slots == 0
    assert node.refused


def test_no_page_is_left_with_the_scheduler_after_the_end(
    cluster: Embedded, cards: list[Path], tmp_path: Path
) -> None:
    Batch(tmp_path, ClusterSettings(cluster.address), cards[:2]).run()

    async def kept() -> list[Any]:
        assert cluster.scheduler is not None
        topics = cluster.scheduler.get_events()
        return [event for name, events in topics.items() if name.startswith("ocr-") for _, event in events]

    assert set(cluster.call(kept())) == {""}


def test_who_takes_a_connection_and_says_nothing_is_no_scheduler() -> None:
    """As one that was stopped: the system goes on taking its connections."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(TimeoutError, match="no word"):
            look_at(ClusterSettings(address), seconds=0.2)


@pytest.mark.parametrize(
    ("listens", "why"),
    [("and says nothing", "no word for 0.4 s"), ("", "Timed out trying to connect to tcp://127")],
)
def test_a_node_says_why_it_can_not_join(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listens: str, why: str
) -> None:
    monkeypatch.setattr(node_plugin, "apply_node_settings", lambda: None)
    monkeypatch.setattr(node_plugin, "JOIN_SECONDS", 0.2)
    monkeypatch.setattr(node_plugin, "LOOK_SECONDS", 0.2)
    told = list[str]()

    async def serve(address: str) -> None:
        leave = asyncio.Event()

        def say(what: str) -> None:
            told.append(what)
            leave.set()

        options = NodeOptions(address, 1)
        await node_plugin.serve_node(options, Settings(tmp_path, page_processes=1), leave, say)

    with socket.create_server(("127.0.0.1", 0)) as place:
        address = f"tcp://127.0.0.1:{place.getsockname()[1]}"
        if not listens:
            place.close()
        asyncio.run(serve(address))

    (said,) = told
    assert said.startswith(f"{address} can't be joined: {why}")


def test_an_engine_without_a_scheduler_has_no_slots_and_ends_at_once() -> None:
    posted: list[Any] = []
    engine = DaskEngine(ClusterSettings("tcp://127.0.0.1:1"), posted.append)

    slots = engine.slots()
    engine.close()

    assert slots == 0
    assert not engine._thread.is_alive()
