"""Settles the names of a request's outputs in a thread of its own: it asks disks of users, which may hang, and the loop waits for none."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

from ocr_worker.errors import UnreachableError
from ocr_worker.store.records import NewFile

AHEAD = 2000
"""Files that are planned before they are taken: a request of a hundred thousand is never in memory twice."""
MOST_TAKEN = 250
"""Files at a time: to store them takes a few milliseconds."""
PATIENCE_SECONDS = 30.0
"""From one sign of life to the next. Thousands of earlier results are read in less."""
SILENT_SECONDS = 1.0
GAP_SECONDS = 2.0
"""From one question to the next: more means that this process was stopped."""
PUT_SECONDS = 0.2
"""How often a planner that is ahead looks whether it is still wanted."""
Plan = Iterator[NewFile | None]


class Planner:
    """Started when it is made. One thread takes what it has planned."""

    def __init__(self, plan: Callable[[], Plan]) -> None:
        self._plan = plan
        self._planned: queue.Queue[NewFile | BaseException | None] = queue.Queue(AHEAD)
        self._stopped = threading.Event()
        self._moved_at = self._asked_at = time.monotonic()
        threading.Thread(target=self._run, name="planner", daemon=True).start()

    def take(self, seconds: float) -> tuple[list[NewFile], bool]:
        """What is planned by now, or within so many seconds, in order; whether that is all.

        Raises:
            UnreachableError: nothing was planned for too long.
            Exception: what planning raised.
        """
        files, until = list[NewFile](), time.monotonic() + seconds
        while len(files) < MOST_TAKEN:
            wait = until - time.monotonic()
            try:
                planned = (
                    self._planned.get(timeout=min(wait, PUT_SECONDS))
                    if wait > 0
                    else self._planned.get_nowait()
                )
            except queue.Empty:
                self._require_life()
                if wait > 0:
                    continue
                break
            if planned is None:
                return files, True
            if isinstance(planned, BaseException):
                raise planned
            files.append(planned)
        return files, False

    @property
    def is_silent(self) -> bool:
        """Whether its disk seems not to answer: others need not wait for it."""
        return time.monotonic() - self._moved_at > SILENT_SECONDS

    def stop(self) -> None:
        """Plan no further."""
        self._stopped.set()

    def _run(self) -> None:
        try:
            for planned in self._plan():
                self._moved_at = time.monotonic()
                if self._stopped.is_set():
                    return
                if planned is not None:
                    self._put(planned)
            self._put(None)
        except BaseException as error:  # noqa: BLE001  # handed on
            self._put(error)

    def _put(self, item: NewFile | BaseException | None) -> None:
        while not self._stopped.is_set():
            try:
                self._planned.put(item, timeout=PUT_SECONDS)
            except queue.Full:
                self._moved_at = time.monotonic()
            else:
                return

    def _require_life(self) -> None:
        now = time.monotonic()
        if (gap := now - self._asked_at) > GAP_SECONDS:
            # Who asks again and again was stopped, and so was the planner.
            self._moved_at += gap
        self._asked_at = now
        if now - self._moved_at > PATIENCE_SECONDS:
            raise UnreachableError(
                f"The output folder, or the folder of an input or of language data, has not answered for {PATIENCE_SECONDS:g} s. Try again when it does."
            )
