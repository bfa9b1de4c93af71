"""What everything above a pool relies on, held against each pool that there is."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.cluster.cluster_pool import ClusterPool
from ocr_worker.cluster.dask_engine import DaskEngine
from ocr_worker.model.tasks import InspectTask, PageSettings, PageTask, Source, Task
from ocr_worker.processes.guard import Guard
from ocr_worker.processes.pool import PagePool, Pool, TaskEnded
from ocr_worker.settings import ClusterSettings, Settings
from rigs.embedded import Embedded, embedded
from tests.processes.fake_pool import FakePool

LIMIT = 60
Inbox = queue.Queue[Any]


def page_pool(inbox: Inbox, folder: Path) -> Pool:
    return PagePool(2, Settings(folder / "state", page_processes=2), Guard(), inbox.put)


def fake_pool(inbox: Inbox, folder: Path) -> Pool:  # as the others
    return FakePool(inbox.put)


def cluster_pool(inbox: Inbox, folder: Path, cluster: Embedded) -> Pool:
    """With two nodes of one slot, and two processes of its own."""
    settings = ClusterSettings(cluster.address)
    pool = ClusterPool(page_pool(inbox, folder), DaskEngine(settings, inbox.put), settings, inbox.put)
    deadline = time.monotonic() + LIMIT
    while pool.crew().slots < len(cluster.nodes):
        pool.handle(inbox.get(timeout=deadline - time.monotonic()))
    return pool


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with embedded(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(params=[page_pool, fake_pool, cluster_pool])
def pool(request: pytest.FixtureRequest, inbox: Inbox, tmp_path: Path) -> Iterator[Pool]:
    make: Callable[..., Pool] = request.param
    is_cluster = make is cluster_pool
    pool = make(inbox, tmp_path, *([request.getfixturevalue("cluster")] if is_cluster else []))
    yield pool
    pool.close()


@pytest.fixture
def inbox() -> Inbox:
    return queue.Queue()


@pytest.fixture(params=["inspect", "page"])
def task(request: pytest.FixtureRequest, tmp_path: Path) -> Task:
    """Of a file that is not there: a moment's work."""
    source = Source(str(tmp_path / "missing.png"))
    if request.param == "inspect":
        return InspectTask(source)
    return PageTask(source, PageSettings(), 1, str(tmp_path / "state" / "jobs" / "1.page"))


def hear(pool: Pool, inbox: Inbox) -> list[TaskEnded]:
    """What ended next."""
    while not (ended := pool.handle(inbox.get(timeout=LIMIT))):
        continue
    return ended


def test_each_task_ends_once_with_its_own_ticket(pool: Pool, inbox: Inbox, task: Task) -> None:
    before = pool.free()
    for ticket in (7, 8):
        pool.start(ticket, task, LIMIT)
    at_work = pool.free()

    ended = [*hear(pool, inbox), *hear(pool, inbox)]

    assert (before - at_work, pool.free()) == (2, before)
    assert sorted(one.ticket for one in ended) == [7, 8]


def test_of_a_killed_task_nothing_more_is_heard_and_its_place_is_free(
    pool: Pool, inbox: Inbox, task: Task
) -> None:
    pool.start(1, task, LIMIT)
    pool.kill({1})
    freed = pool.free() == pool.size
    pool.start(2, task, LIMIT)

    ended = hear(pool, inbox)

    assert freed
    assert [one.ticket for one in ended] == [2]


def test_it_knows_its_own_messages(pool: Pool, inbox: Inbox, task: Task) -> None:
    pool.start(1, task, LIMIT)

    message = inbox.get(timeout=LIMIT)

    assert pool.owns(message)
    assert not pool.owns(object())
    assert not FakePool(inbox.put).owns(message)


def test_to_be_ready_is_no_task(pool: Pool) -> None:
    pool.warm(2, None)

    assert pool.free() == pool.size
    assert pool.rss_bytes() >= 0
    assert pool.stats().deaths == 0


def test_it_can_be_closed_with_a_task_at_work(pool: Pool, task: Task) -> None:
    pool.start(1, task, LIMIT)

    pool.close()

    assert pool.free() == pool.size
