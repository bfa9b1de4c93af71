"""Show a run while it lasts: a live bar on a terminal, plain lines elsewhere, always on stderr."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from typing_extensions import Self

from ocr_worker.cli.own_words import told
from ocr_worker.cli.terminal_text import pace, shown, standing
from ocr_worker.errors import OutputPermissionError
from ocr_worker.model.fields import sentence
from ocr_worker.model.results import FileResult, Progress

Loudness = Literal["quiet", "normal", "verbose"]
PLAIN_SECONDS = 10.0
"""Time between two lines of progress without a terminal."""


class View(AbstractContextManager["View"], Protocol):
    """Shows a run while it lasts."""

    def progress(self, progress: Progress) -> None:
        """Show progress."""

    def file(self, done: FileResult) -> None:
        """Show the result of a file."""

    def note(self, text: str) -> None:
        """Show a remark about the run as a whole."""


def view_for(loudness: Loudness) -> View:
    """Choose the view that suits stderr."""
    if loudness != "quiet" and sys.stderr.isatty():
        # What draws it takes a while to import.
        from ocr_worker.cli.live_view import LiveView

        return LiveView(loudness)
    return PlainView(loudness)


@dataclass(slots=True)
class PlainView(View):
    """Plain lines: progress now and then; with `verbose` every file, with `quiet` failed ones only."""

    loudness: Loudness
    _said_at: float = 0.0

    def __enter__(self) -> Self:
        self._said_at = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        return

    def progress(self, progress: Progress) -> None:
        ended = progress.percent >= 100
        if self.loudness != "quiet" and (ended or time.monotonic() >= self._said_at + PLAIN_SECONDS):
            self._said_at = time.monotonic()
            say(f"{standing(progress)}; {pace(progress)}{_place(progress)}")

    def file(self, done: FileResult) -> None:
        if line := file_line(done, self.loudness):
            say(line)

    def note(self, text: str) -> None:
        if self.loudness != "quiet":
            say(text)


def _place(progress: Progress) -> str:
    """The file and page in work."""
    if progress.file is None:
        return ""
    return f", {shown(progress.file)} page {progress.page}/{progress.page_count}"


def file_line(done: FileResult, loudness: Loudness) -> str | None:
    """The line for a file that has ended."""
    if done.error is not None:
        # Otherwise the summary names it, at the end, where it is seen.
        said = f"Failed: {shown(done.file)}: {told(done.error.message)}"
        return None if loudness == "normal" else said
    if loudness != "verbose":
        return None
    pages = "".join(f"\n  page {bad.page}: {told(bad.error)}" for bad in done.failed_pages)
    warnings = "".join(f"\n  note: {told(text)}" for text in done.warnings or ())
    return shown(sentence(done)) + pages + warnings


def say(text: str) -> None:
    """A line on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def answer(text: str) -> None:
    """A line on stdout: what was asked for. Raises OutputPermissionError."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise stdout_is_deaf(error) from error


def stdout_is_deaf(error: OSError) -> OutputPermissionError:
    return OutputPermissionError(f"Can't write to stdout: {error.strerror}.")
