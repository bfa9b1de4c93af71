"""Look at places of users with a bound: a share that hangs holds up a thread of its own, and nobody else."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Generic, TypeVar

from ocr_worker.errors import UnreachableError

Answer = TypeVar("Answer")
Folder = TypeVar("Folder", bound=PurePath)
LOOK_SECONDS = 2.0
"""How long one look may take. What takes longer is taken for a share that is dead."""
MOMENT_SECONDS = 0.4
"""How long the loop itself waits for a look: a disk that is well answers within it, on a machine under load too."""
CHUNK = 512
"""Looks that one thread takes; to hand over each by itself would take longer than to look."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a path leads to."""

    device: int
    inode: int
    bytes: int = field(compare=False)
    """As it was seen; it may grow, and is the same file."""


def identities(paths: Sequence[str], seconds: float = LOOK_SECONDS) -> Iterator[Identity | None]:
    """What each path leads to; None where nothing is found, or nothing answers in time.

    Of a folder in which one path did not answer, the others are not asked for.
    """
    dead, done = set[str](), 0
    while done < len(paths):
        looks = _Looks(paths[done : done + CHUNK], dead)
        threading.Thread(target=looks.run, name="look", daemon=True).start()
        stuck = looks.wait(seconds)
        found = list(looks.found)
        yield from found
        done += len(found)
        if stuck and done < len(paths):
            looks.abandoned = True
            dead.add(_folder(paths[done]))
            yield None
            done += 1


class Look(Generic[Answer]):
    """A call in a thread of its own, begun when this is made."""

    def __init__(self, call: Callable[[], Answer], *, daemon: bool = True) -> None:
        """A daemon holds up no exit of this process."""
        self._call, self._ended, self._since = call, threading.Event(), time.monotonic()
        self._answers: list[Answer] = []
        self._error: BaseException | None = None
        try:
            threading.Thread(target=self._run, name="look", daemon=daemon).start()
        except RuntimeError:
            # The machine has no room for another thread: whoever asks has to wait.
            self._run()

    def _run(self) -> None:
        try:
            self._answers.append(self._call())
        except BaseException as error:  # noqa: BLE001  # handed on
            self._error = error
        self._ended.set()

    def wait(self, seconds: float | None) -> bool:
        """Up to so long, or however long it takes; whether it has ended."""
        return self._ended.wait(seconds)

    def answer(self, place: object) -> Answer:
        """What it came to, or what it raised.

        Raises:
            UnreachableError: it has not ended.
        """
        if not self._ended.is_set():
            raise self.unreachable(place)
        if self._error is not None:
            raise self._error
        return self._answers[0]

    def unreachable(self, place: object) -> UnreachableError:
        """What to say of a place as long as it has not ended."""
        waited = time.monotonic() - self._since
        return UnreachableError(
            f"{place} can't be reached now: its disk or share has not answered for {waited:.0f} s. Try again when it does."
        )


class Glances:
    """Short looks at places of users, from the loop: where one hangs in a folder, the others of it are not made until it has ended."""

    def __init__(self) -> None:
        self._hanging: dict[str, Look[Any]] = {}

    def take(self, call: Callable[[], Answer], path: str) -> Answer:
        """The answer, or what the call raised.

        Raises:
            UnreachableError: there was none in a moment. The call may go on for ever, in a thread that holds up no exit.
        """
        folder = _folder(path)
        hanging = self._hanging.get(folder)
        if hanging is not None and not hanging.wait(0):
            raise hanging.unreachable(path)
        look = Look(call)
        if not look.wait(MOMENT_SECONDS):
            self._hanging[folder] = look
        return look.answer(path)


class _Looks:
    """Looks at one path after the other."""

    def __init__(self, paths: Sequence[str], dead: set[str]) -> None:
        self._paths, self._dead = paths, frozenset(dead)
        self._ended = threading.Event()
        self.found: list[Identity | None] = []
        self.abandoned = False

    def run(self) -> None:
        for path in self._paths:
            found = None if _folder(path) in self._dead else identity(path)
            if self.abandoned:
                return
            self.found.append(found)
        self._ended.set()

    def wait(self, seconds: float) -> bool:
        """Until all are looked at, or one takes too long; whether one does."""
        before = -1
        while not self._ended.wait(seconds):
            if len(self.found) == before:
                return True
            before = len(self.found)
        return False


def nearest(folder: Folder) -> Folder:
    """The folder, or the first above it that is there, if only as a link. Raises FileNotFoundError: Windows has no such drive."""
    for place in (folder, *folder.parents):
        if os.path.lexists(place):
            return place
    raise FileNotFoundError(errno.ENOENT, f"there is no {folder.anchor}", str(folder))


def _folder(path: str) -> str:
    return os.path.dirname(path)  # noqa: PTH120  # as text


def identity(path: str) -> Identity | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # for each of a hundred thousand
    except (OSError, ValueError):
        return None
    return Identity(*number_of(path, found), found.st_size)


def number_of(path: str, found: os.stat_result) -> tuple[int, int]:
    """Device and inode of what a path leads to. Windows has no number of what lies on some shares: there its path stands for it."""
    return found.st_dev, found.st_ino or hash(os.path.normcase(os.path.abspath(path)))  # noqa: PTH100  # as text
