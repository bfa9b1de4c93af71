"""Start a worker; if a batch is already in the pipe, start a page process before the rest is imported.

Does not import the wire, which would take longer than everything else here.
"""

from __future__ import annotations

import os
import queue
import select
import sys
from dataclasses import dataclass
from typing import Any

from ocr_worker.jobs.pools import pool_of_jobs
from ocr_worker.processes.claim import Channel
from ocr_worker.processes.guard import Guard
from ocr_worker.processes.pool import Pool
from ocr_worker.settings import Settings

_HEARD_BYTES = 65536
_BATCH = b'"ocr_batch"'


@dataclass(frozen=True, slots=True)
class HeadStart:
    channel: Channel
    settings: Settings
    guard: Guard
    inbox: queue.SimpleQueue[Any]
    """Where page processes and threads post."""
    pool: Pool
    heard: bytes
    """What was read from stdin so far."""


def head_start(channel: Channel, settings: Settings, guard: Guard) -> HeadStart:
    """Check whether a batch waits on stdin, without blocking."""
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    pool = pool_of_jobs(settings, guard, inbox.put)
    heard = _heard(channel.stdin)
    if _BATCH in heard:
        # One alone, for the processor that the worker leaves free; in what language it is to read is not known yet.
        pool.warm(1, None)
    return HeadStart(channel, settings, guard, inbox, pool, heard)


def _heard(stdin: int) -> bytes:
    """Read what is there without blocking; nothing on Windows."""
    if sys.platform == "win32" or not select.select([stdin], [], [], 0)[0]:
        return b""
    try:
        return os.read(stdin, _HEARD_BYTES)
    except OSError:
        return b""
