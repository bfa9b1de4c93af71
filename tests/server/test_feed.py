"""News are put into words once for all who watch, and nobody who is slow, or leaves, takes them from the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ocr_worker.model.events import FileDone
from ocr_worker.model.results import FileResult
from ocr_worker.server.feed import Face, Feed, News
from ocr_worker.server.moment import Moment

MOST_KEPT = 64
JOB = "20261129_093000_1a2b3c4d"


def file(seq: int) -> FileDone:
    return FileDone(JOB, seq, seq, FileResult(file="scan.pdf", status="completed"))


def feed_of(*seqs: int) -> Feed:
    """A feed that told of these files, each in a batch of its own."""
    feed = Feed(JOB, MOST_KEPT, Moment(lambda: 1))
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
        tell, feed = Counted(), Feed(JOB, MOST_KEPT, Moment(lambda: 1))
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


class Wire:
    """A line that takes what it is sent while it is free."""

    def __init__(self) -> None:
        self.took, self.is_free = b"", True

    def send(self, framed: bytes) -> None:
        assert self.is_free
        self.took += framed


class Crowd:
    """Watchers who follow a feed over lines of their own, from its newest batch on."""

    def __init__(self, count: int) -> None:
        self.tell, self.feed = Counted(), feed_of(1)
        self.wires = [Wire() for _ in range(count)]
        self.tell.leave.set()

    async def come(self) -> list[asyncio.Task[tuple[int, int]]]:
        face = Face("v1", self.tell)
        tasks = [asyncio.create_task(self.feed.follow(wire, face, 1, 1)) for wire in self.wires]
        await settled()
        return tasks

    async def put(self, seq: int) -> None:
        self.feed.put([file(seq)])
        await settled()


async def settled() -> None:
    """All that can go on has gone on."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_who_is_up_to_date_is_sent_each_batch_at_once_framed_as_a_part_of_an_answer() -> None:
    async def told() -> tuple[set[bytes], int, list[tuple[int, int]]]:
        crowd = Crowd(50)
        tasks = await crowd.come()
        for seq in (2, 3):
            await crowd.put(seq)
        crowd.feed.close()
        return {wire.took for wire in crowd.wires}, crowd.tell.made, await asyncio.gather(*tasks)

    assert run(told) == ({b"2\r\n2 \r\n2\r\n3 \r\n"}, 2, [(3, 3)] * 50)


def test_what_a_watcher_was_sent_is_known_to_the_next_who_asks() -> None:
    class Asking(Wire):
        def send(self, framed: bytes) -> None:
            asked.append(crowd.feed.moment.lately())

    async def told() -> None:
        await crowd.come()
        crowd.feed.moment.lately()
        version[0] = 2
        asked.append(crowd.feed.moment.lately())
        await crowd.put(2)
        crowd.feed.close()

    version, asked, crowd = [1], list[object](), Crowd(0)
    crowd.feed.moment = Moment(lambda: version[0], 3600)
    crowd.wires = [Asking()]
    run(told)

    assert asked == [1, 2]


def test_who_does_not_take_it_at_once_goes_on_by_itself_from_there_and_whoever_leaves_is_sent_no_more() -> (
    None
):
    async def told() -> tuple[tuple[int, int], list[bytes]]:
        crowd = Crowd(3)
        slow, leaves, _ = await crowd.come()
        await crowd.put(2)
        crowd.wires[0].is_free = False
        leaves.cancel()
        await crowd.put(3)
        await crowd.put(4)
        return await slow, [wire.took for wire in crowd.wires]

    left, took = run(told)
    assert left == (2, 2)
    assert took == [
        b"2\r\n2 \r\n",
        b"2\r\n2 \r\n",
        b"2\r\n2 \r\n2\r\n3 \r\n2\r\n4 \r\n",
    ]


def test_who_has_yet_to_hear_something_is_not_in_the_crowd() -> None:
    async def told() -> list[tuple[int, int]]:
        crowd, face = Crowd(0), Face("v1", Counted())
        busy = Wire()
        busy.is_free = False
        places = [(Wire(), 0, 0), (Wire(), 1, 5), (busy, 1, 1), (None, 1, 1)]
        return [
            await asyncio.wait_for(crowd.feed.follow(wire, face, number, seen), 1)
            for wire, number, seen in places
        ]

    assert run(told) == [(0, 0), (1, 5), (1, 1), (1, 1)]


def test_what_can_not_be_put_into_words_sends_all_back_to_where_they_were() -> None:
    async def told() -> list[tuple[int, int]]:
        crowd = Crowd(2)
        crowd.tell.fails = 1
        tasks = await crowd.come()
        await crowd.put(2)
        return await asyncio.gather(*tasks)

    assert run(told) == [(1, 1)] * 2
