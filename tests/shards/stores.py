"""Stores that fail, and that are slow: a folder behind fsspec under schemes of their own. Forks of the test know them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

WORKS = ("cat_file", "pipe_file", "put_file", "get_file", "ls", "info", "mv")


def register(scheme: str, before: Callable[[str], None]) -> None:
    """Make a store under a scheme that calls `before` with the name of each work it is asked to do."""

    def work(name: str) -> Callable[..., Any]:
        def do(self: LocalFileSystem, *arguments: Any, **options: Any) -> Any:
            before(name)
            return getattr(LocalFileSystem, name)(self, *arguments, **options)

        return do

    class Store(LocalFileSystem):  # type: ignore[misc]
        protocol = scheme

        @classmethod
        def _strip_protocol(cls, path: Any) -> Any:
            bare = path.removeprefix(f"{scheme}://") if isinstance(path, str) else path
            return LocalFileSystem._strip_protocol(bare)

        def unstrip_protocol(self, name: str) -> str:
            return f"{scheme}://{self._strip_protocol(name)}"

    for name in WORKS:
        setattr(Store, name, work(name))
    fsspec.register_implementation(scheme, Store, clobber=True)


def failing(share: float, calls: Path) -> Callable[[str], None]:
    """Fails a share of its calls as networks do, and notes each in a file."""
    dice = random.Random(17)

    def before(name: str) -> None:
        fails = dice.random() < share
        with calls.open("a", encoding="ascii") as stream:
            stream.write(f"{name} {'failed' if fails else 'done'}\n")
        if fails:
            raise ConnectionResetError(104, "reset by the store")

    return before


def hanging(work: str, after: int, hangs: Path) -> Callable[[str], None]:
    """Never answers when asked to do this work, but for so many times before, and makes a file to say that it hangs."""
    calls = count(1)

    def before(name: str) -> None:
        if name == work and next(calls) > after:
            hangs.touch()
            threading.Event().wait()

    return before
