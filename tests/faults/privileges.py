"""What root is allowed beyond others is taken from a worker here, so that permissions count."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from pathlib import Path

import pytest

PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN, CAP_MKNOD = 1, 2, 21, 27


def obey_permissions() -> None:
    """For `before_exec`: root may no longer read and write all files."""
    if os.geteuid() == 0:
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def need(capability: int, what: str) -> None:
    """Skip where this process may not do it: no machine is to be blamed for that."""
    status = Path("/proc/self/status")
    held = (
        re.search(r"^CapEff:\s*(\w+)", status.read_text(encoding="ascii"), re.MULTILINE)
        if status.exists()
        else None
    )
    if not held or not int(held[1], 16) >> capability & 1:
        pytest.skip(f"needs the right to {what}, which root has on Linux")


def need_permissions() -> None:
    """Skip where permissions can't be made to count."""
    if sys.platform != "linux":
        pytest.skip("needs Linux, to take root's capabilities from a worker")
