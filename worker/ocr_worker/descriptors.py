"""Read and write descriptors that we share with others: one of them may have made the pipe non-blocking, at any time."""

from __future__ import annotations

import os
import select
import sys
import time
from typing import Union

AGAIN_SECONDS = 0.01
"""Between two tries where a descriptor can't be waited for."""
Octets = Union[bytes, bytearray, memoryview]


def read_some(fd: int, most: int) -> bytes:
    """What is there, once something is; nothing at the end. Raises OSError."""
    while True:
        try:
            return os.read(fd, most)
        except BlockingIOError:
            _wait(fd, for_room=False)


def write_all(fd: int, content: Octets) -> None:
    """All of it, as fast as it is taken. Raises OSError."""
    rest = memoryview(content)
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:
            _wait(fd, for_room=True)


def _wait(fd: int, *, for_room: bool) -> None:
    if sys.platform == "win32":
        time.sleep(AGAIN_SECONDS)
        return
    ready = select.poll()
    ready.register(fd, select.POLLOUT if for_room else select.POLLIN)
    ready.poll()
