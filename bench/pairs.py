"""Interleaved runs: the machine's mood falls on all contenders alike. Ratios are taken within a round."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.contenders import Contender
from bench.layer import layer_of
from bench.meter import Run, measure
from bench.scores import Score, score


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    files: list[Path]
    pages: int
    truth: str


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

    def peak_mib(self, contender: str) -> float:
        return max(run.peak_pss_bytes for run in self.runs[contender]) / 2**20

    def ratios(self, other: str, first: str | None = None) -> list[float]:
        """How many times as fast the first contender was, round by round, in rising order."""
        mine = self.runs[first or next(iter(self.runs))]
        return sorted(their.seconds / my.seconds for my, their in zip(mine, self.runs[other], strict=True))

    def lines(self) -> list[str]:
        """The row as text: speed, cost, and the median ratio with its spread."""
        head = f"{self.name} ({self.pages} pages)"
        return [head, *(f"  {self._line(name)}" for name in self.runs)]

    def _line(self, name: str) -> str:
        ratios = self.ratios(name)
        layer = f", layer F1 {self.layers[name].f1:.2f}" if name in self.layers else ""
        size = f", PDF {self.growth[name] / 1024:+.1f} KiB/page" if name in self.growth else ""
        return (
            f"{name:10}{self.pages_per_second(name):8.2f} pages/s {self.cpu_seconds_per_page(name):6.2f} CPU s/page"
            f" {self.peak_mib(name):5.0f} MiB  x{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
            f"  CER {self.texts[name].cer:.2f}{layer}{size}"
        )


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
    texts = [path.read_text(encoding="utf-8") for path in sorted(output_dir.glob("*.txt"))]
    row.texts[name] = score(job.truth, "\f".join(texts))
    if layers := [layer_of(path) for path in sorted(output_dir.glob("*.pdf"))]:
        row.layers[name] = score(job.truth, "\f".join(layers))
        read = sum(path.stat().st_size for path in job.files)
        written = sum(path.stat().st_size for path in output_dir.glob("*.pdf"))
        row.growth[name] = (written - read) / job.pages
        row.allowed_growth = 0.02 * read / job.pages + 8192
