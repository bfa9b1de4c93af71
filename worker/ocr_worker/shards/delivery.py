"""Put the outputs of each file as soon as it has ended: text, PDF, then JSON, which names the others' hashes."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ocr_worker.model.results import FileResult
from ocr_worker.shards.earlier import head_of, with_source
from ocr_worker.shards.places import Place
from ocr_worker.shards.rows import Row

log = logging.getLogger(__name__)

PUTS = 4
"""Files that are put at a time."""
ORDER = ("txt", "hocr", "alto", "pdf", "json")


@dataclass(slots=True)
class Tally:
    """What came of a shard's files."""

    files: Counter[str] = field(default_factory=Counter)
    """completed, failed, kept."""
    failed: list[dict[str, str]] = field(default_factory=list)
    """URL, code and message of each."""
    pages: int = 0
    failed_pages: int = 0
    blocking: str | None = None
    """What a failed file says of this machine, so that another may do better."""

    def fail(self, url: str, code: str, message: str) -> None:
        self.files["failed"] += 1
        self.failed.append({"url": url, "code": code, "message": message})


class Delivery:
    """Threads that put what has ended. `put` is called by one thread."""

    def __init__(
        self, where: Place, key: str, ended: Callable[[Row, int], None], broke: Callable[[Exception], None]
    ) -> None:
        """Put nothing yet.

        Args:
            where: the store.
            key: of the folder for the outputs.
            ended: is told of each file that is put, and of how many pages; what lay here of it is gone then.
            broke: is told what stopped it.
        """
        self._where, self._key, self._ended, self._broke = where, key, ended, broke
        self.tally = Tally()
        self._counting = threading.Lock()
        self._work: queue.Queue[tuple[Row, FileResult, Path]] = queue.Queue()
        self._left, self._done = 0, threading.Condition()
        for _ in range(PUTS):
            threading.Thread(target=self._run, name="delivery", daemon=True).start()

    def put(self, row: Row, result: FileResult, source: Path) -> None:
        """Take over a file that has ended, with the copy of its input."""
        with self._done:
            self._left += 1
        self._work.put((row, result, source))

    def finish(self, seconds: float | None) -> bool:
        """Wait until all is put, for so long at most; whether it is."""
        with self._done:
            return self._done.wait_for(lambda: not self._left, seconds)

    def _run(self) -> None:
        while True:
            row, result, source = self._work.get()
            try:
                self._deliver(row, result, source)
            except Exception as error:  # noqa: BLE001  # handed on
                self._broke(error)
            else:
                with self._done:
                    self._left -= 1
                    self._done.notify_all()

    def _deliver(self, row: Row, result: FileResult, source: Path) -> None:
        begun = time.monotonic()
        outputs = {kind: Path(place) for kind, place in result.outputs.items()}
        pages = result.pages or 0
        if result.status in ("completed", "completed_with_errors"):
            self._put(row, outputs)
        elif result.status == "skipped":
            pages = _pages_of(outputs)
        self._count(row, result, pages)
        for file in (source, *outputs.values()):
            with suppress(OSError):
                file.unlink()
        log.debug("%s was put in %.2f s", row.url, time.monotonic() - begun)
        self._ended(row, pages)

    def _put(self, row: Row, outputs: Mapping[str, Path]) -> None:
        for kind in ORDER:
            if kind == "json":
                # To others its source is where it came from, not where it lay here.
                self._where.write(
                    f"{self._key}/{outputs[kind].name}", _of_url(outputs[kind].read_bytes(), row)
                )
            elif kind in outputs:
                self._where.put(f"{self._key}/{outputs[kind].name}", outputs[kind])

    def _count(self, row: Row, result: FileResult, pages: int) -> None:
        with self._counting:
            tally = self.tally
            if result.error is not None:
                tally.fail(row.url, result.error.code, result.error.message)
                if result.error.code in BLOCKING:
                    tally.blocking = result.error.message
            else:
                tally.files["kept" if result.status == "skipped" else "completed"] += 1
                tally.pages += pages
                tally.failed_pages += len(result.failed_pages)


BLOCKING = frozenset({"no_space", "unreachable", "busy"})
"""A file's failure that is this machine's: the shard is not done."""


def _of_url(record: bytes, row: Row) -> bytes:
    head: Any = head_of(record)
    return with_source(record, {**head["source"], "path": row.url, **row.version})


def _pages_of(outputs: Mapping[str, Path]) -> int:
    """Of a file that was not read again."""
    head = head_of(outputs["json"].read_bytes()) if "json" in outputs else None
    return int(head["page_count"]) if head else 0
