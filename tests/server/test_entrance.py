"""Watchers who come at once are let in a few at a time, and nobody else waits for them."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from starlette.types import Message, Receive, Scope, Send

from ocr_worker.server import entrance
from ocr_worker.server.entrance import AT_ONCE, Entrance
from tests.limits import HANG_SECONDS

EVENTS = "/api/v1/jobs/0123/events"


class Streams:
    """An app whose watchers hear nothing until they are told."""

    def __init__(self) -> None:
        self.asked, self.came = Counter[str](), asyncio.Queue[str]()
        self.speak, self.stop = asyncio.Event(), asyncio.Event()
        self.door = Entrance(self)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.asked[scope["path"]] += 1
        self.came.put_nowait(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == EVENTS:
            await self.speak.wait()
            await send({"type": "http.response.body", "body": b"data: {}\n\n", "more_body": True})
            await self.stop.wait()
        await send({"type": "http.response.body", "body": b""})

    def ask(self, path: str = EVENTS) -> asyncio.Task[None]:
        return asyncio.create_task(self.door({"type": "http", "path": path}, _nothing, _deaf))


async def _nothing() -> Message:
    raise AssertionError


async def _deaf(_message: Message) -> None:
    pass


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_watcher_waits_until_those_before_it_have_heard_something() -> None:
    async def come() -> tuple[int, int, int]:
        streams = Streams()
        tasks = [streams.ask() for _ in range(AT_ONCE + 2)]
        await turns()
        before = streams.asked[EVENTS]
        await streams.ask("/api/v1/jobs/0123")
        streams.speak.set()
        await turns()
        # All hear, and none has gone.
        after = streams.asked[EVENTS]
        streams.stop.set()
        await asyncio.gather(*tasks)
        return before, after, streams.asked["/api/v1/jobs/0123"]

    assert asyncio.run(come()) == (AT_ONCE, AT_ONCE + 2, 1)


def test_who_hears_nothing_for_a_moment_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance, "MOMENT_SECONDS", 0.01)

    async def come() -> int:
        streams = Streams()
        tasks = [streams.ask() for _ in range(AT_ONCE + 1)]
        for _ in tasks:
            await asyncio.wait_for(streams.came.get(), HANG_SECONDS)
        for task in tasks:
            task.cancel()
        return streams.asked[EVENTS]

    assert asyncio.run(come()) == AT_ONCE + 1


def test_who_goes_away_before_anything_was_heard_leaves_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance, "MOMENT_SECONDS", HANG_SECONDS)

    async def come() -> tuple[int, int]:
        streams = Streams()
        tasks = [streams.ask() for _ in range(AT_ONCE + 1)]
        await turns()
        before = streams.asked[EVENTS]
        tasks[0].cancel()
        await turns()
        after = streams.asked[EVENTS]
        for task in tasks:
            task.cancel()
        return before, after

    assert asyncio.run(come()) == (AT_ONCE, AT_ONCE + 1)
