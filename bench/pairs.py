"""Interleaved runs: the machine's mood falls on all contenders alike. Ratios are taken within a round."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.contenders import Contender
from bench.jobs import Job
from bench.layer import layer_of
from bench.meter import Run, measure
from samples.scores import Score, score_pages

LIMIT = "limit"
HEAD = (
    f"  {'':12}{'pages/s':>8} {'CPU s/page':>11} {'busy':>6} {'peak MB':>8}  {'ours is so many times as fast':36}"
    f" {'CER':>6} {'layer F1':>9} {'PDF KiB/page':>13}"
)


@dataclass(slots=True)
class Row:
    """All runs of some contenders at one job; the first contender is the one that is compared."""

    name: str
    pages: int
    runs: dict[str, list[Run]]
    texts: dict[str, Score] = field(default_factory=dict)
    layers: dict[str, Score] = field(default_factory=dict)
    """How well a contender read: its text, and its PDF's text layer where it writes one."""

    growth: dict[str, float] = field(default_factory=dict)
    """Bytes a page by which a contender's PDFs are larger than the input."""
    allowed_growth: float = 0.0
    """2 % of the input and 8 KiB, a page."""

    def seconds(self, contender: str) -> float:
        return median(run.seconds for run in self.runs[contender])

    def pages_per_second(self, contender: str) -> float:
        return self.pages / self.seconds(contender)

    def cpu_seconds_per_page(self, contender: str) -> float:
        return median(run.cpu_seconds for run in self.runs[contender]) / self.pages

    def busy(self, contender: str) -> float:
        """Share of the cores' time that was worked in, from start to end: 1 where no core ever waited."""
        cores = os.cpu_count() or 1
        return median(run.cpu_seconds / (run.seconds * cores) for run in self.runs[contender])

    def peak_mb(self, contender: str) -> float:
        return max(run.peak_pss_bytes for run in self.runs[contender]) / 1e6

    def ratios(self, other: str, first: str | None = None) -> list[float]:
        """How many times as fast the first contender was, round by round, in rising order."""
        mine = self.runs[first or next(iter(self.runs))]
        return sorted(their.seconds / my.seconds for my, their in zip(mine, self.runs[other], strict=True))

    def cpu_ratio(self, other: str) -> float:
        """How many times as much CPU time the other took: the better guide on a machine that others use as well."""
        return self.cpu_seconds_per_page(other) / self.cpu_seconds_per_page(next(iter(self.runs)))

    @property
    def shrunk_pages(self) -> int | None:
        """On how many pages the resolution gate was open, where the recognition limit was run."""
        return self.runs[LIMIT][-1].shrunk_pages if LIMIT in self.runs else None

    def lines(self) -> list[str]:
        """The row as text: speed, cost, and the median ratio with its spread."""
        rounds = len(next(iter(self.runs.values())))
        head = f"{self.name} ({self.pages} pages, {rounds} rounds)"
        if self.shrunk_pages is not None:
            head += f", resolution gate open on {self.shrunk_pages} pages"
        return [head, HEAD, *(self._line(name) for name in self.runs)]

    def _line(self, name: str) -> str:
        layer = f"{self.layers[name].f1:.2f}" if name in self.layers else "-"
        size = f"{self.growth[name] / 1024:+.1f}" if name in self.growth else "-"
        return (
            f"  {name:12}{self.pages_per_second(name):8.2f} {self.cpu_seconds_per_page(name):11.3f}"
            f" {self.busy(name):6.0%} {self.peak_mb(name):8.0f}  {self._comparison(name):36}"
            f" {self.texts[name].cer:6.2f} {layer:>9} {size:>13}"
        )

    def _comparison(self, name: str) -> str:
        ratios = self.ratios(name)
        if name == next(iter(self.runs)):
            return ""
        if name == LIMIT:
            spread = f"{median(ratios):.1%} of it ({ratios[0]:.0%} to {ratios[-1]:.0%})"
            return f"{spread}, CPU {self.cpu_ratio(name):.0%}"
        spread = f"x{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        return f"{spread}, CPU x{self.cpu_ratio(name):.2f}"


def race(job: Job, contenders: Mapping[str, Contender], folder: Path, rounds: int) -> Row:
    """Run every contender in turn, so many rounds; score what the last round left."""
    row = Row(job.name, job.pages, {name: [] for name in contenders})
    for _ in range(rounds):
        for name, contender in contenders.items():
            output_dir = folder / job.name / name
            shutil.rmtree(output_dir, ignore_errors=True)
            command = contender(job.files, output_dir)
            row.runs[name].append(measure(command, output_dir.with_suffix(".log")))
    for name in contenders:
        _score(row, name, job, folder / job.name / name)
    return row


def _score(row: Row, name: str, job: Job, output_dir: Path) -> None:
    row.texts[name], row.layers[name] = Score(), Score()
    for file, truth in zip(job.files, job.truths, strict=True):
        text, pdf = (output_dir / f"{file.stem}{suffix}" for suffix in (".txt", ".pdf"))
        # An output that is missing has read nothing.
        row.texts[name] += score_pages(truth, text.read_text(encoding="utf-8") if text.exists() else "")
        row.layers[name] += score_pages(truth, layer_of(pdf) if pdf.exists() else "")
    written = sum(path.stat().st_size for path in output_dir.glob("*.pdf"))
    if not written:
        del row.layers[name]
        return
    read = sum(path.stat().st_size for path in job.files)
    row.growth[name] = (written - read) / job.pages
    row.allowed_growth = 0.02 * read / job.pages + 8192
