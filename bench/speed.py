"""The rows of speed: which job, whom to race against, what must be reached."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import contenders
from bench.accuracy import layer_of
from bench.contenders import Contender
from bench.corpora import build, save_blank_book, save_book, save_text_book
from bench.pairs import Job, Row, race
from bench.scores import Score, score


@dataclass(frozen=True, slots=True)
class Goal:
    """Ours must be so many times as fast as another, or do so many pages a second."""

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
    Goal("one-page", "ocrmypdf", 2.0),
    Goal("few-scans", "naive", 6.0),
    Goal("few-scans-by-command", "ocrmypdf", 1.3),
    Goal("cards", None, 25),
    Goal("born-digital", None, 50),
    Goal("blank", None, 100),
)


def scans(folder: Path) -> Row:
    """20 A4 pages at 300 dpi, one PDF."""
    return race(
        _book(folder, "scans", 20), {"ours": contenders.ours, "ocrmypdf": contenders.ocrmypdf}, folder, 3
    )


def one_page(folder: Path) -> Row:
    """One page, from spawn to exit."""
    return race(
        _book(folder, "one-page", 1), {"ours": contenders.ours, "ocrmypdf": contenders.ocrmypdf}, folder, 5
    )


def few_scans(folder: Path) -> Row:
    return race(
        _book(folder, "few-scans", 6), {"ours": contenders.ours, "naive": contenders.naive}, folder, 2
    )


def few_scans_by_command(folder: Path) -> Row:
    """The same `tesseract` command on both sides."""
    rivals: dict[str, Contender] = {"ours": contenders.ours_by_command, "ocrmypdf": contenders.ocrmypdf}
    return race(_book(folder, "few-scans-by-command", 6), rivals, folder, 3)


def cards(folder: Path) -> Row:
    return _alone("cards", [sample.path for sample in build("cards", folder / "in", count=300)], 300, folder)


def born_digital(folder: Path) -> Row:
    path = folder / "born-digital.pdf"
    return _alone("born-digital", [path], len(save_text_book(path, 400)), folder)


def blank(folder: Path) -> Row:
    path = folder / "blank.pdf"
    return _alone("blank", [path], len(save_blank_book(path, 400)), folder)


def limit_share(folder: Path) -> tuple[Row, float]:
    """20 scans, and the share of the pages per second that bare recognition reaches on the same pages."""
    job = _book(folder, "limit", 20)
    row = race(job, {"ours": contenders.ours, "limit": contenders.recognition_limit}, folder, 3)
    limit = json.loads((folder / job.name / "limit" / "limit.json").read_text(encoding="utf-8"))
    return row, row.pages_per_second("ours") / (limit["pages"] / limit["seconds"])


def accuracy_of(folder: Path, truth: str) -> tuple[Score, Score]:
    """Of the text and of the PDF's text layer that a contender left in its folder."""
    text = "\f".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt")))
    layer = "\f".join(layer_of(path) for path in sorted(folder.glob("*.pdf")))
    return score(truth, text), score(truth, layer)


ROWS: dict[str, Callable[[Path], Row]] = {
    "scans": scans,
    "one-page": one_page,
    "few-scans": few_scans,
    "few-scans-by-command": few_scans_by_command,
    "cards": cards,
    "born-digital": born_digital,
    "blank": blank,
}


def _alone(name: str, files: list[Path], pages: int, folder: Path) -> Row:
    return race(Job(name, files, pages), {"ours": contenders.ours}, folder, 3)


def _book(folder: Path, name: str, pages: int) -> Job:
    path = folder / f"{name}.pdf"
    save_book(path, pages)
    return Job(name, [path], pages)
