"""Interleaved runs: the machine's mood falls on all contenders alike. Ratios are taken within a round."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.contenders import Contender
from bench.meter import Run, measure


@dataclass(slots=True)
class Row:
    """All runs of some contenders at one job; the first contender is the one that is compared."""

    name: str
    pages: int
    runs: dict[str, list[Run]] = field(default_factory=dict)

    def seconds(self, contender: str) -> float:
        return median(run.seconds for run in self.runs[contender])

    def pages_per_second(self, contender: str) -> float:
        return self.pages / self.seconds(contender)

    def cpu_seconds_per_page(self, contender: str) -> float:
        return median(run.cpu_seconds for run in self.runs[contender]) / self.pages

    def peak_mib(self, contender: str) -> float:
        return max(run.peak_pss_bytes for run in self.runs[contender]) / 2**20

    def ratios(self, other: str) -> list[float]:
        """How many times as fast the first contender was, round by round, in rising order."""
        first = self.runs[next(iter(self.runs))]
        return sorted(
            theirs.seconds / our.seconds for our, theirs in zip(first, self.runs[other], strict=True)
        )

    def lines(self) -> list[str]:
        """The row as text: speed, cost, and the median ratio with its spread."""
        head = f"{self.name} ({self.pages} pages)"
        return [head, *(f"  {self._line(name)}" for name in self.runs)]

    def _line(self, name: str) -> str:
        ratios = self.ratios(name)
        return (
            f"{name:12}{self.pages_per_second(name):9.2f} pages/s {self.cpu_seconds_per_page(name):7.2f} CPU s/page"
            f" {self.peak_mib(name):7.0f} MiB   x{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    files: list[Path]
    pages: int


def race(job: Job, contenders: dict[str, Contender], folder: Path, rounds: int) -> Row:
    """Run every contender in turn, so many rounds; the outputs of the last round stay for scoring."""
    row = Row(job.name, job.pages, {name: [] for name in contenders})
    for _ in range(rounds):
        for name, contender in contenders.items():
            output_dir = folder / job.name / name
            shutil.rmtree(output_dir, ignore_errors=True)
            command = contender(job.files, output_dir)
            row.runs[name].append(measure(command, output_dir.with_suffix(".log")))
    return row
