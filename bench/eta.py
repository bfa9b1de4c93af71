"""Whether the time left that a worker tells is the time that was left: beside the clock, at tenths of the way."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import img2pdf

from bench import jobs
from bench.host import WorkerHost
from bench.jobs import Effort, Job

MARKS = (0.1, 0.2, 0.3, 0.5, 0.8)
"""Shares of the pages, at whose first progress the time left is looked at."""
JUDGED, MOST = 0.1, 0.3
LIMIT_SECONDS = 1800
STEADY = 1.3
"""The load did not change where the worker had the processors' time at so much the same rate before and after the judged mark."""


@dataclass(frozen=True, slots=True)
class Told:
    """A progress event and when it came."""

    seconds: float
    share: float
    eta_seconds: float | None


@dataclass(frozen=True, slots=True)
class Course:
    """One run of a job: how far off the time left was at each mark, as a share of what it was."""

    seconds: float
    errors: Mapping[str, float | None]
    """By the mark; None where nothing was told, or the job was over too soon."""
    rates: tuple[float, float]
    """Seconds of the processors a second: up to the judged mark, and from there on."""

    @property
    def is_steady(self) -> bool:
        low, high = sorted(self.rates)
        return high <= STEADY * low


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    pages: int
    courses: tuple[Course, ...]

    def error(self, mark: float) -> float | None:
        """The median of all runs."""
        known = [error for one in self.courses if (error := one.errors[key(mark)]) is not None]
        return statistics.median(known) if known else None

    def missed(self) -> str | None:
        """Judged where the load did not change, as the goal says."""
        steady = [abs(error) for one in self.courses if one.is_steady and (error := one.errors[key(JUDGED)])]
        if not steady or statistics.median(steady) <= MOST:
            return None
        return (
            f"time left of {self.name}: {statistics.median(steady):.0%} off after a tenth of the pages, "
            f"at worst {max(steady):.0%}; the goal is {MOST:.0%}"
        )


def key(mark: float) -> str:
    return f"{mark:.0%}"


def errors(told: Iterable[Told], end: float) -> dict[str, float | None]:
    """How far off each mark's first time left was, seen from the end: 0.5 is half as much again."""
    news = [one for one in told if one.eta_seconds is not None]
    found: dict[str, float | None] = {}
    for mark in MARKS:
        at = next((one for one in news if one.share >= mark), None)
        left = end - at.seconds if at else 0.0
        found[key(mark)] = (
            at.eta_seconds / left - 1 if at and at.eta_seconds is not None and left > 0 else None
        )
    return found


def measure(effort: Effort, wanted: Iterable[str]) -> Iterator[Figure]:
    """Jobs of these names; a figure as soon as it is there."""
    for name in wanted:
        job = JOBS[name](effort)
        courses = tuple(_course(job, effort.folder, number) for number in range(effort.rounds))
        yield Figure(job.name, job.pages, courses)


def _cards(effort: Effort) -> Job:
    return jobs.card_job("cards", effort, effort.pages(200))


def _letters(effort: Effort) -> Job:
    return jobs.books_job("letters of two pages", effort, effort.pages(20), 2)


def _long(effort: Effort) -> Job:
    return jobs.book_job("one long scan", effort, effort.pages(40))


def _of_all_sizes(effort: Effort) -> Job:
    """One PDF, a page in three A4 and the others cards: what a page costs is known by its size alone."""
    pages = effort.pages(60)
    book = Effort(effort.folder / "sizes", seed=effort.seed)
    (large,) = jobs.scan_job("sheet", book, 1).files
    small = jobs.card_job("card", book, 1).files[0]
    path = effort.folder / "all sizes.pdf"
    path.write_bytes(img2pdf.convert([str(small if n % 3 else large) for n in range(pages)], nodate=True))
    return Job("pages of all sizes", [path], pages, [])


JOBS: dict[str, Callable[[Effort], Job]] = {
    "cards": _cards,
    "letters": _letters,
    "long": _long,
    "sizes": _of_all_sizes,
}


def _course(job: Job, folder: Path, number: int) -> Course:
    told, spent = list[Told](), list[tuple[float, float]]()
    with WorkerHost(folder / job.name / str(number), LIMIT_SECONDS) as host:
        files = [str(file) for file in job.files]
        out = str(folder / job.name / f"out {number}")
        host.send("ocr_batch", files=files, output_dir=out, options={"outputs": ["pdf", "txt"]})
        begin = time.monotonic()
        for event in host.events():
            data = event["data"]
            if event["type"] == "progress":
                told.append(Told(_since(begin), data["current"] / data["total"], data.get("eta_seconds")))
                if told[-1].share >= JUDGED and not spent:
                    spent.append((_since(begin), host.cpu_seconds()))
            elif event["type"] == "error":
                raise RuntimeError(f"the worker refused: {data}")
            elif data.get("kind") == "batch":
                break
        spent.append((_since(begin), host.cpu_seconds()))
    return Course(spent[-1][0], errors(told, spent[-1][0]), rates(spent[0], spent[-1]))


def rates(at: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Of seconds and processor seconds at a mark and at the end: what was had a second before and after it."""
    left = end[0] - at[0]
    return at[1] / at[0], (end[1] - at[1]) / left if left > 0 else 0.0


def _since(begin: float) -> float:
    return time.monotonic() - begin


def table(figures: Iterable[Figure]) -> str:
    """As a table of Markdown: the median of all runs, and at the judged mark each of them."""
    head = " | ".join(f"at {key(mark)}" for mark in MARKS)
    rows = [_row(one) for one in figures]
    return "\n".join(
        [
            f"| job | pages | seconds | {head} | at {key(JUDGED)}, each run |",
            "|---" * (len(MARKS) + 4) + "|",
            *rows,
        ]
    )


def _row(figure: Figure) -> str:
    cells = " | ".join(_percent(figure.error(mark)) for mark in MARKS)
    each = ", ".join(
        _percent(one.errors[key(JUDGED)]) + ("" if one.is_steady else " (load changed)")
        for one in figure.courses
    )
    seconds = statistics.median(one.seconds for one in figure.courses)
    return f"| {figure.name} | {figure.pages} | {seconds:.0f} | {cells} | {each} |"


def _percent(error: float | None) -> str:
    return "–" if error is None else f"{error:+.0%}"
