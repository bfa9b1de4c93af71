"""The live bar on a terminal."""

from __future__ import annotations

import time
from dataclasses import replace

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from typing_extensions import Self

from ocr_worker.cli.display import Loudness, View, file_line
from ocr_worker.cli.terminal_text import pace, shown, standing
from ocr_worker.model.results import FileResult, Progress

BAR_WIDTH = 30


class LiveView(View):
    """A live bar, the counts and the page in work, at the end of the screen."""

    def __init__(self, loudness: Loudness) -> None:
        self._loudness = loudness
        self._progress: Progress | None = None
        self._heard_at = 0.0
        console = Console(stderr=True, highlight=False)
        self._live = Live(console=console, refresh_per_second=5, transient=True, get_renderable=self._draw)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def progress(self, progress: Progress) -> None:
        self._progress, self._heard_at = progress, time.monotonic()

    def file(self, done: FileResult) -> None:
        if line := file_line(done, self._loudness):
            self.note(line)

    def note(self, text: str) -> None:
        self._live.console.print(Text(text))

    def _draw(self) -> Group:
        if (heard := self._progress) is None:
            return Group()
        # A long page says nothing for a while; the clock goes on.
        silent, eta = time.monotonic() - self._heard_at, heard.eta_seconds
        now = replace(
            heard,
            elapsed_seconds=heard.elapsed_seconds + silent,
            eta_seconds=None if eta is None else max(0.0, eta - silent),
        )
        bar = Table.grid(padding=(0, 1))
        bar.add_row(ProgressBar(100, now.percent, width=BAR_WIDTH), pace(now))
        place = Text(shown(now.message), style="dim", overflow="ellipsis", no_wrap=True)
        return Group(bar, Text(standing(now)), place)
