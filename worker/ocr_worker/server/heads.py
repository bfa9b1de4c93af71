"""HEAD is answered as GET would be, without its body: whoever downloads asks so for size and version."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEAD_ONLY = "ocr_sidecar.head_only"
"""In the scope of a GET whose body nobody hears: an answer need not read its file."""
_OTHERWISE = re.compile(r"/api/(v1/uploads(/.*)?|v1/jobs/[^/]*/(events|archive)|batch/progress/.*)")
"""Uploads have a HEAD of their own; what has no end or is made while it is sent has none."""


def answers_head(path: str) -> bool:
    """Whether what is got from a path has a HEAD that is made of it."""
    return _OTHERWISE.fullmatch(path) is None


class Heads:
    """ASGI middleware, inside of the gate."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD" or not answers_head(scope["path"]):
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET", HEAD_ONLY: True}, receive, send_head)
