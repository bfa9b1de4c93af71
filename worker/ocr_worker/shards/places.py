"""Folders by URL: read, list, fetch, and put whole. What a network fails at is tried again."""

from __future__ import annotations

import errno
import logging
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol, TypeVar

from ocr_worker.errors import (
    InvalidParamsError,
    LockedError,
    OcrError,
    UnreachableError,
    UnsupportedError,
    no_space,
)
from ocr_worker.files.atomic import output_error, publish_all, staging, write_whole
from ocr_worker.files.paths import absolute_path
from ocr_worker.files.sweep import PART, sweep_parts

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

ATTEMPTS, FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 6, 0.2, 8.0
WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "memory"})
"""Stores in which an object appears whole or not at all; on others it is renamed into place."""
STALE_SECONDS = 3600.0
"""From what age on a temporary file of another machine is nobody's: a put takes less."""
AT_ONCE = 32
"""Small objects that are read at a time."""
_MEANT = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
_FAULTS = (TypeError, AttributeError, NameError, ImportError, MemoryError)


class Place(Protocol):
    """A folder. Keys are paths below it, with slashes.

    Every call raises UnreachableError for what another try may mend, NoSpaceError, and the OSError of what is not there
    or not allowed.
    """

    url: str

    def read(self, key: str) -> bytes: ...

    def write(self, key: str, content: bytes) -> None:
        """Put a small object, whole."""
        ...

    def put(self, key: str, file: Path) -> None:
        """Put a file, whole."""
        ...

    def fetch(self, key: str, file: Path) -> None: ...

    def names(self, folder: str) -> dict[str, int]:
        """The files of a folder and their sizes; none where there is no folder."""
        ...

    def folders(self, folder: str) -> list[str]:
        """The folders of a folder, by name, in order."""
        ...

    def sweep(self, folder: str) -> None:
        """Remove what killed processes left there."""
        ...


def place(url: str) -> Place:
    """The folder that a URL or path names. Raises InvalidParamsError, UnsupportedError."""
    path = local_path(url)
    if path is not None:
        return LocalPlace(path)
    return RemotePlace(*file_system(url), url.rstrip("/"))


def local_path(url: str) -> Path | None:
    """Where a path or file URL leads; None for the URL of another store."""
    scheme, mark, _ = url.partition("://")
    if mark and scheme != "file":
        return None
    try:
        return Path(absolute_path(url))
    except ValueError as error:
        raise InvalidParamsError(f"{url!r} is neither a path nor a URL.") from error


def file_system(url: str) -> tuple[Any, str]:
    """The file system of a URL, without any cache of listings, and the path in it."""
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        how = "pip install 'ocr-sidecar[shards-s3]'" if url.startswith("s3") else "install it"
        raise UnsupportedError(f"{url} takes a package that is not installed ({error}): {how}.") from error
    except ValueError as error:
        raise InvalidParamsError(f"{url} is no URL that can be read: {error}.") from error
    return system, path


def protocols(system: Any) -> tuple[str, ...]:
    found = system.protocol
    return (found,) if isinstance(found, str) else tuple(found)


def insist(call: Callable[[], Answer], where: str, sleep: Callable[[float], None] = time.sleep) -> Answer:
    """Do it, again and again if it fails in a way that may pass.

    Raises:
        UnreachableError: it failed to the last.
        OSError: it is not there, or not allowed.
    """
    for attempt in count(1):
        try:
            return call()
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EROFS:
                # Who may not write there will not later.
                raise PermissionError(errno.EROFS, error.strerror, error.filename) from error
            if attempt == ATTEMPTS or not _may_pass(error):
                if told := _told(error, where):
                    raise told from error
                raise
        # By chance, so that machines that failed together do not come again together.
        longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**attempt)
        sleep(random.uniform(longest / 10, longest))  # noqa: S311  # no secret
    raise AssertionError


def _told(error: Exception, where: str) -> OcrError | None:
    """None for what is meant, or a fault of ours: it is raised as it is."""
    if isinstance(error, (*_MEANT, *_FAULTS, OcrError)):
        return None
    return no_space(error, where) or UnreachableError(
        f"{where} can't be reached now ({type(error).__name__}: {error}). Try again later."
    )


def _may_pass(error: BaseException) -> bool:
    """Libraries of stores raise what they like: all but what is clearly meant, or a fault of ours, may pass."""
    if isinstance(error, OcrError):
        return isinstance(error, UnreachableError | LockedError)
    return isinstance(error, Exception) and not (
        isinstance(error, (*_MEANT, *_FAULTS)) or no_space(error, "")
    )


class LocalPlace:
    """A folder of this machine, or of a share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self.url = self._folder.as_uri()

    def read(self, key: str) -> bytes:
        return self._insist(lambda: self._path(key).read_bytes(), key)

    def write(self, key: str, content: bytes) -> None:
        path = self._path(key)

        def write() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)

        self._insist(write, key)

    def put(self, key: str, file: Path) -> None:
        path = self._path(key)

        def put() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with (
                file.open("rb") as source,
                staging(path, lambda target: shutil.copyfileobj(source, target, 2**20)) as staged,
            ):
                publish_all([staged])

        self._insist(put, key)

    def fetch(self, key: str, file: Path) -> None:
        self._insist(lambda: shutil.copyfile(self._path(key), file), key)

    def names(self, folder: str) -> dict[str, int]:
        try:
            return {
                entry.name: entry.stat().st_size
                for entry in os.scandir(self._path(folder))
                if entry.is_file()
            }
        except FileNotFoundError:
            return {}

    def folders(self, folder: str) -> list[str]:
        try:
            return sorted(entry.name for entry in os.scandir(self._path(folder)) if entry.is_dir())
        except FileNotFoundError:
            return []

    def sweep(self, folder: str) -> None:
        path = self._path(folder)
        sweep_parts(path)
        for name in self.names(folder):
            with suppress(OSError):
                if PART.fullmatch(name) and time.time() - (path / name).stat().st_mtime > STALE_SECONDS:
                    (path / name).unlink()

    def _path(self, key: str) -> Path:
        return self._folder / key

    def _insist(self, call: Callable[[], Answer], key: str) -> Answer:
        try:
            return insist(call, f"{self.url}/{key}")
        except PermissionError as error:
            raise output_error(error, self._path(key)) from error


class RemotePlace:
    """A folder of a store that fsspec reaches."""

    def __init__(self, system: Any, root: str, url: str) -> None:
        self._system, self._root, self.url = system, root.rstrip("/"), url
        self._puts_whole = bool(WHOLE.intersection(protocols(system)))

    def read(self, key: str) -> bytes:
        return bytes(self._insist(lambda: self._system.cat_file(self._path(key)), key))

    def write(self, key: str, content: bytes) -> None:
        self._insist(lambda: self._whole(key, lambda path: self._system.pipe_file(path, content)), key)

    def put(self, key: str, file: Path) -> None:
        self._insist(lambda: self._whole(key, lambda path: self._system.put_file(str(file), path)), key)

    def fetch(self, key: str, file: Path) -> None:
        self._insist(lambda: self._system.get_file(self._path(key), str(file)), key)

    def names(self, folder: str) -> dict[str, int]:
        return {
            _name(entry): int(entry["size"] or 0)
            for entry in self._entries(folder)
            if entry["type"] == "file"
        }

    def folders(self, folder: str) -> list[str]:
        return sorted(_name(entry) for entry in self._entries(folder) if entry["type"] == "directory")

    def sweep(self, folder: str) -> None:
        """A put that was cut off left nothing in a store of objects, and elsewhere what hides by its name."""
        for name in () if self._puts_whole else self.names(folder):
            if PART.fullmatch(name):
                path = self._path(f"{folder}/{name}")
                # Whose process is dead can't be told from here, and a second try may be at work.
                with suppress(Exception):
                    if time.time() - self._system.modified(path).timestamp() > STALE_SECONDS:
                        self._system.rm_file(path)

    def _whole(self, key: str, write: Callable[[str], object]) -> None:
        path = self._path(key)
        if self._puts_whole:
            write(path)
            return
        self._system.makedirs(path.rpartition("/")[0], exist_ok=True)
        part = f"{path.rpartition('/')[0]}/.ocr-{token_hex(4)}-0-{token_hex(8)}.part"
        try:
            write(part)
            self._system.mv(part, path)
        except BaseException:
            with suppress(Exception):
                self._system.rm_file(part)
            raise

    def _entries(self, folder: str) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = self._insist(
                lambda: self._system.ls(self._path(folder), detail=True), folder
            )
        except FileNotFoundError:
            return []
        # Some stores list a folder as an entry of itself.
        return [entry for entry in found if entry["name"].rstrip("/") != self._path(folder)]

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _insist(self, call: Callable[[], Answer], key: str) -> Answer:
        return insist(call, f"{self.url}/{key}")


def _name(entry: dict[str, Any]) -> str:
    return str(entry["name"]).rstrip("/").rpartition("/")[2]


def read_if_there(where: Place, key: str) -> bytes | None:
    """A small object; None for one that is not there any more."""
    try:
        return where.read(key)
    except FileNotFoundError:
        return None


def read_all(where: Place, keys: Sequence[str]) -> Iterator[bytes | None]:
    """Many small objects, in order; None for one that is not there any more."""
    read = partial(read_if_there, where)
    if isinstance(where, LocalPlace):
        # A disk answers faster than threads take turns.
        yield from map(read, keys)
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(read, keys)
