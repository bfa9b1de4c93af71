"""Server-sent events: never buffered by a proxy, alive while nothing happens, and no reader holds one up."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse, ServerSentEvent

from ocr_worker.model.serving import ServiceLimits


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
