"""The input as a file: looked at without ever blocking on it, hashed, and watched for changes."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ocr_worker.errors import (
    ChangedError,
    EmptyFileError,
    LockedError,
    NotFoundError,
    NotRegularError,
    OcrError,
    PermissionDeniedError,
    UnreachableError,
    is_shared,
    unreachable,
)
from ocr_worker.files.held import held_below
from ocr_worker.files.regular import open_regular
from ocr_worker.model.tasks import Source
from ocr_worker.pages.file_type import HEAD_BYTES, sniff

Stamp = tuple[int, int, int]
_BLOCK_BYTES = 1 << 20
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ}
"""No file can be there: no such name, a link that leads nowhere, a name that the file system does not take."""


class Look(NamedTuple):
    """What one reading of the file tells."""

    path: Path
    kind: str
    stamp: Stamp
    sha256: str


def look(source: Source) -> Look:
    """Type, stamp and sha256 of a regular, readable, non-empty file."""
    path = Path(source.place)
    with _handle(path) as handle:
        _refuse_locked(handle, path)
        stamp = stamp_of(os.fstat(handle))
        head = _head(handle, path)
        kind = sniff(head, path)
        digest = hashlib.sha256(head)
        while block := os.read(handle, _BLOCK_BYTES):
            digest.update(block)
    return Look(path, kind, stamp, digest.hexdigest())


def glance(source: Source) -> tuple[Path, str]:
    """Path and type alone, after checking that the file is still what it was. Raises ChangedError."""
    path = Path(source.place)
    with _handle(path) as handle:
        _require_stamp(stamp_of(os.fstat(handle)), source)
        return path, sniff(_head(handle, path), path)


@contextmanager
def held(source: Source, scratch: Path) -> Iterator[Source]:
    """The same, so that all that opens it opens one and the same file, which no link has led to; as it is where links may.

    Raises:
        LinkedError: a link leads to it.
        ChangedError: another file came in its place meanwhile, where the system could not keep us from it.
    """
    if source.no_links_below is None:
        yield source
        return
    path = Path(source.path)
    with ExitStack() as stack:
        try:
            place = stack.enter_context(held_below(path, Path(source.no_links_below), scratch))
        except (OSError, ValueError) as error:
            raise access_error(error, path) from error
        yield replace(source, held=str(place))


def require_unchanged(source: Source) -> None:
    """Raises ChangedError, or what keeps the file from being looked at."""
    with _handle(Path(source.place)) as handle:
        _require_stamp(stamp_of(os.fstat(handle)), source)


def require_readable(source: Source, fault: BaseException) -> None:
    """Raises what keeps a file from being read to its end, now or when `fault` came of it; a damaged file is not concerned."""
    path, cause = Path(source.place), fault.__cause__
    while cause is not None:
        if away := unreachable(cause, path.name):
            raise away from fault
        cause = cause.__cause__ or cause.__context__
    with _handle(path) as handle:
        while os.read(handle, _BLOCK_BYTES):
            pass


def _head(handle: int, path: Path) -> bytes:
    head = os.read(handle, HEAD_BYTES)
    if not head:
        raise EmptyFileError(f"{path.name} is empty (0 bytes); get it again from where it came from")
    return head


def stamp_of(status: os.stat_result) -> Stamp:
    return status.st_size, status.st_mtime_ns, status.st_ino


def _refuse_locked(handle: int, path: Path) -> None:
    """A program that still writes the file may have locked it, in either of the two ways; Windows refuses the open."""
    if sys.platform == "win32":
        return
    import fcntl

    for lock in (fcntl.flock, fcntl.lockf):
        try:
            lock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            lock(handle, fcntl.LOCK_UN)
        except OSError as error:
            # A file system without locks says so with another errno.
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise LockedError(f"{path.name} is locked by another program; close it there") from error


def _require_stamp(stamp: Stamp, source: Source) -> None:
    if source.stamp is not None and _told(stamp, source) != _told(source.stamp, source):
        raise ChangedError(f"{Path(source.path).name} was changed while it was worked on; try again")


def _told(stamp: Stamp, source: Source) -> tuple[int, ...]:
    """What counts of it: the same file on a share may have another inode, and a coarser time."""
    assert source.stamp is not None
    size, changed_ns, inode = stamp
    return (size, changed_ns, inode) if source.stamp[2] else (size, changed_ns // 1000)


@contextmanager
def _handle(path: Path) -> Iterator[int]:
    try:
        stream = open_regular(path)
    except (OSError, ValueError) as error:
        raise access_error(error, path) from error
    with stream:
        try:
            yield stream.fileno()
        except OSError as error:
            raise access_error(error, path) from error


def access_error(error: OSError | ValueError, path: Path) -> OcrError:
    """What a failure to open or read an input means to its owner."""
    code = getattr(error, "errno", None)
    if code in (errno.ENXIO, errno.EISDIR, errno.ENODEV):
        return NotRegularError(f"{path.name} is no regular file (a folder, pipe or device); name a file")
    if is_shared(error) or code in (errno.EBUSY, errno.EAGAIN, errno.ETXTBSY):
        return LockedError(f"{path.name} is in use by another program; close it there")
    if away := unreachable(error, path.name):
        return away
    if code in (errno.EACCES, errno.EPERM):
        return PermissionDeniedError(f"{path.name} may not be read; change its permissions")
    if isinstance(error, OSError) and code not in _ABSENT:
        return UnreachableError(f"{path.name} can't be opened now ({error.strerror}); try again later")
    return NotFoundError(f"{path.name} does not exist, or is a link that leads nowhere; check its path")
