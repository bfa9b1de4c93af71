"""Windows alone: a program that has a file open, with a say in what others may do to it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import _winapi

assert sys.platform == "win32"

READ, WRITE, SHARE_READ = 0x80000000, 0x40000000, 0x1


@contextmanager
def held(path: Path, access: int, share: int) -> Iterator[list[int]]:
    """The file is open so until the block ends, or the list is emptied by `let_go`."""
    handles = [_winapi.CreateFile(str(path), access, share, 0, _winapi.OPEN_EXISTING, 0, 0)]
    try:
        yield handles
    finally:
        let_go(handles)


def let_go(handles: list[int]) -> None:
    while handles:
        _winapi.CloseHandle(handles.pop())
