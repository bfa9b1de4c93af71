"""A node without a cluster: its own thread and page processes."""

from __future__ import annotations

from pathlib import Path

from ocr_worker.cluster.node import PageNode
from ocr_worker.cluster.orders import Order, OrderedPage, load_reply
from ocr_worker.cluster.readers import digest_of
from ocr_worker.model.tasks import PageDone, PageSettings, PageTask, Source
from ocr_worker.settings import Settings
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
