"""Server-sent events: never buffered by a proxy, alive while nothing happens, and no reader holds one up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent

from ocr_worker.model.serving import ServiceLimits


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


def event_stream(events: AsyncIterator[ServerSentEvent], limits: ServiceLimits) -> EventSourceResponse:
    """An answer of events, with a heartbeat. A watcher that does not take one in time is dropped."""
    return EventSourceResponse(
        events,
        ping=max(1, round(limits.heartbeat_seconds)),
        ping_message_factory=lambda: ServerSentEvent(comment="heartbeat"),
        send_timeout=limits.send_seconds,
        headers={"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"},
        sep="\n",
    )


def seen(last_event_id: str | None) -> int:
    """The `seq` that a watcher saw last. What is no number of ours was nothing that it saw."""
    text = last_event_id or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
