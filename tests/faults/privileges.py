"""What root is allowed beyond others is taken from a worker here, so that permissions count."""

from __future__ import annotations

import ctypes
import os
import sys

import pytest

PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2


def obey_permissions() -> None:
    """For `before_exec`: root may no longer read and write all files."""
    if os.geteuid() == 0:
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def need_permissions() -> None:
    """Skip where permissions can't be made to count."""
    if sys.platform != "linux":
        pytest.skip("needs Linux, to take root's capabilities from a worker")
