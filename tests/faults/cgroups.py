"""Control groups of the system, of version 1 or 2: so much memory, so many processes, and no more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.tree import wait_until

ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Names:
    """What files are called. Of a group of processes there is but a limit."""

    limit: str
    used: str = ""
    peak: str = ""
    anonymous: str = ""
    """The line of `memory.stat`."""


NAMES = {
    (1, "memory"): Names(
        "memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes", "rss"
    ),
    (2, "memory"): Names("memory.max", "memory.current", "memory.peak", "anon"),
    (1, "pids"): Names("pids.max"),
    (2, "pids"): Names("pids.max"),
}


@dataclass(frozen=True, slots=True)
class Group:
    folder: Path
    names: Names

    def join(self) -> None:
        """For `before_exec`."""
        self._write("cgroup.procs", os.getpid())

    def limit(self, value: int | str) -> None:
        self._write(self.names.limit, value)

    def used(self) -> int:
        return int(self._read(self.names.used))

    def peak(self) -> int:
        return int(self._read(self.names.peak))

    def anonymous(self) -> int:
        """Memory that no file backs."""
        return int(
            dict(line.split() for line in self._read("memory.stat").splitlines())[self.names.anonymous]
        )

    def is_empty(self) -> bool:
        return not self._read("cgroup.procs").split()

    def _read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="ascii")

    def _write(self, name: str, value: int | str) -> None:
        (self.folder / name).write_text(str(value), encoding="ascii")


@contextmanager
def limited(controller: str, limit: int) -> Iterator[Group]:
    """A group for one test; skips where there can be none, as in most containers."""
    try:
        group = _make(controller)
    except OSError as error:
        pytest.skip(f"needs a control group for {controller} and root: {error}")
    try:
        group.limit(limit)
        yield group
    finally:
        wait_until(group.is_empty, "the group is empty")
        group.folder.rmdir()


def _make(controller: str) -> Group:
    version = 2 if (ROOT / "cgroup.controllers").exists() else 1
    home, names = ROOT if version == 2 else ROOT / controller, NAMES[version, controller]
    if version == 2:
        (home / "cgroup.subtree_control").write_text(f"+{controller}", encoding="ascii")
    folder = home / f"ocr-sidecar-{os.getpid()}"
    folder.mkdir()
    missing = [name for name in (names.limit, names.used, names.peak) if not (folder / name).exists()]
    if missing:
        folder.rmdir()
        raise FileNotFoundError(f"it has no {missing[0]}")
    return Group(folder, names)
