"""Which files a process may read, write and start: Landlock, for good and for all threads to come. Stdlib only."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress

from ocr_worker.processes.syscalls import LANDLOCK_ADD, LANDLOCK_CREATE, LANDLOCK_RESTRICT

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_DIR, MAKE_REG, MAKE_SYM, REFER, TRUNCATE = 1 << 7, 1 << 8, 1 << 12, 1 << 13, 1 << 14
READ = READ_FILE | READ_DIR
WRITE = READ | WRITE_FILE | TRUNCATE | MAKE_REG | REMOVE_FILE | MAKE_SYM
"""Files and links in a folder, also below it."""
ARRANGE = WRITE | MAKE_DIR | REMOVE_DIR | REFER
"""Folders too."""
OF_FILES = EXECUTE | READ_FILE | WRITE_FILE | TRUNCATE
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights the kernel knows by its version of Landlock."""
_OWN_KIND = 1
_TCP = 0b11
_SOCKETS_AND_SIGNALS = 0b11
_VERSION_IS_ASKED = 1
_TO_NAME_IT = getattr(os, "O_PATH", 0) | getattr(os, "O_CLOEXEC", 0)
_Place = tuple[str, int]


class RulesError(OSError):
    """The kernel has no Landlock, or takes no more rules."""


def version() -> int:
    """Of the kernel's Landlock; 0 without."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None).syscall(LANDLOCK_CREATE, None, 0, _VERSION_IS_ASKED)))


def apply(places: Iterable[_Place]) -> None:
    """Allow these rights beneath these places and no others; no TCP, and no signals and abstract sockets of others.

    No new privileges must have been asked for. What is not there gets no rule. Raises RulesError.
    """
    known = version()
    if not known:
        raise RulesError("the kernel has no Landlock")
    libc = ctypes.CDLL(None, use_errno=True)
    rights = (1 << _RIGHTS.get(known, 16)) - 1
    rules = _checked(libc.syscall(LANDLOCK_CREATE, *_request(rights, known), 0))
    try:
        for place, allowed in places:
            with suppress(OSError):
                _allow(libc, rules, place, allowed & rights)
        _checked(libc.syscall(LANDLOCK_RESTRICT, rules, 0))
    finally:
        os.close(rules)


def _request(rights: int, known: int) -> tuple[bytes, ctypes.c_size_t]:
    fields = [rights, *([_TCP] if known >= 4 else []), *([_SOCKETS_AND_SIGNALS] if known >= 6 else [])]
    content = struct.pack(f"={len(fields)}Q", *fields)
    return content, ctypes.c_size_t(len(content))


def _allow(libc: ctypes.CDLL, rules: int, place: str, allowed: int) -> None:
    handle = os.open(place, _TO_NAME_IT)
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            allowed &= OF_FILES
        rule = struct.pack("=Qi", allowed, handle)
        _checked(libc.syscall(LANDLOCK_ADD, rules, _OWN_KIND, rule, 0))
    finally:
        os.close(handle)


def _checked(answer: int) -> int:
    if answer < 0:
        raise RulesError(ctypes.get_errno(), "the kernel takes no rules of Landlock")
    return answer
