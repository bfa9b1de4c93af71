"""Write files that appear whole or not at all: beside their target, synced, verified, then moved into place.

The temporary file is hidden and ends in `.part`, so that a later sweep recognises it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from ocr_worker.errors import (
    LockedError,
    OcrError,
    OutputExistsError,
    OutputPermissionError,
    is_shared,
    no_space,
    unreachable,
)
from ocr_worker.files.liveness import own_mark

_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_BUSY = {errno.EBUSY, errno.EACCES, errno.EPERM, errno.ETXTBSY}
_FOLLOWS = os.link not in os.supports_follow_symlinks
_SAFELY = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL
ATTEMPTS = 3
_Moved = TypeVar("_Moved")
FolderId = tuple[int, int]
"""Device and inode."""


@dataclass(frozen=True, slots=True)
class Staged:
    """An output that is not under its name yet."""

    temporary: Path
    target: Path
    folder: Folder | None = None
    """Where it is made, held; without, its path is taken."""

    def create(self) -> BinaryIO:
        """The temporary file, new and empty, to be written and read."""
        return self._opened(_NEW)

    def status(self) -> os.stat_result:
        return self._place.status(self.temporary)

    def sync(self) -> None:
        """Make it durable, complete as it is by now."""
        with self._opened(os.O_RDWR) as stream:
            os.fsync(stream.fileno())

    def digest(self) -> tuple[int, str]:
        """Size in bytes and sha256."""
        with self._opened(os.O_RDWR) as stream:
            return os.fstat(stream.fileno()).st_size, _sha256(stream.fileno())

    @property
    def _place(self) -> Folder:
        return self.folder or Folder(self.temporary.parent, None)

    def _opened(self, flags: int) -> BinaryIO:
        return os.fdopen(self._place.open(self.temporary, flags), "w+b" if flags & os.O_CREAT else "r+b")

    def publish(
        self, sleep: Callable[[float], None] = time.sleep, move: Callable[[Path, Path], object] = os.replace
    ) -> None:
        """Move into place, whatever is there."""
        insist(lambda: move(self.temporary, self.target), self.target, sleep)


def insist(move: Callable[[], _Moved], target: Path, sleep: Callable[[float], None] = time.sleep) -> _Moved:
    """Move to a target; one that a viewer holds open is tried three times, then `locked`."""
    try:
        return move()
    except OSError as error:
        if not _is_busy(error):
            raise output_error(error, target) from error
        failed = [error]

    def again() -> _Moved:
        if failed:
            raise failed.pop()
        return move()

    # Late: it takes as long to import as some pages take, and hardly any target is held.
    import tenacity

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_busy),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=tenacity.wait_exponential(multiplier=0.1),
        sleep=sleep,
        reraise=True,
    )
    try:
        return retrying(again)
    except OSError as error:
        if _is_busy(error):
            raise LockedError(f"{target} is in use by another program; close it there") from error
        raise output_error(error, target) from error


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is held: what is done in it is done in this one, wherever its path leads by then."""

    path: Path
    handle: int | None
    """None where the system has no such handles: there, paths it is. (Windows pins the folder instead.)"""

    def open(self, one: Path, flags: int) -> int:
        """A descriptor of a file itself, never of what a link leads to. Raises OSError."""
        return os.open(self._at(one), flags | _SAFELY, 0o666, dir_fd=self.handle)

    def link(self, one: Path, other: Path) -> None:
        """Give a file of the folder a second name. Raises OSError."""
        os.link(
            self._at(one),
            self._at(other),
            src_dir_fd=self.handle,
            dst_dir_fd=self.handle,
            follow_symlinks=_FOLLOWS,
        )

    def replace(self, one: Path, other: Path) -> None:
        """Rename, whatever has the other name. Raises OSError."""
        os.replace(self._at(one), self._at(other), src_dir_fd=self.handle, dst_dir_fd=self.handle)

    def rename(self, one: Path, other: Path) -> None:
        """Rename; on Windows never over another. Raises OSError."""
        os.rename(self._at(one), self._at(other), src_dir_fd=self.handle, dst_dir_fd=self.handle)

    def unlink(self, one: Path) -> None:
        """Raises OSError."""
        os.unlink(self._at(one), dir_fd=self.handle)

    def status(self, one: Path) -> os.stat_result:
        """Of what has the name, a link itself. Raises OSError."""
        return os.stat(self._at(one), dir_fd=self.handle, follow_symlinks=False)

    def target_status(self, one: Path) -> os.stat_result:
        """Of what the name leads to. Raises OSError."""
        return os.stat(self._at(one), dir_fd=self.handle)

    def names(self) -> list[str]:
        """Of all that is in it; none where that can't be told."""
        try:
            return os.listdir(self.path if self.handle is None else self.handle)  # noqa: PTH208  # of a descriptor
        except OSError:
            return []

    def has(self, one: Path) -> bool:
        try:
            self.status(one)
        except OSError:
            return False
        return True

    def _at(self, path: Path) -> str:
        return os.fspath(path) if self.handle is None else path.name


@contextmanager
def held_folder(path: Path, known: FolderId | None = None) -> Iterator[Folder]:
    """Hold a folder while files are moved in it.

    Raises:
        OutputPermissionError: it is not the one that is known; None is not compared.
    """
    if sys.platform == "win32":
        from ocr_worker.files.windows import pinned

        with ExitStack() as held:
            with translated(path):
                held.enter_context(pinned(path))
            require_same_folder(path, known)
            yield Folder(path, None)
        return
    if os.rename not in os.supports_dir_fd:
        require_same_folder(path, known)
        yield Folder(path, None)
        return
    with translated(path):
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        _require_same(path, known, (found.st_dev, found.st_ino))
        yield Folder(path, handle)
    finally:
        os.close(handle)


def publish_all(staged: Iterable[Staged], known: FolderId | None = None) -> None:
    """Move all into place in this order, then make the moves durable.

    Args:
        staged: what is to be moved.
        known: their folder; None where it may be any.
    """
    folders: dict[Path, None] = {}
    for one in staged:
        with held_folder(one.target.parent, known) as folder:
            one.publish(move=folder.replace)
        folders[one.target.parent] = None
    for place in folders:
        sync_folder(place)


def part_beside(target: Path) -> Path:
    """A hidden name in the target's folder that a sweep knows for this process's."""
    return target.parent / f".ocr-{own_mark()}-{secrets.token_hex(8)}.part"


@contextmanager
def drafting(target: Path, known: FolderId | None = None) -> Iterator[Staged]:
    """A place for the temporary file in the folder that is known; what is not published by the end of the block is removed."""
    temporary = part_beside(target)
    with held_folder(target.parent, known) as folder:
        try:
            refuse_odd_target(target, folder.target_status)
            yield Staged(temporary, target, folder)
        finally:
            # A disk that has turned read-only keeps it until a sweep; the error that led here is what counts.
            with suppress(OSError):
                folder.unlink(temporary)


@contextmanager
def staging(
    target: Path, write: Callable[[BinaryIO], object], known: FolderId | None = None
) -> Iterator[Staged]:
    """Have `write` fill the temporary file."""
    with drafting(target, known) as staged:
        with translated(target), staged.create() as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        yield staged


def write_whole(target: Path, content: bytes) -> None:
    with staging(target, lambda stream: stream.write(content)) as staged:
        publish_all([staged])


def write_unsynced(target: Path, content: bytes) -> None:
    """Whole or absent too, for its owner alone, but only safe from the death of a process, not of the machine."""
    temporary = target.parent / f".ocr-{secrets.token_hex(8)}.part"
    try:
        with translated(target):
            with open(temporary, "xb", opener=_open_private) as stream:
                stream.write(content)
            temporary.replace(target)
    finally:
        _remove(temporary)


def kept_beside(target: Path) -> Path:
    """A name under which what was there before is seen, and which no sweep takes for a leftover."""
    return target.with_name(f"{target.name}.kept-{secrets.token_hex(4)}")


def refuse_odd_target(target: Path, status: Callable[[Path], os.stat_result] = Path.stat) -> None:
    """A FIFO, device or folder at the target is never written to."""
    try:
        mode = status(target).st_mode
    except OSError:
        return
    if not stat.S_ISREG(mode):
        raise OutputExistsError(f"{target} exists and is not a regular file; choose another output folder")


def folder_id(folder: Path) -> FolderId | None:
    """None where there is no folder."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def require_same_folder(folder: Path, known: FolderId | None) -> None:
    """Raises OutputPermissionError when the path leads to another folder than it did; None is not compared."""
    _require_same(folder, known, folder_id(folder))


def _require_same(folder: Path, known: FolderId | None, found: FolderId | None) -> None:
    if known is not None and known != found:
        raise OutputPermissionError(
            f"{folder} is not the folder any more that it was when the run began, so nothing was written there. Put it back, then retry."
        )


@contextmanager
def translated(target: Path) -> Iterator[None]:
    """Turn what the file system says while writing into errors a user can act on."""
    try:
        yield
    except OSError as error:
        raise output_error(error, target) from error


def output_error(error: OSError, target: Path) -> OcrError:
    if full := no_space(error, target):
        return full
    if away := unreachable(error, target):
        return away
    if error.errno in _DENIED:
        return OutputPermissionError(f"{target} can't be written: {error.strerror}; choose another folder")
    return OutputPermissionError(f"{target} can't be written: {error.strerror or error}")


def sync_folder(folder: Path) -> None:
    """Make a rename durable, where the system lets folders be synced."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def _remove(temporary: Path) -> None:
    # A disk that has turned read-only keeps it until a sweep; the error that led here is what counts.
    with suppress(OSError):
        temporary.unlink(missing_ok=True)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, OSError) and (error.errno in _BUSY or is_shared(error))


def _sha256(handle: int) -> str:
    digest = hashlib.sha256()
    while block := os.read(handle, 1 << 20):
        digest.update(block)
    return digest.hexdigest()
