"""Faults of system calls, injected by strace into the worker and all its processes."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from tests.conftest import miss, need_command
from tests.faults.host import Spawn


def failing(*rules: str, at: Path | None = None) -> Spawn:
    """A worker of which these calls fail, such as `fsync:error=EIO`; only where they touch a path, if one is given."""
    _need_strace()
    names = ",".join(rule.partition(":")[0] for rule in rules)
    where = ["-P", str(at)] if at else []
    injections = [word for rule in rules for word in ("-e", f"inject={rule}")]
    return Spawn(
        wrapper=("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={names}", *where, *injections)
    )


def tracing(call: str, log: Path) -> Spawn:
    """A worker of which these calls are written down, with all that they were given."""
    _need_strace()
    return Spawn(wrapper=("strace", "-f", "-qq", "-v", "-s", "4096", "-e", f"trace={call}", "-o", str(log)))


def _need_strace() -> None:
    need_command("strace")
    if not _may_trace():
        miss("this machine does not let strace trace")


@cache
def _may_trace() -> bool:
    probe = ["strace", "-f", "-qq", "-e", "inject=fsync:error=EIO", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0
