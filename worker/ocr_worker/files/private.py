"""Folders and files that only their owner can read, whatever the umask and whoever made them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

_AS_IT_IS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def make_private(*folders: Path) -> None:
    """Make folders, the outer ones first; those that are there are closed to others."""
    for folder in folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        close_to_others(folder)


def leave_mark(path: Path) -> None:
    """Make an empty file, or leave the one that is there. Never over a link: page processes may leave some beside their results."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | _AS_IT_IS, 0o600))


def close_to_others(path: Path) -> None:
    """Take from others what they may do, where it is ours; a disk without permissions is as it is."""
    with suppress(OSError):
        status = path.stat()
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o077 and hasattr(os, "geteuid") and status.st_uid == os.geteuid():
            path.chmod(mode & 0o700)
