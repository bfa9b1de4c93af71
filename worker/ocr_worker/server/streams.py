"""Server-sent events: never buffered by a proxy, alive while nothing happens, and no reader holds one up."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent

from ocr_worker.model.events import FileDone, ProgressMade
from ocr_worker.model.serving import ServiceLimits
from ocr_worker.server.watching import News

MOST_KEPT = 256
"""Events for those who watch the same, each at its own pace."""


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


class Told:
    """Events as bytes, each made once for all watchers of a face. For the thread of the event loop."""

    def __init__(self) -> None:
        self._kept = OrderedDict[tuple[object, ...], tuple[News, asyncio.Task[bytes]]]()

    async def once(self, face: str, news: News, make: Coroutine[Any, Any, bytes]) -> bytes:
        """What `make` makes of these news, or made of them for another watcher."""
        match news:
            case FileDone(job_id, _, seq, _):
                key: tuple[object, ...] = (face, job_id, seq)
            case ProgressMade():
                # All subscriptions have the same one.
                key = (face, id(news))
            case _:
                return await make
        if key in self._kept:
            make.close()
        else:
            self._kept[key] = news, asyncio.ensure_future(make)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        task = self._kept[key][1]
        try:
            # A watcher that goes away is no reason to have the others hear nothing.
            return await asyncio.shield(task)
        except BaseException:
            if task.done():
                self._kept.pop(key, None)
            raise


def event_stream(events: AsyncIterator[bytes], limits: ServiceLimits) -> EventSourceResponse:
    """An answer of events, with a heartbeat. A watcher that does not take one in time is dropped."""
    return EventSourceResponse(
        events,
        ping=max(1, round(limits.heartbeat_seconds)),
        ping_message_factory=lambda: ServerSentEvent(comment="heartbeat"),
        send_timeout=limits.send_seconds,
        headers={"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"},
        sep="\n",
    )


def sse(event: str, data: dict[str, Any], seq: int | None = None) -> bytes:
    """An event as it goes to the wire."""
    made = ServerSentEvent(json.dumps(data), event=event, id=None if seq is None else str(seq))
    return made.encode()


def seen(last_event_id: str | None) -> int:
    """The `seq` that a watcher saw last. What is no number of ours was nothing that it saw."""
    text = last_event_id or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
