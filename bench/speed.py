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
    who: str = "ours"

    def missed_by(self, row: Row) -> str | None:
        """Say by how much, or nothing where the goal is reached."""
        reached = median(row.ratios(self.than, self.who)) if self.than else row.pages_per_second(self.who)
        if reached >= self.at_least:
            return None
        unit = f"times {self.than}" if self.than else "pages/s"
        return f"{self.row}, {self.who}: {reached:.2f} {unit}, the goal is {self.at_least:g}"


GOALS = (
    Goal("scans", "ocrmypdf", 2.0),
    Goal("scans", "limit", 0.9),
    Goal("one-page", "ocrmypdf", 2.0),
    Goal("one-page", "ocrmypdf", 3.0, "warm"),
    Goal("few-scans", "naive", 6.0),
    Goal("few-scans-by-command", "ocrmypdf", 1.3),
    Goal("cards", None, 25),
    Goal("born-digital", None, 50),
    Goal("blank", None, 100),
)
MOST_WAITING_SECONDS = 0.6
"""From spawn to the first page's event, beyond the bare recognition of that page."""


def missed(row: Row) -> list[str]:
    """What a row has not reached: its goals, and for all that write PDFs of scans the size of ours."""
    misses = [miss for goal in GOALS if goal.row == row.name and (miss := goal.missed_by(row))]
    if row.growth.get("ours", 0) > row.allowed_growth:
        misses.append(f"{row.name}: {row.growth['ours']:.0f} bytes a page more than the input")
    if row.name == "first-page":
        waiting = row.seconds("ours") - row.seconds("limit")
        if waiting > MOST_WAITING_SECONDS:
            misses.append(f"first-page: {waiting:.2f} s, the goal is {MOST_WAITING_SECONDS:g} s")
    return misses


def scans(folder: Path, rounds: int) -> Row:
    """20 A4 pages at 300 dpi, one PDF; beside OCRmyPDF and the recognition limit."""
    rivals = {"ours": contenders.ours, "ocrmypdf": contenders.ocrmypdf, "limit": contenders.recognition_limit}
    return race(_book(folder, "scans", 20), rivals, folder, rounds)


def one_page(folder: Path, rounds: int) -> Row:
    """One page: from spawn to exit, and in a worker that is warm."""
    rivals = {"ours": contenders.ours, "warm": contenders.ours_warm, "ocrmypdf": contenders.ocrmypdf}
    return race(_book(folder, "one-page", 1), rivals, folder, rounds + 2)


def first_page(folder: Path, rounds: int) -> Row:
    """From spawn to the event that tells of the first page, beside its bare recognition."""
    rivals = {"ours": contenders.ours_first_page, "limit": contenders.recognition_limit}
    return race(_book(folder, "first-page", 1), rivals, folder, rounds + 2)


def few_scans(folder: Path, rounds: int) -> Row:
    """Six pages, as the naive script takes its time."""
    rivals = {"ours": contenders.ours, "naive": contenders.naive}
    return race(_book(folder, "few-scans", 6), rivals, folder, rounds)


def few_scans_by_command(folder: Path, rounds: int) -> Row:
    """The same `tesseract` command on both sides."""
    rivals = {"ours": contenders.ours_by_command, "ocrmypdf": contenders.ocrmypdf}
    return race(_book(folder, "few-scans-by-command", 6), rivals, folder, rounds)


def cards(folder: Path, rounds: int) -> Row:
    """300 cards of 1000 x 630 pixels."""
    return _alone(card_job(folder, 300), folder, rounds)


def card_job(folder: Path, count: int) -> Job:
    samples = build("cards", folder / "in", count=count)
    return Job("cards", [one.path for one in samples], count, "\f".join(one.truth for one in samples))


def born_digital(folder: Path, rounds: int) -> Row:
    path = folder / "born-digital.pdf"
    truths = save_text_book(path, 400)
    return _alone(Job("born-digital", [path], len(truths), "\f".join(truths)), folder, rounds)


def blank(folder: Path, rounds: int) -> Row:
    path = folder / "blank.pdf"
    return _alone(Job("blank", [path], len(save_blank_book(path, 400)), ""), folder, rounds)


ROWS: dict[str, Callable[[Path, int], Row]] = {
    "scans": scans,
    "one-page": one_page,
    "first-page": first_page,
    "few-scans": few_scans,
    "few-scans-by-command": few_scans_by_command,
    "cards": cards,
    "born-digital": born_digital,
    "blank": blank,
}


def _alone(job: Job, folder: Path, rounds: int) -> Row:
    return race(job, {"ours": contenders.ours}, folder, rounds)


def _book(folder: Path, name: str, pages: int) -> Job:
    path = folder / f"{name}.pdf"
    return Job(name, [path], pages, "\f".join(save_book(path, pages)))
