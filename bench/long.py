"""Long jobs: whether memory stays flat and a page costs at the end what it costs at the start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench import contenders
from bench.corpora import save_blank_book, save_book, save_text_book
from bench.pairs import Job, Row, race
from bench.speed import card_job

SHORT = 20
MOST_MIB = 300
MOST_COST = 1.05
"""CPU seconds a page of the long job against those of the short one, its start left out."""


@dataclass(frozen=True, slots=True)
class Growth:
    """A short job and a long one of the same kind."""

    name: str
    start: Row
    """One page, for what a job costs whatever its length."""
    short: Row
    long: Row

    @property
    def cost(self) -> float:
        """Of a page of the long job, against one of the short."""
        return self._marginal(self.long) / self._marginal(self.short)

    def _marginal(self, row: Row) -> float:
        whole, start = (one.cpu_seconds_per_page("ours") * one.pages for one in (row, self.start))
        return (whole - start) / (row.pages - self.start.pages)

    def line(self) -> str:
        return (
            f"{self.name:10} {self.short.pages} -> {self.long.pages} pages: peak {self.short.peak_mib('ours'):.0f}"
            f" -> {self.long.peak_mib('ours'):.0f} MiB, CPU a page {self._marginal(self.short):.3f}"
            f" -> {self._marginal(self.long):.3f} s (x{self.cost:.2f}), {self.long.pages_per_second('ours'):.2f} pages/s"
        )

    def missed(self) -> list[str]:
        misses = []
        if self.long.peak_mib("ours") > MOST_MIB:
            misses.append(f"long {self.name}: {self.long.peak_mib('ours'):.0f} MiB, the goal is {MOST_MIB}")
        if self.name == "scans" and self.cost > MOST_COST:
            misses.append(f"long {self.name}: a page costs x{self.cost:.2f}, the goal is x{MOST_COST}")
        return misses


def measure(folder: Path, kind: str, pages: int) -> Growth:
    """Run the worker over one, twenty and so many pages of a kind."""
    start, short, long = (_run(folder / str(count), kind, count) for count in (1, SHORT, pages))
    return Growth(kind, start, short, long)


def _run(folder: Path, kind: str, count: int) -> Row:
    folder.mkdir(parents=True)
    job = card_job(folder, count) if kind == "cards" else _book(folder / f"{kind}.pdf", kind, count)
    return race(job, {"ours": contenders.ours}, folder, 1)


def _book(path: Path, kind: str, pages: int) -> Job:
    save = {"scans": save_book, "born-digital": save_text_book, "blank": save_blank_book}[kind]
    return Job(kind, [path], pages, "\f".join(save(path, pages)))
