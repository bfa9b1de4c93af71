"""Faults of system calls, injected by strace into the worker and all its processes."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.conftest import miss
from tests.faults.host import Spawn


def failing(*rules: str, at: Path | None = None) -> Spawn:
    """A worker of which these calls fail, such as `fsync:error=EIO`; only where they touch a path, if one is given."""
    if reason := _missing():
        miss(reason)
    names = ",".join(rule.partition(":")[0] for rule in rules)
    where = ["-P", str(at)] if at else []
    injections = [word for rule in rules for word in ("-e", f"inject={rule}")]
    return Spawn(
        wrapper=("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={names}", *where, *injections)
    )


def tracing(call: str, log: Path) -> Spawn:
    """A worker of which these calls are written down, with all that they were given."""
    if reason := _missing():
        miss(reason)
    return Spawn(wrapper=("strace", "-f", "-qq", "-v", "-s", "4096", "-e", f"trace={call}", "-o", str(log)))


@cache
def _missing() -> str:
    if not shutil.which("strace"):
        return "needs the command strace: make system-tools"
    probe = ["strace", "-f", "-qq", "-e", "inject=fsync:error=EIO", "true"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        return "this machine does not let strace trace"
    return ""
