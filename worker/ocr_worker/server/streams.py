"""Server-sent events: never buffered by a proxy, and alive while nothing happens."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent

from ocr_worker.model.serving import ServiceLimits


def event_stream(events: AsyncGenerator[bytes, None], limits: ServiceLimits) -> EventSourceResponse:
    """An answer of events that are bytes already, with a heartbeat. A watcher that takes none in time is dropped."""
    return EventSourceResponse(
        events,
        ping=max(1, round(limits.heartbeat_seconds)),
        ping_message_factory=lambda: ServerSentEvent(comment="heartbeat"),
        send_timeout=limits.send_seconds,
        headers={"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"},
        sep="\n",
    )


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
