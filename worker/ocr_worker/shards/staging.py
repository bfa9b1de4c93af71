"""Copy a shard's inputs to the local disk, ahead of the pages and not too far, and make room as files end."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ocr_worker.errors import (
    ChangedError,
    LinkedError,
    NoSpaceError,
    NotFoundError,
    OcrError,
    PermissionDeniedError,
)
from ocr_worker.model.tasks import Failure
from ocr_worker.shards.earlier import Earlier
from ocr_worker.shards.listing import Inputs
from ocr_worker.shards.rows import UNKNOWN, Row

log = logging.getLogger(__name__)

MOST_BYTES = 2 * 2**30
MOST_PAGES = 200
"""Ahead of what has ended."""
DISK_SHARE = 0.5
"""Of what was free at the start: outputs are made on the same disk, and put away as slowly as the store takes them."""
FETCHES = 4
"""At a time."""


@dataclass(slots=True)
class Room:
    """What may lie on the local disk. A single file may be larger than all of it."""

    most_bytes: int
    most_pages: int = MOST_PAGES
    least_files: int = 1
    """So many are wanted however many pages they are held to have: no page process is to wait for the next."""
    bytes: int = 0
    pages: int = 0
    files: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _closed: bool = False

    @classmethod
    def of_disk(cls, folder: Path, processes: int) -> Room:
        free = shutil.disk_usage(folder).free
        return cls(min(MOST_BYTES, int(free * DISK_SHARE)), least_files=2 * processes)

    def take(self, row: Row) -> bool:
        """Wait for room; False where none is wanted any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._fits(row))
            if not self._closed:
                self.bytes, self.pages, self.files = (
                    self.bytes + row.bytes,
                    self.pages + row.pages,
                    self.files + 1,
                )
            return not self._closed

    def give(self, row: Row) -> None:
        with self._changed:
            self.bytes, self.pages, self.files = (
                self.bytes - row.bytes,
                self.pages - row.pages,
                self.files - 1,
            )
            self._changed.notify_all()

    def wait_for_less(self) -> bool:
        """Wait until a file has gone; False where there is no other that could go, or none is wanted any more."""
        with self._changed:
            before = self.files
            self._changed.wait_for(lambda: self._closed or self.files < before or self.files <= 1)
            return not self._closed and self.files < before

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _fits(self, row: Row) -> bool:
        has_room = self.bytes + row.bytes <= self.most_bytes
        is_wanted = self.files < self.least_files or self.pages + row.pages <= self.most_pages
        return not self.files or (has_room and is_wanted)


@dataclass(frozen=True, slots=True)
class Copies:
    """A shard's inputs, and where their copies go."""

    rows: tuple[Row, ...]
    folder: Path

    def path(self, row: Row) -> Path:
        """Of an input's copy."""
        return self.folder / row.staged_name


class Stager:
    """Threads that fetch one input after the other, in order."""

    def __init__(
        self,
        copies: Copies,
        room: Room,
        earlier: Earlier,
        arrived: Callable[[Row, Failure | None], None],
        broke: Callable[[Exception], None],
    ) -> None:
        """Fetch nothing yet.

        Args:
            copies: of which inputs, and where.
            room: is given back by whoever is done with a file.
            earlier: outputs of earlier tries, which may still hold.
            arrived: is told of each input that is there, or known not to come.
            broke: is told what stopped it.
        """
        self._rows: Iterator[Row] = iter(copies.rows)
        self._copies, self._room, self._earlier, self._arrived, self._broke = (
            copies,
            room,
            earlier,
            arrived,
            broke,
        )
        self._next, self._inputs = threading.Lock(), Inputs()
        self._threads = [
            threading.Thread(target=self._run, name="stager", daemon=True) for _ in range(FETCHES)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        try:
            while (row := self._take()) is not None:
                failure = self._fetch(row)
                self._arrived(row, failure)
        except Exception as error:  # noqa: BLE001  # handed on
            self._broke(error)

    def _take(self) -> Row | None:
        """In order, also of those that wait for room."""
        with self._next:
            row = next(self._rows, None)
            return row if row is not None and self._room.take(row) else None

    def _fetch(self, row: Row) -> Failure | None:
        """Why an input can't be had; raises what is not its own fault."""
        while True:
            try:
                self._copy(row)
            except NoSpaceError:
                self._copies.path(row).unlink(missing_ok=True)
                if not self._room.wait_for_less():
                    raise
            except _OF_THE_INPUT as error:
                return Failure.of(_fault(row, error))
            else:
                return None

    def _copy(self, row: Row) -> None:
        path = self._copies.path(row)
        self._inputs.fetch(row, path)
        # After the copy: what was there at that time is what was planned, or something came between.
        if not row.is_same(self._inputs.look(row.url)) or row.bytes not in (UNKNOWN, path.stat().st_size):
            path.unlink(missing_ok=True)
            raise _changed(row)
        with suppress(OcrError, OSError):
            self._earlier.fetch(row, path)


_OF_THE_INPUT = (
    FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError, ChangedError, LinkedError,
)  # fmt: skip


def _fault(row: Row, error: Exception) -> OcrError:
    match error:
        case OcrError():
            return error
        case PermissionError():
            return PermissionDeniedError(f"{row.url} may not be read: {error}.")
        case IsADirectoryError():
            return _changed(row)
        case _:
            return NotFoundError(f"{row.url} is not there any more. Plan anew without it.")


def _changed(row: Row) -> ChangedError:
    return ChangedError(
        f"{row.url} is not what it was when it was planned. Plan it anew, into another place."
    )
