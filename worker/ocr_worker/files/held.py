"""Open a file that was found in a folder without following a link, and name it so that libraries open that very file.

Between a search and the opening whoever may write into the folder can put a link in a file's or a folder's place. So each
step from the searched folder down is taken by a descriptor. What then has only a path to open by is given one that leads
to the descriptor, whatever happens to names meanwhile.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ocr_worker.errors import ChangedError, LinkedError
from ocr_worker.files.regular import open_regular

_BY_DESCRIPTORS = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_INTO = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_TO_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_JUNCTION = getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", None)
"""A link of Windows to a folder, which anybody may make."""


@contextmanager
def held_below(path: Path, folder: Path, scratch: Path) -> Iterator[Path]:
    """A path to the file, with its name, that leads to no other until the end of the block.

    Where the system has no names for descriptors it is the file's own, and the file is looked at again at the end.

    Raises:
        LinkedError: it is a link, or lies behind one that is below the folder.
        ChangedError: by the end its path leads to another file.
        OSError: it can't be opened.
    """
    with open_below(path, folder) as stream:
        with _named(stream, path, scratch) as place:
            if place is not None:
                yield place
                return
        yield path
        with open_below(path, folder) as again:
            if not os.path.sameopenfile(stream.fileno(), again.fileno()):
                raise ChangedError(f"{path.name} was changed while it was worked on; try again")


def open_below(path: Path, folder: Path) -> BinaryIO:
    """The regular file; links on the way to the folder are followed, links below it are not. Raises LinkedError, OSError."""
    steps = path.relative_to(folder).parts
    if sys.platform == "win32" or not _BY_DESCRIPTORS:
        _refuse_links(path, folder, steps)
        return open_regular(path)
    at = os.open(folder, _INTO)
    try:
        for step in steps[:-1]:
            inner = _open(step, _INTO, at, path)
            os.close(at)
            at = inner
        handle = _open(steps[-1], _TO_READ, at, path)
    finally:
        os.close(at)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    raise OSError(errno.ENODEV, "it is not a regular file", str(path))


def _open(step: str, flags: int, at: int, path: Path) -> int:
    try:
        return os.open(step, flags | _NO_LINK, dir_fd=at)
    except OSError as error:
        # Systems differ in how they refuse one.
        with suppress(OSError):
            if stat.S_ISLNK(os.stat(step, dir_fd=at, follow_symlinks=False).st_mode):
                raise _linked(path) from error
        raise


def _refuse_links(path: Path, folder: Path, steps: tuple[str, ...]) -> None:
    place = folder
    for step in steps:
        place /= step
        found = place.lstat()
        if stat.S_ISLNK(found.st_mode) or getattr(found, "st_reparse_tag", 0) == _JUNCTION:
            raise _linked(path)


def _linked(path: Path) -> LinkedError:
    return LinkedError(
        f"{path.name} is a link, or lies in a folder that is one, and links are not followed where it was found; "
        "name the file itself if it is meant"
    )


@contextmanager
def _named(stream: BinaryIO, path: Path, scratch: Path) -> Iterator[Path | None]:
    """The same for the same file each time, so that a document which is open already is known by it; None where there is none."""
    key = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    folder, handle = scratch / f"held-{key}", stream.fileno()
    place = folder / path.name
    try:
        folder.mkdir(exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(f"/proc/self/fd/{handle}")
        leads_there = os.path.samestat(place.stat(), os.fstat(handle))
    except OSError:
        leads_there = False
    try:
        yield place if leads_there else None
    finally:
        with suppress(OSError):
            place.unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()
