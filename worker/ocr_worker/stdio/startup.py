"""What a worker begins with; where a batch is in the pipe already, a page process as well, while the rest is still being imported.

Imports nothing of the wire: that takes longer than all else here.
"""

from __future__ import annotations

import os
import queue
import select
import sys
from dataclasses import dataclass
from typing import Any

from ocr_worker.processes.claim import Channel
from ocr_worker.processes.guard import Guard
from ocr_worker.processes.pool import Pool, make_pool
from ocr_worker.settings import Settings

_HEARD_BYTES = 65536
_BATCH = b'"ocr_batch"'


@dataclass(frozen=True, slots=True)
class HeadStart:
    channel: Channel
    settings: Settings
    guard: Guard
    inbox: queue.SimpleQueue[Any]
    """To which page processes and the threads of the worker post."""
    pool: Pool
    heard: bytes
    """Of stdin, so far."""


def head_start(channel: Channel, settings: Settings, guard: Guard) -> HeadStart:
    """Look whether a batch waits; a host that has said something else, or nothing, costs nothing."""
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    pool = make_pool(settings.page_processes, settings, guard, inbox.put)
    heard = _heard(channel.stdin)
    if _BATCH in heard:
        # One alone, for the processor that the worker leaves free; in what language it is to read is not known yet.
        pool.warm(1, None)
    return HeadStart(channel, settings, guard, inbox, pool, heard)


def _heard(stdin: int) -> bytes:
    """What can be read without waiting; on Windows there is no telling."""
    if sys.platform == "win32" or not select.select([stdin], [], [], 0)[0]:
        return b""
    try:
        return os.read(stdin, _HEARD_BYTES)
    except OSError:
        return b""
