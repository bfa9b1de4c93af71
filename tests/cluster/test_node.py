"""A node without a cluster: its own thread and page processes."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ocr_worker.cluster import node as node_module
from ocr_worker.cluster import readers
from ocr_worker.cluster.node import PageNode, PathMap
from ocr_worker.cluster.orders import Order, OrderedPage, PageReply, load_reply
from ocr_worker.cluster.readers import digest_of
from ocr_worker.engines.ocr.tessdata import find_data, tessdata_folders
from ocr_worker.model.tasks import Failure, Outcome, PageDone, PageSettings, PageTask, Source
from ocr_worker.settings import Settings
from tests.hold import Hold, held_name
from tests.limits import HANG_SECONDS
from tests.shards.material import write_cards


def test_an_order_that_is_withdrawn_before_it_has_begun_is_not_begun(tmp_path: Path) -> None:
    """Dask tells of a task's end as soon as it has a thread, which may be before the thread is with us."""
    (card,) = write_cards(tmp_path, 1)
    settings, said = PageSettings(), list[bytes]()
    page = OrderedPage(1, PageTask(Source(str(card)), settings, 1, str(tmp_path / "1.page")), 60)
    first, second = (Order(key, "topic", digest_of(settings), (page,)) for key in ("page-1", "page-2"))
    node = PageNode(Settings(tmp_path / "unused", page_processes=1), "node")
    try:
        node.end("page-1")
        node.read(first, said.append)
        before = list(said)
        node.read(second, said.append)
    finally:
        node.close()

    (reply,) = map(load_reply, said)
    assert before == []
    assert reply.key == "page-2"
    assert isinstance(reply.pages[0].outcome, PageDone)
    assert reply.pages[0].is_first


def read(
    folder: Path, source: Source, maps: tuple[PathMap, ...] = (), content: bytes | None = None
) -> Outcome:
    """What a node of its own makes of a page."""
    settings, said = PageSettings(), list[bytes]()
    page = OrderedPage(1, PageTask(source, settings, 1, str(folder / "1.page")), 60, content)
    node = PageNode(Settings(folder / "unused", page_processes=1), "node", maps)
    try:
        node.read(Order("page-1", "topic", digest_of(settings), (page,)), said.append)
    finally:
        node.close()
    (reply,) = map(load_reply, said)
    return reply.pages[0].outcome


@pytest.mark.parametrize("theirs", ["", "srv", "srv/scans", "srv/scans/2026"])
def test_a_link_that_came_since_the_search_is_not_followed_at_a_node_either(
    tmp_path: Path, theirs: str
) -> None:
    """To whatever depth of the searched folder the node's map leads."""
    scans = tmp_path / "srv/scans"
    (card,) = write_cards(scans / "2026", 1)
    secret = card.rename(tmp_path / "secret.png")
    ours = tmp_path / "mnt"
    ours.symlink_to(tmp_path / theirs)
    maps = (PathMap(str(tmp_path / theirs), str(ours)),) if theirs else ()
    found = Source(str(card), no_links_below=str(scans))

    card.symlink_to(secret)
    followed = read(tmp_path, found, maps)
    card.unlink()
    secret.rename(card)
    whole = read(tmp_path, found, maps)

    assert isinstance(followed, Failure)
    assert followed.code == "not_regular"
    assert isinstance(whole, PageDone)


def test_a_file_inside_the_order_is_read_though_it_was_found_in_a_folder(tmp_path: Path) -> None:
    (card,) = write_cards(tmp_path / "scans", 1)
    content = card.read_bytes()
    card.unlink()

    outcome = read(tmp_path, Source(str(card), no_links_below=str(card.parent)), content=content)

    assert isinstance(outcome, PageDone)


def test_quick_pages_are_told_of_together_and_none_waits_for_a_slow_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold, settings = Hold(tmp_path), PageSettings()
    for name, value in hold.environment({}).items():
        monkeypatch.setenv(name, value)
    cards = write_cards(tmp_path / "cards", 12)
    cards[6] = cards[6].rename(held_name(cards[6], [1]))
    pages = tuple(
        OrderedPage(ticket, PageTask(Source(str(card)), settings, 1, str(tmp_path / f"{ticket}.page")), 60)
        for ticket, card in enumerate(cards)
    )
    told: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    node = PageNode(Settings(tmp_path / "unused", page_processes=1), "node")
    reading = threading.Thread(
        target=node.read, args=(Order("page-1", "topic", digest_of(settings), pages), told.put)
    )
    reading.start()
    try:
        hold.wait()
        replies = list[PageReply]()
        while len(replies) < 6:
            replies += load_reply(told.get(timeout=HANG_SECONDS)).pages
        monkeypatch.setattr(node_module, "TELL_SECONDS", HANG_SECONDS)
        hold.let_go()
        reading.join(HANG_SECONDS)
    finally:
        node.close()
    replies += load_reply(told.get_nowait()).pages

    assert told.empty()
    assert [reply.ticket for reply in replies] == list(range(12))
    assert {type(reply.outcome) for reply in replies} == {PageDone}


def refusal_after(folder: Path, happens: Callable[[], object], tessdata: str | None = None) -> str:
    """What a node that has read a page says to the next order, after something has happened."""
    (card,) = write_cards(folder / "cards", 1)
    settings, said = PageSettings(tessdata_dir=tessdata), list[bytes]()
    page = OrderedPage(1, PageTask(Source(str(card)), settings, 1, str(folder / "1.page")), 60)
    order = Order("page-1", "topic", digest_of(settings), (page,))
    node = PageNode(Settings(folder / "unused", page_processes=1), "node")
    try:
        node.read(order, said.append)
        happens()
        node.read(order, said.append)
    finally:
        node.close()
    first, second = map(load_reply, said)
    assert isinstance(first.pages[0].outcome, PageDone)
    assert second.pages == ()
    return second.refusal


def test_a_node_whose_folder_is_gone_gives_its_order_back(tmp_path: Path) -> None:
    def take_away() -> None:
        (folder,) = Settings(tmp_path / "unused", page_processes=1).temp_dir.iterdir()
        shutil.rmtree(folder)
        folder.touch()

    assert "it can't begin with a page" in refusal_after(tmp_path, take_away)


def test_a_node_whose_language_data_was_replaced_at_work_reads_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "FRESH_SECONDS", 1e-6)
    ours, other = (find_data(code, tessdata_folders()) for code in ("eng", "deu"))
    assert ours is not None
    assert other is not None
    data = tmp_path / "tessdata"
    data.mkdir()
    shutil.copy(ours, data / "eng.traineddata")

    said = refusal_after(tmp_path, lambda: shutil.copy(other, data / "eng.traineddata"), str(data))

    assert said == "it reads eng with another engine or other data"


def test_what_a_killed_node_left_is_removed_by_the_next(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "state", page_processes=1)
    pid = os.fork()
    if pid == 0:
        PageNode(settings, "killed")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    left = list(settings.temp_dir.iterdir())

    PageNode(settings, "next").close()

    assert len(left) == 1
    assert not settings.temp_dir.exists()
