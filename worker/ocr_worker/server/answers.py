"""Questions about jobs that are asked again and again are answered once for each state of the store, and each moment."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ocr_worker.server.again import STANDS
from ocr_worker.server.moment import Moment

_REPEATED = re.compile(r"/api/(v1/jobs|batch/jobs|v1/jobs/[0-9a-f_]{24}|batch/status/[0-9a-f_]{24})")
"""Paths of what depends on nothing but the version."""
_OF_JOBS = re.compile(r"/api/(?!v1/uploads).*")
"""Paths of what tells of jobs, or is an order to them."""
_OF_A_BODY = {b"content-length", b"transfer-encoding"}
MOST_BYTES, MOST_KEPT = 16 * 2**20, 64
"""Of all answers that are kept; one with 10,000 files has two million bytes."""


@dataclass(frozen=True, slots=True)
class _Answer:
    version: Hashable
    said: asyncio.Future[Sequence[Message] | None]
    """None if it failed: who waits for it asks again."""

    @property
    def size(self) -> int:
        said = self.said.result() if self.said.done() else None
        return sum(len(message.get("body", b"")) for message in said or ())


class Answers:
    """ASGI middleware, inside of the gate. For the thread of the event loop."""

    def __init__(self, app: ASGIApp, moment: Moment) -> None:
        """Where `moment` knows no version, no answer stands for another."""
        self._app, self._moment = app, moment
        self._kept = OrderedDict[bytes, _Answer]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_repeated(scope):
            await self._app(scope, receive, self._telling(scope, send))
            return
        question = scope["raw_path"] + b"?" + scope["query_string"]
        kept, version = self._kept.get(question), self._moment.lately()
        if kept is None or kept.version != version:
            version = self._moment.now()
        if version is None:
            await self._app(scope, receive, send)
            return
        if kept is None or kept.version != version:
            await self._make(question, version, (scope, receive, send))
            return
        # One who waits may go away: that is no reason to have the others go without.
        said = kept.said.result() if kept.said.done() else await asyncio.shield(kept.said)
        if said is None:
            await self._app(scope, receive, send)
        else:
            scope[STANDS] = version
        for message in said or ():
            await send({**message})

    def _telling(self, scope: Scope, send: Send) -> Send:
        if scope["type"] != "http" or _OF_JOBS.fullmatch(scope["path"]) is None:
            return send

        async def tell(message: Message) -> None:
            self._moment.pass_by()
            await send(message)

        return tell

    async def _make(self, question: bytes, version: Hashable, request: tuple[Scope, Receive, Send]) -> None:
        scope, receive, send = request
        made, said = _Answer(version, asyncio.get_running_loop().create_future()), list[Message]()
        self._kept.pop(question, None)
        self._kept[question] = made

        async def keep(message: Message) -> None:
            said.append(message)

        try:
            await self._app(scope, receive, keep)
        finally:
            if said and said[0].get("status") == 200:
                scope[STANDS] = version
            made.said.set_result(said if STANDS in scope else None)
            self._make_room()
            # Only now: nobody waits for a client that is slow.
            for message in said:
                await send({**message})

    def _make_room(self) -> None:
        size = sum(answer.size for answer in self._kept.values())
        while size > MOST_BYTES or len(self._kept) > MOST_KEPT:
            _, oldest = self._kept.popitem(last=False)
            size -= oldest.size


def _is_repeated(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and _REPEATED.fullmatch(scope["path"]) is not None
        and not any(name in _OF_A_BODY for name, _ in scope["headers"])
    )
