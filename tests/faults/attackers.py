"""An attacker's means: a kill at each call that changes files, folders that are swapped, no links, no view of processes."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.faults import injection
from tests.faults.host import Spawn

_KILLER = """
import os, sys
CHANGES = {"os.rename", "os.link", "os.symlink", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "fcntl.flock"}
role = "page" if "page-process" in sys.orig_argv else "worker"
if role == os.environ["KILLED_ROLE"] and os.environ["KILLED_AT"]:
    left, me = [int(os.environ["KILLED_AT"])], os.getpid()
    # Opened now, as a page process may not later. One byte: whether somebody was killed already.
    token = os.open(os.environ["KILLED_TOKEN"], os.O_RDWR)
    def at_each_change(event, arguments):
        if event == "open":
            if not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR):
                return
        elif event not in CHANGES:
            return
        # Not of a fork: that is the guard.
        if os.getpid() != me:
            return
        left[0] -= 1
        if left[0] == 0 and os.read(token, 1) == b"0":
            os.lseek(token, 0, os.SEEK_SET)
            os.write(token, b"1" + f" {event} {arguments}".encode())
            # 9 is SIGKILL, and on Windows the exit code with which this ends a process.
            os.kill(me, 9)
    sys.addaudithook(at_each_change)
"""
_NO_LINKS = """
#include <errno.h>
int link(const char *a, const char *b) { errno = EPERM; return -1; }
int linkat(int a, const char *b, int c, const char *d, int e) { errno = EPERM; return -1; }
"""
_EXCHANGE, _AT_CWD = 2, -100


class Killer:
    """Kills the worker, or the first of its page processes that comes so far, before its n-th change of a file or folder."""

    def __init__(self, folder: Path, role: str) -> None:
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(_KILLER, encoding="utf-8")
        self._folder, self._role, self._token = folder, role, folder / "token"

    def spawn(self, number: int, before: Spawn | None = None) -> Spawn:
        before = before or Spawn()
        self._token.write_text("0", encoding="ascii")
        told = {"KILLED_ROLE": self._role, "KILLED_AT": str(number), "KILLED_TOKEN": str(self._token)}
        # What Python compiles is not what is tested, and would be other calls the first time.
        ours = {"PYTHONPATH": str(self._folder), "PYTHONDONTWRITEBYTECODE": "1"}
        return Spawn({**before.environment, **told, **ours}, before.wrapper)

    @property
    def has_killed(self) -> str:
        """The call before which it did; nothing if it has not."""
        said = self._token.read_text(encoding="utf-8")
        return said[1:].strip() if said.startswith("1") else ""


def without_links(folder: Path) -> Spawn:
    """A worker for which no file system knows hard links: by the loader, or without a compiler by strace."""
    library = _no_links_library(folder) if shutil.which("cc") else None
    return Spawn({"LD_PRELOAD": str(library)}) if library else injection.failing("link,linkat:error=EPERM")


def _no_links_library(folder: Path) -> Path:
    source, library = folder / "no_links.c", folder / "no_links.so"
    source.write_text(_NO_LINKS, encoding="ascii")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True, capture_output=True)
    return library


@contextmanager
def toggled(one: Path, other: Path) -> Iterator[None]:
    """Two names that change places as fast as they can, each always there; as they were afterwards."""
    stop, count = threading.Event(), [0]

    def swap() -> None:
        # Under two names a change is never half done.
        while not stop.is_set() or count[0] % 2:
            _exchange(one, other)
            count[0] += 1
            # Long enough for some of the looks that come in pairs to see the same.
            stop.wait(0.0005 * (count[0] % 7))

    _exchange(one, other)
    _exchange(one, other)
    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert count[0] > 10


def _exchange(one: Path, other: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("needs Linux, which swaps two names at once")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_CWD, os.fsencode(one), _AT_CWD, os.fsencode(other), _EXCHANGE) != 0:
        pytest.skip(f"needs a file system that swaps names: {os.strerror(ctypes.get_errno())}")


PROC_SEEN_BY = {"hidepid": "mount -o remount,hidepid=2 /proc", "no proc": "umount -l /proc"}
"""What makes it so, in a mount namespace of its own."""


def seeing(proc: str) -> Spawn:
    """A worker that sees of /proc what `PROC_SEEN_BY` says: no processes but its own, or nothing."""
    if not _may_change_proc():
        pytest.skip(
            "needs the right to make a mount namespace, which root has on Linux, with unshare and setpriv"
        )
    return Spawn(wrapper=_blinded(PROC_SEEN_BY[proc], '"$@"'))


def _blinded(change: str, command: str) -> tuple[str, ...]:
    # Who may trace all processes sees them all, and so does the group that owns /proc.
    become = "exec setpriv --regid=65534 --clear-groups --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace"
    return ("unshare", "--mount", "sh", "-c", f"{change} && {become} {command}", "sh")


@cache
def _may_change_proc() -> bool:
    if sys.platform != "linux" or not all(map(shutil.which, ("unshare", "setpriv"))):
        return False
    words = _blinded(PROC_SEEN_BY["hidepid"], f"test ! -e /proc/{os.getpid()}")
    return subprocess.run(words, capture_output=True, check=False).returncode == 0
