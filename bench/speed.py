"""The rows of speed: which job, whom to race against, what must be reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import contenders
from bench.corpora import build, save_blank_book, save_book, save_text_book
from bench.pairs import Job, Row, race


@dataclass(frozen=True, slots=True)
class Goal:
    """Ours must be so many times as fast as another contender of the row, or do so many pages a second."""

    row: str
    than: str | None
    at_least: float

    def missed_by(self, row: Row) -> str | None:
        """Say by how much, or nothing where the goal is reached."""
        reached = median(row.ratios(self.than)) if self.than else row.pages_per_second("ours")
        if reached >= self.at_least:
            return None
        return f"{self.row}: {reached:.2f} {f'times {self.than}' if self.than else 'pages/s'}, the goal is {self.at_least:g}"


GOALS = (
    Goal("scans", "ocrmypdf", 2.0),
    Goal("scans", "limit", 0.9),
    Goal("one-page", "ocrmypdf", 2.0),
    Goal("few-scans", "naive", 6.0),
    Goal("few-scans-by-command", "ocrmypdf", 1.3),
    Goal("cards", None, 25),
    Goal("born-digital", None, 50),
    Goal("blank", None, 100),
)


def scans(folder: Path) -> Row:
    """20 A4 pages at 300 dpi, one PDF; beside OCRmyPDF and the recognition limit."""
    rivals = {"ours": contenders.ours, "ocrmypdf": contenders.ocrmypdf, "limit": contenders.recognition_limit}
    return race(_book(folder, "scans", 20), rivals, folder, 3)


def one_page(folder: Path) -> Row:
    """One page, from spawn to exit."""
    rivals = {"ours": contenders.ours, "ocrmypdf": contenders.ocrmypdf}
    return race(_book(folder, "one-page", 1), rivals, folder, 5)


def few_scans(folder: Path) -> Row:
    """Six pages, as the naive script takes its time."""
    rivals = {"ours": contenders.ours, "naive": contenders.naive}
    return race(_book(folder, "few-scans", 6), rivals, folder, 2)


def few_scans_by_command(folder: Path) -> Row:
    """The same `tesseract` command on both sides."""
    rivals = {"ours": contenders.ours_by_command, "ocrmypdf": contenders.ocrmypdf}
    return race(_book(folder, "few-scans-by-command", 6), rivals, folder, 3)


def cards(folder: Path) -> Row:
    samples = build("cards", folder / "in", count=300)
    return _alone(
        Job("cards", [one.path for one in samples], 300, "\f".join(one.truth for one in samples)), folder
    )


def born_digital(folder: Path) -> Row:
    path = folder / "born-digital.pdf"
    truths = save_text_book(path, 400)
    return _alone(Job("born-digital", [path], len(truths), "\f".join(truths)), folder)


def blank(folder: Path) -> Row:
    path = folder / "blank.pdf"
    return _alone(Job("blank", [path], len(save_blank_book(path, 400)), ""), folder)


ROWS: dict[str, Callable[[Path], Row]] = {
    "scans": scans,
    "one-page": one_page,
    "few-scans": few_scans,
    "few-scans-by-command": few_scans_by_command,
    "cards": cards,
    "born-digital": born_digital,
    "blank": blank,
}


def _alone(job: Job, folder: Path) -> Row:
    return race(job, {"ours": contenders.ours}, folder, 3)


def _book(folder: Path, name: str, pages: int) -> Job:
    path = folder / f"{name}.pdf"
    return Job(name, [path], pages, "\f".join(save_book(path, pages)))
