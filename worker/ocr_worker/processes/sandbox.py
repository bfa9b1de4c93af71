"""Hold a page process, for good, to what its work needs: no programs, no sockets, no writing but where outputs go.

Linux alone has the means. What the kernel lacks is left out and named by `lacking`, for a page without it is better
than no page.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from ocr_worker.processes import capabilities, landlock, seccomp
from ocr_worker.processes.prctl import PR_SET_NO_NEW_PRIVS

_TOO_MUCH = {"proc", "sys", "dev"}
"""At the top of the file system: devices, and what the kernel tells of other processes."""
_OF_THOSE = (
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/filesystems", "/proc/mounts",
    "/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu", "/dev/zero", "/dev/urandom", "/dev/random",
    "/dev/shm",  # noqa: S108 (it is only read)
)  # fmt: skip
_LOCAL = {
    "ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "f2fs", "bcachefs", "vfat", "exfat",
    "ntfs", "ntfs3", "squashfs", "erofs", "ramfs", "devtmpfs", "proc", "sysfs",
}  # fmt: skip
_PROGRAM_HEADERS, _INTERPRETER = 0x20, 3


class CommandNeededError(BaseException):
    """A command was to be started where none may be. No Exception, for libraries would make something else of it."""


def confine(writes: Iterable[str], temp: str, commands: Iterable[str] | None) -> list[str]:
    """Hold this thread, and those it starts, to this; what could not be done.

    Call with no other thread. With `commands` (their paths) these can be started; the rules hold for them as well.
    """
    if sys.platform != "linux":
        if sys.platform == "win32" and commands is None:
            # The system refuses them there (`limits`); so a page that needs one is given to a process that may.
            subprocess.Popen = _NoCommand  # type: ignore[misc]
        return []
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return ["no_new_privs was refused"]
    undone: list[str] = []
    _try(undone, "capabilities", capabilities.drop)
    _try(undone, "Landlock", lambda: landlock.apply(_places(writes, temp, commands)))
    is_filtered = _try(undone, "seccomp", lambda: seccomp.apply(commands=commands is not None))
    if is_filtered and commands is None:
        subprocess.Popen = _NoCommand  # type: ignore[misc]
    return undone


def _try(undone: list[str], name: str, hold: Callable[[], None]) -> bool:
    try:
        hold()
    except OSError as error:
        undone.append(f"{name}: {error}")
        return False
    return True


def lacking() -> list[str]:
    """What keeps this machine from holding page processes as tightly as it could be done."""
    if sys.platform != "linux":
        return ["a sandbox, which there is on Linux alone"]
    found = []
    if not seccomp.is_available():
        found.append("seccomp, so a hostile file could start programs and open connections")
    if not landlock.version():
        found.append("Landlock, so a hostile file could write wherever you may")
    return found


class _NoCommand(subprocess.Popen[Any]):
    """What libraries start commands with; where that is refused, it is asked for."""

    def __init__(self, *_: Any, **options: Any) -> None:
        if options.get("shell"):
            # None of ours. `platform` asks a shell which Windows this is, and does without an answer.
            raise PermissionError("No shell is started from here.")
        raise CommandNeededError


def _places(writes: Iterable[str], temp: str, commands: Iterable[str] | None) -> Iterator[tuple[str, int]]:
    for place in (*_readable(), *_OF_THOSE):
        yield place, landlock.READ
    yield "/dev/null", landlock.READ_FILE | landlock.WRITE_FILE
    yield temp, landlock.ARRANGE
    for folder in writes:
        yield folder, landlock.WRITE
    for program in programs(commands or ()):
        yield program, landlock.EXECUTE


def _readable() -> Iterator[str]:
    """All at the top but devices and the kernel's; the top itself where a share is mounted beneath, for which a rule would wait."""
    if any(kind not in _LOCAL for place, kind in _mounts() if place.count("/") == 1 and place != "/"):
        yield "/"
        return
    with os.scandir("/") as entries:
        for entry in entries:
            if entry.name not in _TOO_MUCH and not entry.is_symlink():
                yield entry.path


def _mounts() -> Iterator[tuple[str, str]]:
    """Where something is mounted, and the kind of its file system."""
    with suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines():
            before, _, after = line.partition(" - ")
            yield before.split()[4], after.split()[0]


def programs(commands: Iterable[str]) -> Iterator[str]:
    """The files that starting these commands opens as programs; all there are for a script, which may start any."""
    for command in commands:
        place = os.path.realpath(command)
        yield place
        with suppress(OSError), Path(place).open("rb") as program:
            yield _loader(program) if program.read(4) == b"\x7fELF" else "/"


def _loader(program: BinaryIO) -> str:
    """The one that an ELF file of 64 bits names; the file itself where it names none."""
    program.seek(_PROGRAM_HEADERS)
    at = int.from_bytes(program.read(8), "little")
    program.seek(0x36)
    size, count = (int.from_bytes(program.read(2), "little") for _ in range(2))
    for number in range(count):
        program.seek(at + number * size)
        header = program.read(size)
        if int.from_bytes(header[:4], "little") == _INTERPRETER:
            program.seek(int.from_bytes(header[8:16], "little"))
            return os.path.realpath(
                program.read(int.from_bytes(header[32:40], "little")).rstrip(b"\0").decode()
            )
    return str(program.name)
