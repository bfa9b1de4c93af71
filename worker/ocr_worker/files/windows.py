"""Open files and folders as Windows has it: with a say in what others may do to them meanwhile."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import _winapi
    import msvcrt

assert sys.platform == "win32"

_READ = 0x80000000
_MAY_READ, _MAY_WRITE, _MAY_DELETE = 0x1, 0x2, 0x4
_ALSO_FOLDERS = 0x02000000


def open_shared(path: Path) -> int:
    """A descriptor to read a file; others may write, rename and delete it. Unlike `os.open` this says when one refuses it.

    Raises OSError.
    """
    if is_device(path):
        raise OSError(errno.ENODEV, "it is a device", str(path))
    # Windows refuses folders like files that may not be read.
    if path.is_dir():
        raise OSError(errno.EISDIR, "it is a folder", str(path))
    handle = _open(path, _MAY_READ | _MAY_WRITE | _MAY_DELETE, 0)
    return msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT)


def is_device(path: Path) -> bool:
    """What Windows makes of `nul` in any folder, and pipes. To open one may block, or reset what is on its line."""
    return path.drive.startswith("\\\\.\\") and not path.drive.endswith(":")


@contextmanager
def pinned(folder: Path) -> Iterator[None]:
    """Nobody renames or deletes the folder, or one above it, meanwhile. Raises OSError."""
    handle = _open(folder, _MAY_READ | _MAY_WRITE, _ALSO_FOLDERS)
    try:
        yield
    finally:
        _winapi.CloseHandle(handle)


def _open(path: Path, others_may: int, flags: int) -> int:
    return _winapi.CreateFile(str(path), _READ, others_may, 0, _winapi.OPEN_EXISTING, flags, 0)
