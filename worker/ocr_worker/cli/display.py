"""How a run is shown while it lasts: a live bar on a terminal, plain lines elsewhere. All of it goes to stderr."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from typing_extensions import Self

from ocr_worker.cli.runner import View
from ocr_worker.cli.terminal_text import pace, shown, standing
from ocr_worker.errors import OutputPermissionError

Loudness = Literal["quiet", "normal", "verbose"]
PLAIN_SECONDS = 10.0
"""Between two lines of progress where there is no terminal."""
BAR_WIDTH = 30


def view_for(loudness: Loudness) -> View:
    """The view that suits stderr."""
    if loudness != "quiet" and sys.stderr.isatty():
        return LiveView(loudness)
    return PlainView(loudness)


@dataclass(slots=True)
class PlainView(View):
    """Lines: now and then the standing; with `verbose` each file, with `quiet` each that fails."""

    loudness: Loudness
    _said_at: float = 0.0

    def __enter__(self) -> Self:
        self._said_at = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        return

    def progress(self, fields: dict[str, Any]) -> None:
        ended = fields["percent"] >= 100
        if self.loudness != "quiet" and (ended or time.monotonic() >= self._said_at + PLAIN_SECONDS):
            self._said_at = time.monotonic()
            say(f"{standing(fields)}; {pace(fields)}{_place(fields)}")

    def file(self, done: dict[str, Any]) -> None:
        if line := file_line(done, self.loudness):
            say(line)

    def note(self, text: str) -> None:
        if self.loudness != "quiet":
            say(text)


class LiveView(View):
    """A bar, the standing and the page in work, kept up to date at the end of the screen."""

    def __init__(self, loudness: Loudness) -> None:
        self._loudness = loudness
        self._fields: dict[str, Any] | None = None
        self._heard_at = 0.0
        console = Console(stderr=True, highlight=False)
        self._live = Live(console=console, refresh_per_second=5, transient=True, get_renderable=self._draw)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def progress(self, fields: dict[str, Any]) -> None:
        self._fields, self._heard_at = fields, time.monotonic()

    def file(self, done: dict[str, Any]) -> None:
        if line := file_line(done, self._loudness):
            self.note(line)

    def note(self, text: str) -> None:
        self._live.console.print(Text(text))

    def _draw(self) -> Group:
        if self._fields is None:
            return Group()
        # A long page says nothing for a while; the clock goes on.
        silent, fields = time.monotonic() - self._heard_at, dict(self._fields)
        fields["elapsed_seconds"] += silent
        if fields["eta_seconds"] is not None:
            fields["eta_seconds"] = max(0.0, fields["eta_seconds"] - silent)
        bar = Table.grid(padding=(0, 1))
        bar.add_row(ProgressBar(100, fields["percent"], width=BAR_WIDTH), pace(fields))
        place = Text(shown(fields["message"]), style="dim", overflow="ellipsis", no_wrap=True)
        return Group(bar, Text(standing(fields)), place)


def _place(fields: dict[str, Any]) -> str:
    """The file and page; pages of a long file go on for minutes in which no file ends."""
    if "page" not in fields:
        return ""
    return f", {shown(fields['file'])} page {fields['page']}/{fields['page_count']}"


def file_line(done: dict[str, Any], loudness: Loudness) -> str | None:
    """What is worth saying of a file that has ended."""
    if done["status"] == "failed":
        # Otherwise the summary names it, at the end, where it is seen.
        return (
            None
            if loudness == "normal"
            else f"Failed: {shown(done['file'])}: {shown(done['error']['message'])}"
        )
    if loudness == "verbose":
        pages = "".join(
            f"\n  page {bad['page']}: {shown(bad['error'])}" for bad in done.get("failed_pages") or ()
        )
        warnings = "".join(f"\n  note: {shown(text)}" for text in done.get("warnings") or ())
        return shown(done["message"]) + pages + warnings
    return None


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
    return OutputPermissionError(f"Stdout takes no answer: {error.strerror}.")
