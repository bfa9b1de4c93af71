"""Start a worker; if a batch is already in the pipe, start a page process before the rest is imported.

Does not import the wire, which would take longer than everything else here.
"""

from __future__ import annotations

import os
import queue
import select
import stat
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ocr_worker.processes.claim import Channel
from ocr_worker.processes.guard import Guard
from ocr_worker.settings import Settings

if TYPE_CHECKING:
    from ocr_worker.processes.pool import Pool

_HEARD_BYTES = 65536
_BATCH = b'"ocr_batch"'


@dataclass(frozen=True, slots=True)
class HeadStart:
    channel: Channel
    settings: Settings
    guard: Guard
    inbox: queue.SimpleQueue[Any]
    """Where page processes and threads post."""
    pool: Pool | None
    """What does the tasks of jobs, if there may be one at once."""
    heard: bytes
    """What was read from stdin so far."""


def head_start(channel: Channel, settings: Settings, guard: Guard) -> HeadStart:
    """Check whether a batch waits on stdin, without blocking."""
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    heard = _heard(channel.stdin)
    start = HeadStart(channel, settings, guard, inbox, None, heard)
    if _BATCH not in heard and settings.cluster is None:
        return start
    # Late: a worker that says hello does without.
    from ocr_worker.jobs.pools import pool_of_jobs

    pool = pool_of_jobs(settings, guard, inbox.put)
    if _BATCH in heard:
        # One alone, for the processor that the worker leaves free; in what language it is to read is not known yet.
        pool.warm(1, None)
    return replace(start, pool=pool)


def _heard(stdin: int) -> bytes:
    """Read what is there without blocking."""
    try:
        return os.read(stdin, _HEARD_BYTES) if _has_news(stdin) else b""
    except OSError:
        return b""


def _has_news(stdin: int) -> bool:
    """Raises OSError where Windows does not tell, as of a console, and at the end of its pipes."""
    if sys.platform != "win32":
        return bool(select.select([stdin], [], [], 0)[0])
    import _winapi
    import msvcrt

    if stat.S_ISREG(os.fstat(stdin).st_mode):
        return True
    return bool(_winapi.PeekNamedPipe(msvcrt.get_osfhandle(stdin), 0)[0])
