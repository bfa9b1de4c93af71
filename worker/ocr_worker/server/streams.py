"""Server-sent events: never buffered by a proxy, and alive while nothing happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ocr_worker.model.serving import ServiceLimits

HEARTBEAT = b": heartbeat\n\n"
_HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


class EventStream(Response):
    """An answer of events, with a heartbeat, for as long as its watcher is there.

    One that takes nothing is dropped by its connection (`connections.Impatient`).
    """

    def __init__(
        self, events: AsyncGenerator[bytes, None], limits: ServiceLimits, status_code: int = 200
    ) -> None:
        # FastAPI reads the status from this signature, and takes a type of the class for that of refusals, too.
        self.status_code, self.background = status_code, None
        self.media_type = "text/event-stream"
        self.init_headers(_HEADERS)
        self._events, self._beat_seconds = events, limits.heartbeat_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI's own
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        telling = asyncio.ensure_future(self._tell(send))
        others = [asyncio.ensure_future(_gone(receive)), asyncio.ensure_future(self._beat(send))]
        try:
            await asyncio.wait([telling, *others], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, *others):
                task.cancel()
            await asyncio.wait([telling, *others])
            await self._events.aclose()
        if not telling.cancelled():
            telling.result()

    async def _tell(self, send: Send) -> None:
        async for some in self._events:
            await send({"type": "http.response.body", "body": some, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _beat(self, send: Send) -> None:
        while True:
            await asyncio.sleep(self._beat_seconds)
            await send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def documented(kinds: tuple[str, ...]) -> dict[int | str, dict[str, Any]]:
    """What an answer of events is, for the OpenAPI document."""
    event = {
        "type": "object",
        "required": ["event", "data"],
        "properties": {
            "event": {"enum": list(kinds)},
            "data": {"type": "string", "description": "JSON"},
            "id": {"type": "string", "description": "To be sent as `Last-Event-ID`."},
        },
    }
    return {
        200: {"content": {"text/event-stream": {"schema": event}}, "description": "Events of the job."},
        204: {"description": "The job has ended, and `Last-Event-ID` says that its end was heard."},
    }


def sse(event: str, data: dict[str, Any], seq: int | None = None) -> bytes:
    """An event as it goes to the wire."""
    head = "" if seq is None else f"id: {seq}\n"
    return f"{head}event: {event}\ndata: {json.dumps(data)}\n\n".encode()


def seen(last_event_id: str | None) -> int:
    """The `seq` that a watcher saw last. What is no number of ours was nothing that it saw."""
    text = last_event_id or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
