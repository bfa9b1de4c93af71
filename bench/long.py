"""Long jobs: whether memory stays flat and a page costs at the end what it costs at the start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bench import contenders, jobs
from bench.jobs import Effort, Job
from bench.pairs import Row, race
from bench.speed import Verdict

LENGTHS = (1, 20, 400)
"""Pages of the shorter jobs: one, for what a job costs whatever its length; the others to compare with."""
MOST_MB = 300
MOST_COST = 1.05
"""CPU seconds a page of the longest job against those of the one of 20 pages, the start of each left out."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Jobs of one kind, ever longer, the first of one page."""

    name: str
    rows: tuple[Row, ...]

    @property
    def cost(self) -> float:
        """Of a page of the longest job, against one of the shortest but one."""
        return self._marginal(self.rows[-1]) / self._marginal(self.rows[1])

    def _marginal(self, row: Row) -> float:
        start = self.rows[0]
        whole, first = (one.cpu_seconds_per_page("ours") * one.pages for one in (row, start))
        return (whole - first) / (row.pages - start.pages)

    def lines(self) -> list[str]:
        return [
            f"long {self.name}: {row.pages} pages, peak {row.peak_mb('ours'):.0f} MB,"
            f" {self._marginal(row):.4f} CPU s for each page beyond the first,"
            f" {row.pages_per_second('ours'):.2f} pages/s, busy {row.busy('ours'):.0%},"
            f" CER {row.texts['ours'].cer:.2f}, layer F1 {row.layers['ours'].f1:.2f}"
            for row in self.rows[1:]
        ]

    def verdicts(self) -> Iterator[Verdict]:
        for row in self.rows:
            peak = row.peak_mb("ours")
            text = f"long {self.name}: {peak:.0f} MB at {row.pages} pages, the goal is {MOST_MB}"
            yield Verdict(text, peak <= MOST_MB)
        if self.name == "scans":
            text = f"long {self.name}: a page costs x{self.cost:.3f}, the goal is x{MOST_COST}"
            yield Verdict(text, self.cost <= MOST_COST)


def measure(kind: str, effort: Effort, pages: int) -> Growth:
    """Run the worker over one, 20, 400 and so many pages of a kind."""
    lengths = [*(length for length in LENGTHS if length < pages), pages]
    return Growth(kind, tuple(_run(kind, effort, length) for length in lengths))


def _run(kind: str, effort: Effort, length: int) -> Row:
    folder = effort.folder / str(length)
    folder.mkdir(parents=True)
    return race(_job(kind, replace(effort, folder=folder), length), {"ours": contenders.ours}, folder, 1)


def _job(kind: str, effort: Effort, length: int) -> Job:
    makers: dict[str, Callable[[str, Effort, int], Job]] = {
        "scans": jobs.book_job,
        "cards": jobs.card_job,
        "born-digital": jobs.text_job,
        "blank": jobs.blank_job,
    }
    return makers[kind](kind, effort, length)
