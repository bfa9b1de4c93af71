"""Callbacks of `OCRBatchService`: a plain function, or an object with the methods of ProgressCallback."""

from __future__ import annotations

import sys
from io import StringIO
from typing import IO, Any, Protocol, runtime_checkable

METHODS = ("on_start", "on_progress", "on_error", "on_complete")
"""A ProgressCallback needs all of them: a misspelt one would never be called."""


class ProgressFunction(Protocol):
    """A function that receives the progress of a batch. Source: the first design note."""

    def __call__(
        self, current: int, total: int, message: str, percent: float, eta: float | None = None
    ) -> None:
        """Receive progress: `current` of `total` pages, `percent` from 0 to 100, `eta` in seconds."""


@runtime_checkable
class ProgressCallback(Protocol):
    """An object that receives files as they end. Source: the fifth design note."""

    def on_start(self, total: int) -> None:
        """The batch starts; it has `total` files."""

    def on_progress(self, current: int, total: int, path: str, result: dict[str, Any]) -> None:
        """A file was completed or skipped, as number `current` of `total`; `result` is the wire's `file_done` data."""

    def on_error(self, current: int, total: int, path: str, error: str) -> None:
        """A file failed, as number `current` of `total`; `error` is a sentence for users."""

    def on_complete(self, results: list[dict[str, Any]], errors: list[dict[str, Any]]) -> None:
        """The batch has ended, with the entries of its result's `successful` and `failed`."""


class NullProgress:
    """Ignores everything."""

    def on_start(self, total: int) -> None:
        """Ignore it."""

    def on_progress(self, current: int, total: int, path: str, result: dict[str, Any]) -> None:
        """Ignore it."""

    def on_error(self, current: int, total: int, path: str, error: str) -> None:
        """Ignore it."""

    def on_complete(self, results: list[dict[str, Any]], errors: list[dict[str, Any]]) -> None:
        """Ignore it."""


class ConsoleProgress:
    """Writes a line for each failed file, and with `verbose` for every file."""

    def __init__(self, stream: IO[str] | None = None, *, verbose: bool = False) -> None:
        # A program without a console has no stderr either.
        self._stream, self._verbose = stream or sys.stderr or StringIO(), verbose

    def on_start(self, total: int) -> None:
        """Say how many files there are."""
        self._say(f"Processing {total} file{'s' * (total != 1)}")

    def on_progress(self, current: int, total: int, path: str, result: dict[str, Any]) -> None:
        """Say what became of a file, if verbose."""
        if self._verbose:
            self._say(f"[{current}/{total}] {path}: {result['status']}")

    def on_error(self, current: int, total: int, path: str, error: str) -> None:  # noqa: ARG002  # error names it
        """Say why a file failed."""
        self._say(f"[{current}/{total}] {error}")

    def on_complete(self, results: list[dict[str, Any]], errors: list[dict[str, Any]]) -> None:
        """Say how many files are done and how many failed."""
        self._say(f"{len(results)} done, {len(errors)} failed")

    def _say(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()
