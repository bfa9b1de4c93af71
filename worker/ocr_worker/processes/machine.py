"""What the machine says of how a process ended: whether it ran out of memory or went down since, or was sent a signal."""

from __future__ import annotations

from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_VMSTAT = Path("/proc/vmstat")
_UNKNOWN = "?"


def machine_state() -> str:
    """Which boot of the machine this is, and how often it has ended a process for want of memory; `?` where it does not tell."""
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
        counts = dict(line.split() for line in _VMSTAT.read_text(encoding="ascii").splitlines())
        return f"{boot}/{counts['oom_kill']}"
    except (OSError, ValueError, KeyError):
        return _UNKNOWN


def ended_by_itself(before: str, now: str) -> bool:
    """Whether a worker that was at work at one state, and is gone at another, may have been ended by its work.

    A worker that is gone although the machine neither went down nor ran out of memory got a signal from outside.
    Where the machine does not tell, its work is taken for the cause.
    """
    return _UNKNOWN in (before, now) or before != now
