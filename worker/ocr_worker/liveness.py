"""Whether a process lives, and whether it is still the same one. Stdlib first: the guard imports this early."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path


def birth(pid: int) -> str | None:
    """When a live process started, in its system's own terms; None for the dead and for zombies."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            return None
        return None if fields[0] in b"ZX" else fields[19].decode("ascii")
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return str(process.create_time())
    return None
