"""What the pool of a cluster makes of replies, losses and nodes that come and go; a fake engine plays the nodes."""

from __future__ import annotations

import queue
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.cluster import cluster_pool
from ocr_worker.cluster.cluster_pool import ClusterPool
from ocr_worker.cluster.engine import Loss
from ocr_worker.model.tasks import (
    Composed,
    ComposeTask,
    Failure,
    Opened,
    OpenTask,
    PageSettings,
    PageTask,
    Source,
    Task,
)
from ocr_worker.pages.source_file import stamp_of
from ocr_worker.processes.pool import TaskEnded
from ocr_worker.settings import ClusterSettings
from tests.cluster.fake_engine import FakeEngine, read
from tests.processes.fake_pool import FakePool, well

LIMIT = 60.0
SETTINGS = PageSettings()


class Stage:
    """A pool, its inbox, and the engine and local pool behind it."""

    def __init__(
        self, folder: Path, *, slots: int = 2, local: int = 1, settings: ClusterSettings | None = None
    ) -> None:
        self.folder = folder
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.engine = FakeEngine(self.inbox.put, slots)
        self.local = FakePool(self.inbox.put, size=local)
        self.pool = ClusterPool(
            self.local, self.engine, settings or ClusterSettings("tls://scheduler"), self.inbox.put
        )
        if slots:
            self.engine.resize(slots)

    def page(self, number: int, name: str = "scan.png", password: str | None = None) -> PageTask:
        source = Source(str(self.folder / name), password)
        return PageTask(source, SETTINGS, number, str(self.folder / "results" / name / f"{number}.page"))

    def start(self, *tasks: tuple[int, Task]) -> None:
        for ticket, task in tasks:
            self.pool.start(ticket, task, LIMIT)

    def heard(self) -> list[TaskEnded]:
        """What ended by all messages that are there."""
        ended: list[TaskEnded] = []
        while not self.inbox.empty():
            message = self.inbox.get()
            assert self.pool.owns(message)
            ended += self.pool.handle(message)
        return ended

    def sent(self) -> list[str]:
        self.heard()
        return list(self.engine.orders)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def told(ended: list[TaskEnded]) -> list[tuple[int, str]]:
    return [(one.ticket, getattr(one.outcome, "code", "ok")) for one in ended]


def test_a_page_goes_away_and_its_files_are_in_place_before_its_end_is_told(stage: Stage) -> None:
    task = stage.page(1)
    stage.start((1, task))
    (key,) = stage.sent()
    stage.engine.begin(key)
    stage.engine.say(stage.engine.reply(key, read()))

    ended = stage.heard()

    assert told(ended) == [(1, "ok")]
    assert (ended[0].seconds, ended[0].is_first) == (0.1, True)
    assert Path(task.result_path).read_bytes() == b"result"
    assert stage.pool.free() == stage.pool.size


def test_opening_and_composing_stay_and_one_process_is_kept_for_them(tmp_path: Path) -> None:
    stage = Stage(tmp_path, local=2)
    stage.local.outcome = lambda task: None if isinstance(task, PageTask) else well(task)
    compose = ComposeTask(Source("/scan.png"), SETTINGS, 1, "", "", {})
    stage.start(*((ticket, stage.page(ticket)) for ticket in range(1, 9)))
    stage.heard()
    stage.start((20, OpenTask(Source("/scan.png"), SETTINGS)), (21, compose))

    ended = stage.heard()

    assert {type(one.outcome) for one in ended} == {Opened, Composed}
    assert sum(isinstance(task, PageTask) for task in stage.local.started) == 1
    assert len(stage.engine.orders) == 4, "one in work and one that waits, for each of two slots"


def test_what_was_read_is_composed_though_more_pages_wait_than_the_nodes_that_are_left_may_have(
    stage: Stage,
) -> None:
    stage.start(*((ticket, stage.page(ticket)) for ticket in range(1, stage.pool.size + 1)))
    stage.heard()

    stage.engine.resize(1)
    stage.heard()
    room = stage.pool.free(), stage.pool.free_here()
    stage.local.outcome = lambda _: None
    stage.start((30, ComposeTask(Source("/scan.png"), SETTINGS, 1, "", "", {})))
    then = stage.pool.free_here()
    stage.heard()

    assert room == (0, 1)
    assert (then, stage.pool.free_here()) == (0, 0)
    assert [type(task) for task in stage.local.started] == [ComposeTask]


def test_a_reply_that_comes_late_or_twice_is_dropped(stage: Stage) -> None:
    stage.start((1, stage.page(1)), (2, stage.page(2)))
    first, second = stage.sent()
    late, twice = stage.engine.reply(first, read()), stage.engine.reply(second, read(2))
    stage.pool.kill({1})
    stage.engine.say(late)
    stage.engine.say(twice)
    stage.engine.say(twice)

    ended = stage.heard()

    assert told(ended) == [(2, "ok")]
    assert stage.engine.withdrawn == [first]


def test_a_killed_page_takes_no_other_of_its_order_with_it(stage: Stage) -> None:
    stage.pool._sizes._page_seconds = 0.1
    stage.engine.slot_count = 1
    stage.start(*((ticket, stage.page(ticket)) for ticket in range(1, 7)))
    first, _ = stage.sent()
    assert [page.ticket for page in stage.engine.orders[first].pages] == [1, 2, 3]

    stage.pool.kill({2})
    stage.start((7, stage.page(7)))

    sent = {page.ticket for key in stage.sent() for page in stage.engine.orders[key].pages}
    assert stage.engine.withdrawn == [first]
    assert {1, 3} < sent
    assert 2 not in sent


def test_orders_become_smaller_towards_the_end_so_that_all_slots_end_together(stage: Stage) -> None:
    stage.pool._sizes._page_seconds = 0.1
    stage.start(*((ticket, stage.page(ticket)) for ticket in range(1, 21)))

    sizes = [len(stage.engine.orders[key].pages) for key in stage.sent()]

    assert sizes == [5, 4, 3, 2]


@pytest.mark.parametrize("why", ["node", "scheduler", "withdrawn"])
def test_what_a_loss_takes_comes_back_as_node_lost(stage: Stage, why: Any) -> None:
    stage.start((1, stage.page(1)))
    (key,) = stage.sent()
    stage.engine.finish(key, Loss(why))

    ended = stage.heard()

    assert told(ended) == [(1, "node_lost")]
    assert stage.pool.crew().lost == 1


def test_a_page_that_was_begun_at_three_nodes_that_ended_is_given_up(stage: Stage) -> None:
    stage.start((1, stage.page(1)), (2, stage.page(2)))
    first, second = stage.sent()
    for node in ("a", "b", "c", "d"):
        stage.engine.begin(first, node)
    stage.engine.begin(second, "e")
    stage.engine.say(stage.engine.reply(second, read(2)))

    ended = stage.heard()

    assert told(ended) == [(1, "crashed"), (2, "ok")]
    assert stage.engine.withdrawn == [first]


def test_losses_are_counted_over_orders(stage: Stage) -> None:
    codes = []
    for ticket in (1, 2, 3):
        stage.start((ticket, stage.page(1)))
        (key,) = stage.sent()
        stage.engine.begin(key, f"node {ticket}")
        stage.engine.finish(key, Loss("node"))
        codes += told(stage.heard())

    assert codes == [(1, "node_lost"), (2, "node_lost"), (3, "crashed")]


def test_after_a_node_is_gone_its_order_goes_on_page_by_page(stage: Stage) -> None:
    """So that it is known which page it was, should another node end."""
    stage.pool._sizes._page_seconds = 0.1
    stage.engine.slot_count = 1
    stage.start(*((ticket, stage.page(ticket)) for ticket in range(1, 7)))
    key, _ = stage.sent()
    stage.engine.begin(key, "a")
    stage.engine.say(stage.engine.reply(key, read(1)))
    stage.engine.begin(key, "b")

    ended = stage.heard()

    assert told(ended) == [(1, "ok")]
    orders = [[page.task.page for page in stage.engine.orders[key].pages] for key in stage.sent()]
    assert orders == [[4, 5], [2]], "2 alone, though there is room for 3"


def test_any_page_of_a_lost_order_may_have_ended_its_node(stage: Stage) -> None:
    """A node tells of quick pages together: the first may have been read, and the second be what takes nodes with it."""
    stage.pool._sizes._page_seconds = 0.1
    stage.engine.slot_count = 1
    stage.start(*((ticket, stage.page(ticket)) for ticket in range(1, 7)))
    nodes, codes = 0, dict[int, str]()
    while len(codes) < 6:
        for key in stage.sent():
            pages = [page.task.page for page in stage.engine.orders[key].pages]
            stage.engine.begin(key, f"node {nodes}")
            if 2 in pages:
                nodes += 1
                stage.engine.finish(key, Loss("node"))
            else:
                stage.engine.say(stage.engine.reply(key, *map(read, pages)))
                stage.engine.finish(key)
            for ticket, code in told(stage.heard()):
                if code == "node_lost":
                    stage.start((ticket, stage.page(ticket)))
                else:
                    codes[ticket] = code

    assert codes == {1: "ok", 2: "crashed", 3: "ok", 4: "ok", 5: "ok", 6: "ok"}
    assert nodes == 3


def test_a_node_that_would_read_otherwise_gets_nothing_more(stage: Stage) -> None:
    stage.start((1, stage.page(1)))
    (key,) = stage.sent()
    stage.engine.say(stage.engine.reply(key, refusal="it reads eng with other data"))

    ended = stage.heard()

    crew = stage.pool.crew()
    assert ended == []
    assert [(node.node, node.code, node.message) for node in crew.refused] == [
        ("ada", "node_differs", "it reads eng with other data")
    ]
    assert list(stage.engine.orders) == [key], "no other was sent"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("not_found", "does not see scan.png"),
        ("permission", "does not see"),
        ("changed", "another size or time"),
        ("not_regular", "behind a link"),
    ],
)
@pytest.mark.parametrize("since", ["as it was", "another", "gone", "a link"])
def test_a_file_that_only_the_node_sees_otherwise_is_not_to_blame(
    stage: Stage, code: str, why: str, since: str
) -> None:
    """As where a machine has a copy of the folder, with times of its own."""
    scan = stage.folder / "scan.png"
    scan.write_bytes(b"x")
    task = stage.page(1)
    found = replace(task.source, stamp=stamp_of(scan.stat()), no_links_below=str(stage.folder))
    stage.start((1, replace(task, source=found)))
    (key,) = stage.sent()
    if since in ("gone", "a link"):
        scan.rename(stage.folder / "elsewhere.png")
    if since == "a link":
        scan.symlink_to(stage.folder / "elsewhere.png")
    if since == "another":
        scan.write_bytes(b"xyz")
    stage.engine.say(stage.engine.reply(key, Failure(code, "as the node says", retryable=False)))

    ended = stage.heard()

    # What is there, and not what it was, shows to whoever sees it.
    is_absent, is_there = code in ("not_found", "permission"), since != "gone"
    is_nodes = is_there if is_absent else since == "as it was"
    assert told(ended) == ([] if is_nodes else [(1, code)])
    assert [why in said for said in stage.engine.refused.values()] == ([True] if is_nodes else [])


@pytest.mark.parametrize("code", ["no_space", "language_missing", "engine_missing", "output_permission"])
def test_what_is_wrong_with_a_nodes_machine_is_neither_the_files_nor_the_jobs(
    stage: Stage, code: str
) -> None:
    stage.start((1, stage.page(1)))
    (key,) = stage.sent()
    stage.engine.say(stage.engine.reply(key, Failure(code, "Make room.", retryable=True)))

    assert stage.heard() == []
    assert stage.engine.refused == {"node": "it says: Make room."}

    stage.engine.forgive()
    stage.engine.finish(key)
    (again,) = stage.sent()
    stage.engine.say(stage.engine.reply(again, read(1)))

    assert told(stage.heard()) == [(1, "ok")]


def test_a_password_goes_over_tls_alone(stage: Stage) -> None:
    stage.engine.secure = False
    stage.start((1, stage.page(1, password="secret")), (2, stage.page(2)))

    assert told(stage.heard()) == [(1, "cluster_insecure")]
    assert [page.ticket for order in stage.engine.orders.values() for page in order.pages] == [2]


def test_the_password_is_in_no_representation(stage: Stage) -> None:
    stage.start((1, stage.page(1, password="secret")))
    (key,) = stage.sent()

    assert "secret" not in repr(stage.engine.orders[key])


@pytest.mark.parametrize(("on_no_nodes", "read_here"), [("local", 1), ("wait", 0)])
def test_without_nodes_for_long_our_own_processes_read_or_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_no_nodes: Any, read_here: int
) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stage = Stage(tmp_path, slots=0, settings=ClusterSettings("tls://s", on_no_nodes=on_no_nodes))
    stage.start((1, stage.page(1)))
    before = stage.heard()
    due = stage.pool.next_tick()

    now[0] += cluster_pool.ALONE_SECONDS
    stage.pool.tick()
    after = stage.heard()

    assert (before, due) == ([], 1010.0)
    assert len(after) == read_here
    assert stage.pool.crew().alone


def test_nodes_that_come_back_are_used_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path, slots=0, local=1)
    stage.start((1, stage.page(1)))
    stage.heard()
    sizes = [stage.pool.size]

    stage.engine.resize(3)
    keys = stage.sent()
    sizes.append(stage.pool.size)

    assert len(keys) == 1
    assert sizes == [1, 1 + 4 * 3]


def test_no_clock_runs_while_nobody_works_on_a_page(stage: Stage) -> None:
    stage.engine.slot_count = 1
    stage.start((1, stage.page(1)), (2, stage.page(2)), (3, stage.page(3)))
    first, _second = stage.sent()
    before = stage.pool.waiting()

    stage.engine.begin(first)
    stage.heard()

    assert before == {1, 2, 3}
    assert stage.pool.waiting() == {2, 3}


def test_what_no_node_has_begun_with_is_recalled(stage: Stage) -> None:
    stage.start(*((ticket, stage.page(ticket)) for ticket in range(1, 7)))
    first, *_ = stage.sent()
    stage.engine.begin(first)
    stage.heard()

    recalled = stage.pool.recall({1, 2, 3, 5, 6})

    assert recalled == {2, 3, 5, 6}, "1 is at work, 4 is another job's"
    assert [[page.ticket for page in order.pages] for order in stage.engine.orders.values()] == [[1], [4]]
    assert stage.pool.size - stage.pool.free() == 2


def test_a_small_file_of_one_page_goes_inside_the_order_where_that_is_asked_for(tmp_path: Path) -> None:
    stage = Stage(tmp_path, settings=ClusterSettings("tls://s", inline=True))
    contents = []
    for pages in (1, 2):
        name = f"{pages}.png"
        (tmp_path / name).write_bytes(b"content")
        task = stage.page(1, name)
        task = replace(task, source=replace(task.source, stamp=(7, 1, 1), no_links_below=str(tmp_path)))
        stage.pool._sizes.opened(task.source.path, Opened("png", pages, "", (7, 1, 1)))
        stage.start((pages, task))
        contents.append(stage.engine.orders[stage.sent()[-1]].pages[0].content)

    assert contents == [b"content", None]


def test_a_link_that_came_since_the_search_goes_inside_no_order(tmp_path: Path) -> None:
    stage = Stage(tmp_path, settings=ClusterSettings("tls://s", inline=True))
    (tmp_path / "secret").write_bytes(b"content")
    (tmp_path / "scan.png").symlink_to(tmp_path / "secret")
    task = stage.page(1)
    task = replace(task, source=replace(task.source, stamp=(7, 1, 1), no_links_below=str(tmp_path)))
    stage.pool._sizes.opened(task.source.path, Opened("png", 1, "", (7, 1, 1)))
    stage.start((1, task))
    (key,) = stage.sent()

    assert stage.engine.orders[key].pages[0].content is None


def test_a_page_without_its_result_is_read_again(stage: Stage) -> None:
    stage.start((1, stage.page(1)))
    (key,) = stage.sent()
    reply = stage.engine.reply(key, read())
    stage.engine.say(reply.replace(b'".page":6', b'".junk":6'))

    assert told(stage.heard()) == [(1, "node_lost")]


@pytest.mark.parametrize("junk", [b"", b"{}\n", b"\xff\n", b'{"key":1,"node":2,"refusal":"","pages":[{}]}\n'])
def test_junk_of_a_node_ends_nothing(stage: Stage, junk: bytes) -> None:
    stage.start((1, stage.page(1)))
    stage.sent()
    stage.engine.say(junk)

    assert stage.heard() == []


def test_it_closes_both(stage: Stage) -> None:
    stage.start((1, stage.page(1)))

    stage.pool.close()

    assert stage.engine.closed
    assert stage.local.closed
    assert stage.pool.free() == stage.pool.size
