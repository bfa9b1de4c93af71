"""Find inputs by URL: files, folders, and lists of them. Opens none, and holds no folder's listing of millions in memory."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from shutil import copyfileobj
from typing import Any
from urllib.parse import quote_from_bytes

from ocr_worker.errors import NotFoundError
from ocr_worker.files.held import open_below
from ocr_worker.files.regular import open_regular
from ocr_worker.model.extensions import EXTENSIONS
from ocr_worker.shards.places import file_system, insist, local_path, protocols
from ocr_worker.shards.rows import Row

LOOKS = 16
"""Files of a list that are asked for at a time."""
CHUNK = 1000
_NO_FILE = frozenset({errno.ENODEV, errno.ENXIO, errno.ELOOP})
"""Opening a folder, pipe or device; a socket; a link to itself."""


class Inputs:
    """Files by URL; one connection for each store."""

    def __init__(self) -> None:
        self._systems: dict[str, Any] = {}

    def find(self, given: str) -> Iterator[Row]:
        """The inputs that an argument names.

        Raises:
            NotFoundError: nothing is there.
            UnreachableError: the store does not answer.
        """
        found = False
        for row in self._listed(given[1:]) if given.startswith("@") else self._found(given):
            found = True
            yield row
        if not found:
            raise NotFoundError(f"There is no input in {given}: check the path or URL.")

    def look(self, url: str) -> Row:
        """What a URL leads to now.

        Raises:
            FileNotFoundError, PermissionError, UnreachableError: as they say.
            IsADirectoryError: it is a folder, or else no file.
        """
        local = local_path(url)
        if local is not None:
            found = insist(lambda: _stat_of_file(local), url)
            return Row(url, found.st_size, mtime=found.st_mtime_ns)
        system, path = self._system(url)
        entry = insist(lambda: system.info(path), url)
        if entry.get("type", "file") != "file":
            raise _no_file(url)
        return _row(url, entry)

    def fetch(self, row: Row, file: Path) -> None:
        """Copy it here. Raises as `look`, and LinkedError."""
        url, local = row.url, local_path(row.url)
        if local is not None:
            insist(lambda: _copy(local, row.depth, file), url)
            return
        system, path = self._system(url)
        insist(lambda: system.get_file(path, str(file)), url)

    def _found(self, given: str) -> Iterator[Row]:
        local = local_path(given)
        if local is not None:
            return _local(local)
        system, path = self._system(given)
        return (
            _of_bucket(system, path, given) if "s3" in protocols(system) else _of_store(system, path, given)
        )

    def _system(self, url: str) -> tuple[Any, str]:
        scheme = url.partition("://")[0]
        if scheme not in self._systems:
            self._systems[scheme], path = file_system(url)
            return self._systems[scheme], path
        system = self._systems[scheme]
        return system, system._strip_protocol(url)  # noqa: SLF001  # fsspec has no other name for it

    def _listed(self, url: str) -> Iterator[Row]:
        """The files of a list, a URL or path a line."""
        try:
            stream = insist(lambda: self._open(url), url)
        except FileNotFoundError as error:
            raise NotFoundError(f"There is no list {url}.") from error
        with stream, ThreadPoolExecutor(LOOKS) as pool:
            lines = (line.decode("utf-8", "surrogateescape").strip() for line in stream)
            urls = (_absolute(line) for line in lines if line)
            while chunk := list(islice(urls, CHUNK)):
                yield from pool.map(self._look_at_listed, chunk)

    def _open(self, url: str) -> Any:
        local = local_path(url)
        if local is not None:
            return local.open("rb")
        system, path = self._system(url)
        return system.open(path, "rb")

    def _look_at_listed(self, url: str) -> Row:
        try:
            return self.look(url)
        except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
            raise NotFoundError(
                f"There is no file {url}, which the list names, or it may not be read."
            ) from error


def _local(path: Path) -> Iterator[Row]:
    if path.is_file():
        found = path.stat()
        yield Row(path.as_uri(), found.st_size, mtime=found.st_mtime_ns)
        return
    if not path.is_dir():
        raise NotFoundError(f"There is no {path}: check its path.")
    yield from _below(str(path.absolute()))


def _copy(path: Path, depth: int | None, file: Path) -> None:
    """Of what was found below a folder, never what a link leads to that was put there since."""
    with (
        _no_file_told(path),
        open_regular(path) if depth is None else open_below(path, path.parents[depth - 1]) as source,
        file.open("wb") as target,
    ):
        copyfileobj(source, target)


def _stat_of_file(path: Path) -> os.stat_result:
    with _no_file_told(path):
        found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise _no_file(str(path))
    return found


@contextmanager
def _no_file_told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_FILE:
            raise _no_file(str(path)) from error
        raise


def _no_file(name: str) -> IsADirectoryError:
    return IsADirectoryError(errno.EISDIR, "it is no file", name)


def _below(root: str) -> Iterator[Row]:
    folders = [(root, 1)]
    while folders:
        # The paths of a million files are taken from the system one by one.
        folder, depth = folders.pop()
        url = _url_of_folder(folder)
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.is_symlink():
                    continue
                if entry.is_dir():
                    folders.append((entry.path, depth + 1))
                elif _is_meant(entry.name) and entry.is_file():
                    found = entry.stat()
                    name = quote_from_bytes(os.fsencode(entry.name))
                    yield Row(url + name, found.st_size, mtime=found.st_mtime_ns, depth=depth)


def _url_of_folder(path: str) -> str:
    """To which the names in it are added."""
    return f"file://{quote_from_bytes(os.fsencode(path.rstrip('/')))}/"


def _of_bucket(system: Any, path: str, given: str) -> Iterator[Row]:
    """The objects of S3 page by page: s3fs itself would hold a listing whole."""
    bucket, _, prefix = path.partition("/")
    mark = dict[str, str]()
    while True:
        asked = {"Bucket": bucket, "Prefix": prefix, **mark}
        page = insist(lambda asked=asked: system.call_s3("list_objects_v2", **asked), given)  # type: ignore[misc]
        for entry in page.get("Contents", ()):
            key = entry["Key"]
            if _is_below(key, prefix) and _is_meant(key.rpartition("/")[2]):
                yield _row(f"s3://{bucket}/{key}", {**entry, "size": entry["Size"]})
        if not page.get("IsTruncated"):
            return
        mark = {"ContinuationToken": page["NextContinuationToken"]}


def _is_below(key: str, prefix: str) -> bool:
    """A prefix is no folder: scans is one of scans-2020 as well."""
    rest = key[len(prefix) :]
    return not prefix or prefix.endswith("/") or not rest or rest.startswith("/")


def _of_store(system: Any, path: str, given: str) -> Iterator[Row]:
    if insist(lambda: system.isfile(path), given):
        yield _row(given, insist(lambda: system.info(path), given))
        return
    folders = [path]
    while folders:
        # Not by `walk`, which takes a folder that can't be listed for an empty one.
        for entry in _entries(system, folders.pop(), given):
            name = entry["name"].rstrip("/").rpartition("/")[2]
            if entry["type"] == "directory":
                folders += [] if name.startswith(".") else [entry["name"]]
            elif _is_meant(name):
                yield _row(system.unstrip_protocol(entry["name"]), entry)


def _entries(system: Any, folder: str, given: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = insist(lambda: system.ls(folder, detail=True), given)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no {given}: check the URL.") from error
    # Some stores list a folder as an entry of itself.
    return [entry for entry in found if entry["name"].rstrip("/") != folder.rstrip("/")]


def _row(url: str, entry: dict[str, Any]) -> Row:
    """As a store tells it; each names these things in its own way."""
    etag = _first(entry, ("ETag", "etag", "content_md5", "md5Hash", "generation"))
    time = _first(
        entry, ("mtime", "LastModified", "last_modified", "modified", "updated", "created", "Last-Modified")
    )
    size = int(entry.get("size") or 0)
    if etag is not None:
        return Row(url, size, etag=str(etag).strip('"'))
    return Row(url, size, etag=time) if isinstance(time, str) else Row(url, size, mtime=_ns(time))


def _first(entry: dict[str, Any], names: Iterable[str]) -> Any:
    return next((entry[name] for name in names if entry.get(name) is not None), None)


def _ns(time: Any) -> int | None:
    if isinstance(time, datetime):
        return round(time.timestamp() * 1_000_000) * 1000
    return None if time is None else round(float(time) * 1e9)


def _is_meant(name: str) -> bool:
    return not name.startswith(".") and name.rpartition(".")[2].lower() in EXTENSIONS


def _absolute(given: str) -> str:
    """A path as a URL that holds from anywhere."""
    return given if "://" in given else Path(given).absolute().as_uri()
