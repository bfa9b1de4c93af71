"""What a service over HTTP was asked for: where it listens, who may use it, what it may read, and its limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

MIB, GIB, DAY_SECONDS = 2**20, 2**30, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLimits:
    """What clients can take of the machine."""

    upload_bytes: int = 512 * MIB
    """Of a single uploaded file."""
    uploads: int = 10_000
    """Uploads at a time that no job has, and files of a form."""
    kept_bytes: int = 20 * GIB
    """Of all uploads and results that the service keeps."""
    kept_seconds: float = 7 * DAY_SECONDS
    """How long uploads and results of ended jobs are kept."""
    body_bytes: int = 8 * MIB
    """Of a request that is no upload."""
    requests_per_second: int = 2000
    """Of one address."""
    wrong_tokens_per_minute: int = 10
    """Of one address."""
    connections: int = 4000
    header_seconds: float = 10.0
    """From a connection, or a request's first byte, to the end of its headers."""
    body_seconds: float = 30.0
    """For a body to come, or the next bytes of one with files."""
    send_seconds: float = 30.0
    """For a client to take what is sent: an event, or some KiB of a download."""
    heartbeat_seconds: float = 30.0
    kept_batches: int = 64
    """Of events of a job, for watchers who are behind; who is further behind misses progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """A service that is to be started."""

    host: str = "127.0.0.1"
    port: int = 8765
    """0 takes a free one."""
    token: str | None = field(default=None, repr=False)
    roots: tuple[Path, ...] = ()
    """Folders whose files clients may name by path."""
    allowed_hosts: tuple[str, ...] = ()
    """Names under which a proxy serves this service."""
    resume: bool = False
    """Whether jobs of the service that were interrupted go on."""
    limits: ServiceLimits = field(default_factory=ServiceLimits)
