"""One second reader a machine at a time: each takes hundreds of megabytes while it reads."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT_SECONDS = 30.0
"""Then it is read side by side: a page that came out late, or not, would be worse than memory used twice."""
_POLL_SECONDS = 0.02


@contextmanager
def turn(file: Path, wait_seconds: float = WAIT_SECONDS) -> Iterator[bool]:
    """Hold the lock of a file that all readers open; whether it was to be had.

    The file is only read, as page processes may write nowhere that others look. On Windows, where a lock would keep
    others from reading the file, nobody waits.
    """
    if sys.platform == "win32":
        yield False
        return
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        # Whoever reads the file says what is wrong with it.
        yield False
        return
    try:
        yield _locked(handle, time.monotonic() + wait_seconds)
    finally:
        os.close(handle)


def _locked(handle: int, until: float) -> bool:
    if sys.platform == "win32":
        return False
    import fcntl

    while True:
        # A file system without locks says so with an errno of its own.
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_POLL_SECONDS)
        except OSError:
            return False
        else:
            return True
