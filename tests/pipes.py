"""Look whether a pipe has something to read, as each system tells it."""

from __future__ import annotations

import select
import sys
import time
from typing import IO

LOOK_SECONDS = 0.005


def has_news(stream: IO[bytes], seconds: float) -> bool:
    """Wait until there is something to read, or the end, for so long at most."""
    if sys.platform != "win32":
        return bool(select.select([stream], [], [], seconds)[0])
    import _winapi
    import msvcrt

    deadline = time.monotonic() + seconds
    while True:
        try:
            # What can be read of the pipe, and of its next message.
            if _winapi.PeekNamedPipe(msvcrt.get_osfhandle(stream.fileno()), 0)[0]:
                return True
        except OSError:
            # Its end.
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOOK_SECONDS)
