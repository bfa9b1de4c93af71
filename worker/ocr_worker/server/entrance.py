"""Watchers who come at once are let in a few at a time: who asks something short meanwhile waits for few of them."""

from __future__ import annotations

import asyncio
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

AT_ONCE = 2
MOMENT_SECONDS = 0.5
"""After it the next one is let in, even if a watcher has heard nothing yet: its line, or the store, may hang."""
_WATCHED = re.compile(r"/api/(v1/jobs/[^/]*/events|batch/progress/.*)")


class Entrance:
    """ASGI middleware, inside of the gate. For the thread of the event loop."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._doors = app, asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _WATCHED.fullmatch(scope["path"]) is None:
            await self._app(scope, receive, send)
            return
        await self._doors.acquire()
        is_in = False

        def come_in() -> None:
            nonlocal is_in
            if not is_in:
                is_in = True
                self._doors.release()

        async def send_and_come_in(message: Message) -> None:
            await send(message)
            if message.get("body"):
                come_in()

        moment = asyncio.get_running_loop().call_later(MOMENT_SECONDS, come_in)
        try:
            await self._app(scope, receive, send_and_come_in)
        finally:
            moment.cancel()
            come_in()
