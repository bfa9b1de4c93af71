"""Watch folders: process files that are new or have changed, once they no longer change."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from ocr_protocol.paths import path_to_wire
from ocr_worker.cli.exit_codes import CANCELLED, GOOD
from ocr_worker.cli.runner import Signals

LOOK_SECONDS = 1.0
SETTLED_LOOKS = 2
"""A file is ready if it did not change in this many checks in a row."""
STUCK_SECONDS = 30.0
"""Pause after a batch in which no file could be processed: all locked, or the disk full."""

Stamp = tuple[int, int]
Seen = TypeVar("Seen")


class Patience(Protocol):
    def look(self, call: Callable[[], Seen]) -> Seen | None:
        """What the look comes to; None once a signal has come."""
        ...

    def wait(self, seconds: float) -> None: ...


def watch(
    find: Callable[[], list[str]],
    do: Callable[[list[str]], tuple[int, set[str]]],
    patience: Patience,
    signals: Signals,
) -> int:
    """Process files that no longer change, until a signal or a cancelled batch; return the last exit code.

    `do` returns an exit code and the files that have ended. Others are in a later batch.
    """
    code, settling, done = GOOD, dict[str, tuple[Stamp, int]](), dict[str, Stamp]()
    while signals.heard is None:
        seen = patience.look(partial(_look, find, settling, done))
        if seen is None:
            break
        settling = seen
        ready = [file for file, (_, looks) in settling.items() if looks >= SETTLED_LOOKS]
        if not ready:
            patience.wait(LOOK_SECONDS)
            continue
        code, ended = do(ready)
        if code == CANCELLED:
            break
        now_done = {file: settling[file][0] for file in ready if path_to_wire(file) in ended}
        done.update(now_done)
        settling = {file: seen for file, seen in settling.items() if file not in ready}
        if not now_done:
            patience.wait(STUCK_SECONDS)
    return code


def _look(
    find: Callable[[], list[str]], before: dict[str, tuple[Stamp, int]], done: dict[str, Stamp]
) -> dict[str, tuple[Stamp, int]]:
    """Files that are not done, with their stamps and the number of checks without a change."""
    now = {file: stamp for file in find() if (stamp := _stamp(file)) and stamp != done.get(file)}
    return {
        file: (stamp, before[file][1] + 1 if file in before and before[file][0] == stamp else 0)
        for file, stamp in now.items()
    }


def _stamp(file: str) -> Stamp | None:
    try:
        found = Path(file).stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
