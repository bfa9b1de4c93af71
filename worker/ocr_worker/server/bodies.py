"""Bodies of requests: none is too large, and none keeps its sender's connection for ever."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ocr_worker.model.serving import ServiceLimits
from ocr_worker.server.forms import is_form
from ocr_worker.server.problems import RefusedError, refusal

STREAMED = ("/api/v1/uploads", "/api/batch/start")
"""They have limits of their own, by file."""


class Bodies:
    """ASGI middleware, inside of the gate."""

    def __init__(self, app: ASGIApp, limits: ServiceLimits) -> None:
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, most = Headers(scope=scope), self._limits.body_bytes
        is_part = headers.get("content-type", "").lower().startswith("application/offset")
        is_streamed = (is_part or is_form(headers)) and scope["path"].startswith(STREAMED)
        if is_streamed:
            most = 2**63
        if "transfer-encoding" in headers and "content-length" in headers:
            # A proxy before us may take the other one for the end of the body (request smuggling).
            both = RefusedError(
                400, "A request has Content-Length or Transfer-Encoding.", {"Connection": "close"}
            )
            await refusal(scope["path"], both)(scope, receive, send)
            return
        try:
            _require_small(int(headers.get("content-length", "0")), most)
        except ValueError:
            await refusal(scope["path"], RefusedError(400, "Content-Length is no number."))(
                scope, receive, send
            )
            return
        except RefusedError as error:
            await refusal(scope["path"], error)(scope, receive, send)
            return
        await self._app(scope, self._limited(receive, most, is_streamed=is_streamed), send)

    def _limited(self, receive: Receive, most: int, *, is_streamed: bool) -> Receive:
        read, whole = 0, False
        until = _now() + self._limits.body_seconds

        async def limited() -> Message:
            nonlocal read, whole
            if whole:
                # What comes now is the end of the connection: a watcher waits for it.
                return await receive()
            try:
                message = await asyncio.wait_for(
                    receive(), self._limits.body_seconds if is_streamed else until - _now()
                )
            except asyncio.TimeoutError as error:
                raise RefusedError(408, "The body of the request came too slowly.") from error
            read += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            _require_small(read, most)
            return message

        return limited


def _now() -> float:
    return asyncio.get_running_loop().time()


def _require_small(size: int, most: int) -> None:
    if size > most:
        raise RefusedError(413, f"The body of the request is larger than {most:,} bytes.")
