"""Claim fd 0 and fd 1, so that no print, C library or child can use them. Standard library only."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple


class Channel(NamedTuple):
    """Private descriptors of what was stdin and stdout; children do not inherit them."""

    stdin: int
    stdout: int


def claim() -> Channel:
    """Move stdin and stdout to private descriptors; leave null as fd 0 and stderr as fd 1.

    Raises:
        OSError: stdin or stdout is closed, so there is nobody to talk to.
    """
    # Asked first: the copy of fd 0 would take the place of a closed fd 1.
    os.fstat(0)
    os.fstat(1)
    _ensure_stderr()
    channel = Channel(os.dup(0), os.dup(1))
    if sys.platform != "win32":
        for fd in (channel.stdin, channel.stdout):
            # A host or shell may have left its pipe non-blocking; that is a property of the pipe's end, so ours too.
            os.set_blocking(fd, True)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return channel


def _ensure_stderr() -> None:
    try:
        os.fstat(2)
    except OSError:
        # Without this the next file we open would become fd 2 and receive the log.
        null = os.open(os.devnull, os.O_WRONLY)
        if null != 2:
            os.dup2(null, 2)
            os.close(null)
