"""What was stdin and stdout is ours alone; who reads or prints by habit meets the null device and stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.limits import HANG_SECONDS

PROBE = """
import json, os
from ocr_worker.processes.claim import claim
before = [os.readlink(f"/proc/self/fd/{fd}") for fd in (0, 1)]
channel = claim()
after = [os.readlink(f"/proc/self/fd/{fd}") for fd in (0, 1, 2)]
ours = [os.readlink(f"/proc/self/fd/{fd}") for fd in (channel.stdin, channel.stdout)]
inherited = [os.get_inheritable(fd) for fd in (channel.stdin, channel.stdout)]
os.write(channel.stdout, json.dumps([before, after, ours, inherited]).encode())
"""


@pytest.mark.parametrize(("redirect", "stderr"), [("2>/dev/zero", "/dev/zero"), ("2>&-", os.devnull)])
def test_stdin_becomes_null_and_stdout_becomes_stderr_and_no_child_inherits_ours(
    redirect: str, stderr: str
) -> None:
    probe = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirect}', "sh", sys.executable, "-c", PROBE],
        input=b"", capture_output=True, timeout=HANG_SECONDS, check=True,
    )  # fmt: skip

    before, after, ours, inherited = json.loads(probe.stdout)
    assert after == [os.devnull, stderr, stderr]
    assert ours == before
    assert inherited == [False, False]
