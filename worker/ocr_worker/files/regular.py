"""Open regular files in places where others may write. A pipe, device or folder never blocks us."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ocr_worker.errors import is_shared

WAITS = (0.1, 0.3)
"""Seconds between tries of a file that Windows refuses: a scanner for viruses lets go soon, a program that writes does not."""


def open_regular(path: Path, sleep: Callable[[float], None] = time.sleep) -> BinaryIO:
    """The file, to be read; OSError ENODEV for what is not a regular file.

    A pipe without a writer would hold up an ordinary open for ever.
    """
    handle = _patiently(path, sleep)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    raise OSError(errno.ENODEV, "it is not a regular file", str(path))


def read_regular(path: Path) -> bytes:
    """All of it; errors as those of `open_regular`."""
    with open_regular(path) as stream:
        return stream.read()


def _patiently(path: Path, sleep: Callable[[float], None]) -> int:
    for seconds in WAITS:
        try:
            return _open(path)
        except OSError as error:
            if not is_shared(error):
                raise
        sleep(seconds)
    return _open(path)


def _open(path: Path) -> int:
    if sys.platform == "win32":
        from ocr_worker.files.windows import open_shared

        return open_shared(path)
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
