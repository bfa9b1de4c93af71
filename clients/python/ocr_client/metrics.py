"""What a client has seen since it was made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Metrics:
    starts: int = 0
    crashes: int = 0
    """Ends of the worker that nobody asked for."""
    silences: int = 0
    """Of these, those in which it had to be killed, as it did not answer."""
    commands: int = 0
    events: int = 0
    events_lost: int = 0
    """Gaps in `seq`: lines that were too long, or no JSON."""
    bytes_received: int = 0
    longest_line_bytes: int = 0
    pings: int = 0
    ping_seconds: float | None = None
    """From the last ping to its answer."""
    worker_rss_bytes: int | None = None
    """As the last ping told."""
    jobs_ended: int = 0
    jobs_resumed: int = 0
    """After a crash."""
    files_ended: int = 0
