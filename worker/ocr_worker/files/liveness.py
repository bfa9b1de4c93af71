"""Whether a process is alive, and still the same one. The guard imports this early: standard library first."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path

UNTOLD = "untold"
MARK_PATTERN = r"[0-9a-f]{8}-\d+(?:-[\d.]+)?"
_TELLS_SAME_BIRTH = sys.platform in ("linux", "win32")
"""Where every process is told the same birth of another, whenever it asks; on macOS it moves with the clock."""


def own_mark() -> str:
    """Names this process among all that may share a folder: of other machines and containers too, and whoever gets its number later."""
    pid = os.getpid()
    born = birth(pid) if _TELLS_SAME_BIRTH else None
    return "-".join([_here(), str(pid), *([born] if born and born != UNTOLD else ())])


def is_dead(mark: str) -> bool:
    """Whether the process so named has ended; False for one of elsewhere, of which we can't know."""
    here, _, numbers = mark.partition("-")
    if here != _here():
        return False
    pid, _, born = numbers.partition("-")
    now = birth(int(pid))
    # Another process may have its number by now, or a thread. Marks of earlier versions tell no birth.
    return now is None or (bool(born) and now not in (born, UNTOLD))


@functools.cache
def _here() -> str:
    """Eight hex digits for this machine and, on Linux, this namespace of process numbers."""
    parts = [_node()]
    with suppress(OSError):
        parts.append(Path("/etc/machine-id").read_text(encoding="ascii"))
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]


def _node() -> str:
    if sys.platform != "win32":
        return os.uname().nodename
    import platform

    return platform.node()


def birth(pid: int) -> str | None:
    """When a live process started, in its system's own terms; None for the dead and for zombies; UNTOLD where that is hidden."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            # There may be no /proc, or it may hide the processes of others (hidepid).
            return UNTOLD if _answers(pid) else None
        return None if fields[0] in b"ZX" else fields[19].decode("ascii")
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return str(process.create_time())
    return None


def _answers(pid: int) -> bool:
    """Whether there is such a process, ours or another user's."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
