"""News are put into words once for all who watch, and nobody who is slow, or leaves, takes them from the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ocr_worker.model.events import FileDone
from ocr_worker.model.results import FileResult
from ocr_worker.server.feed import Face, Feed, News

MOST_KEPT = 64
JOB = "20261129_093000_1a2b3c4d"


def file(seq: int) -> FileDone:
    return FileDone(JOB, seq, seq, FileResult(file="scan.pdf", status="completed"))


def feed_of(*seqs: int) -> Feed:
    """A feed that told of these files, each in a batch of its own."""
    feed = Feed(JOB, MOST_KEPT)
    feed.open(0)
    for seq in seqs:
        feed.put([file(seq)])
    return feed


class Counted:
    """Tells of files by their number, waits for leave, and counts."""

    def __init__(self, fails: int = 0) -> None:
        self.made, self.fails = 0, fails
        self.leave = asyncio.Event()

    async def __call__(self, news: News) -> bytes:
        assert isinstance(news, FileDone)
        self.made += 1
        await self.leave.wait()
        if self.made <= self.fails:
            raise OSError
        return b"%d " % news.seq


def run(test: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(asyncio.wait_for(test(), 60))


async def heard(feed: Feed, face: Face, seen: int = 0, number: int = 0) -> bytes:
    batch = await feed.batch(number)
    assert batch is not None
    return await batch.told(face, seen)


def test_news_are_put_into_words_once_for_all_watchers_of_a_face_though_one_leaves() -> None:
    async def told() -> tuple[list[bytes], int, bytes]:
        tell, other, feed = Counted(), Counted(), feed_of(7)
        leaves = asyncio.create_task(heard(feed, Face("v1", tell)))
        many = [asyncio.create_task(heard(feed, Face("v1", tell))) for _ in range(50)]
        noted = asyncio.create_task(heard(feed, Face("note", other)))
        await asyncio.sleep(0)
        leaves.cancel()
        for each in (tell, other):
            each.leave.set()
        return await asyncio.gather(*many), tell.made, await noted

    assert run(told) == ([b"7 "] * 50, 1, b"7 ")


def test_what_could_not_be_put_into_words_is_tried_again_for_the_next() -> None:
    async def told() -> tuple[list[type], bytes, int]:
        tell, feed = Counted(fails=1), feed_of(7)
        tell.leave.set()
        failed = await asyncio.gather(
            *(heard(feed, Face("v1", tell)) for _ in range(2)), return_exceptions=True
        )
        return [type(each) for each in failed], await heard(feed, Face("v1", tell)), tell.made

    assert run(told) == ([OSError, OSError], b"7 ", 2)


def test_files_that_a_watcher_has_seen_already_are_not_told_again() -> None:
    async def told() -> bytes:
        tell, feed = Counted(), Feed(JOB, MOST_KEPT)
        tell.leave.set()
        feed.open(4)
        feed.put([file(5), file(6), file(7)])
        return await heard(feed, Face("v1", tell), seen=6)

    assert run(told) == b"7 "


def test_who_is_far_behind_is_led_to_the_oldest_batch_that_is_kept_and_to_the_store_for_the_rest() -> None:
    async def told() -> tuple[int, int, int]:
        feed = feed_of(*range(1, MOST_KEPT + 11))
        batch = await feed.batch(0)
        assert batch is not None
        return batch.number, batch.since, batch.upto

    assert run(told) == (10, 10, 11)


def test_a_closed_feed_gives_what_it_has_and_then_nothing() -> None:
    async def told() -> tuple[bool, bool]:
        feed = feed_of(1)
        waiting = asyncio.create_task(feed.batch(1))
        await asyncio.sleep(0)
        feed.close()
        return await feed.batch(0) is not None, await waiting is None

    assert run(told) == (True, True)
