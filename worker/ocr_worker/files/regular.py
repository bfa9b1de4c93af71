"""Open regular files in places where others may write. A pipe, device or folder never blocks us."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def open_regular(path: Path) -> BinaryIO:
    """The file, to be read; OSError ENODEV for what is not a regular file.

    A pipe without a writer would hold up an ordinary open for ever.
    """
    handle = os.open(path, _FLAGS)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    raise OSError(errno.ENODEV, "it is not a regular file", str(path))


def read_regular(path: Path) -> bytes:
    """All of it; errors as those of `open_regular`."""
    with open_regular(path) as stream:
        return stream.read()
