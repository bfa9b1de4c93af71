"""Who asks what was just asked gets the same answer, but never an old one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from ocr_worker.server.answers import MOST_KEPT, Answers
from ocr_worker.server.moment import Moment

JOB = "/api/v1/jobs/20261129_093000_1a2b3c4d"


class Counted:
    """An app that says how often it was asked, and waits for leave."""

    def __init__(self, status: int = 200) -> None:
        self.asked, self.status = 0, status
        self.leave = asyncio.Event()
        self.leave.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        number = self.asked
        await self.leave.wait()
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b"%d" % number})


async def ask(answers: Answers, path: str = JOB, query: str = "", **more: Any) -> bytes:
    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    await answers(scope(path, query, **more), nothing, send)
    return b"".join(message.get("body", b"") for message in said)


def scope(path: str, query: str = "", **more: Any) -> Scope:
    told = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "headers": []}
    return {**told, "query_string": query.encode(), **more}


async def nothing() -> Message:
    raise AssertionError("a question has no body")


def run(test: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(asyncio.wait_for(test(), 60))


def test_a_question_is_answered_once_until_the_version_changes() -> None:
    async def asked() -> list[bytes]:
        version = [1]
        answers = Answers(Counted(), Moment(lambda: version[0], 0))
        first = [await ask(answers) for _ in range(3)]
        version[0] = 2
        return [*first, await ask(answers), await ask(answers)]

    assert run(asked) == [b"1", b"1", b"1", b"2", b"2"]


LONG = 3600.0
"""Seconds of a moment that does not pass by itself."""


@pytest.mark.parametrize(
    ("between", "after"),
    [
        ({"path": "/api/v1/uploads", "method": "POST"}, b"1"),
        ({"path": JOB + "/pause", "method": "POST"}, b"3"),
        ({"path": JOB + "/files"}, b"3"),
        ({"path": "/api/batch/jobs"}, b"3"),
    ],
)
def test_within_a_moment_an_answer_stands_until_anything_newer_was_told(
    between: dict[str, Any], after: bytes
) -> None:
    async def asked() -> list[bytes]:
        version = [1]
        answers = Answers(Counted(), Moment(lambda: version[0], LONG))
        first = await ask(answers)
        version[0] = 2
        return [first, await ask(answers), await ask(answers, **between), await ask(answers)]

    assert run(asked) == [b"1", b"1", b"2", after]


def test_what_is_being_told_when_an_answer_is_made_makes_the_next_one_anew() -> None:
    async def asked() -> list[bytes]:
        version, app = [1], Counted()
        answers = Answers(app, Moment(lambda: version[0], LONG))
        app.leave.clear()
        order = asyncio.create_task(ask(answers, JOB + "/pause", method="POST"))
        await asyncio.sleep(0)
        question = asyncio.create_task(ask(answers))
        await asyncio.sleep(0)
        version[0] = 2
        app.leave.set()
        return [await order, await question, await ask(answers)]

    assert run(asked) == [b"1", b"2", b"3"]


def test_other_questions_orders_and_those_with_a_body_are_not_taken_for_the_same() -> None:
    async def asked() -> list[bytes]:
        answers = Answers(Counted(), Moment(lambda: 1, 0))
        return [
            await ask(answers),
            await ask(answers, query="limit=1"),
            await ask(answers, "/api/v1/jobs"),
            await ask(answers, method="POST"),
            await ask(answers, headers=[(b"content-length", b"3")]),
            await ask(answers, JOB + "/events"),
        ]

    assert run(asked) == [b"1", b"2", b"3", b"4", b"5", b"6"]


def test_those_who_ask_meanwhile_wait_for_the_same_answer_but_not_for_an_older_one() -> None:
    async def asked() -> list[bytes]:
        version, app = [1], Counted()
        answers = Answers(app, Moment(lambda: version[0], 0))
        app.leave.clear()
        waiting = [asyncio.create_task(ask(answers)) for _ in range(3)]
        await asyncio.sleep(0)
        version[0] = 2
        waiting.append(asyncio.create_task(ask(answers)))
        await asyncio.sleep(0)
        app.leave.set()
        return list(await asyncio.gather(*waiting))

    assert run(asked) == [b"1", b"1", b"1", b"2"]


def test_nobody_waits_for_a_client_that_is_slow_to_take_its_answer() -> None:
    async def asked() -> bytes:
        answers = Answers(Counted(), Moment(lambda: 1, 0))

        async def never(_: Message) -> None:
            await asyncio.Event().wait()

        slow = asyncio.create_task(answers(scope(JOB), nothing, never))
        await asyncio.sleep(0)
        other = await ask(answers)
        slow.cancel()
        return other

    assert run(asked) == b"1"


def test_what_failed_and_what_has_no_version_is_asked_anew() -> None:
    async def asked() -> list[bytes]:
        refusing, unsure = (
            Answers(Counted(404), Moment(lambda: 1, 0)),
            Answers(Counted(), Moment(lambda: None, 0)),
        )
        return [await ask(refusing), await ask(refusing), await ask(unsure), await ask(unsure)]

    assert run(asked) == [b"1", b"2", b"1", b"2"]


def test_only_so_many_answers_are_kept() -> None:
    async def asked() -> bytes:
        answers = Answers(Counted(), Moment(lambda: 1, 0))
        for number in range(MOST_KEPT + 1):
            await ask(answers, query=str(number))
        return await ask(answers, query="0")

    assert run(asked) == b"%d" % (MOST_KEPT + 2)
