"""The rows of speed: which job, whom to race against, what must be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from bench import contenders, jobs
from bench.contenders import Contender
from bench.jobs import Effort, Job
from bench.pairs import LIMIT, Row, race


@dataclass(frozen=True, slots=True)
class Verdict:
    text: str
    is_reached: bool


@dataclass(frozen=True, slots=True)
class Goal:
    """Ours must be so many times as fast as another contender of the row, or do so many pages a second."""

    row: str
    than: str | None
    at_least: float
    who: str = "ours"

    def verdict(self, row: Row) -> Verdict:
        reached = median(row.ratios(self.than, self.who)) if self.than else row.pages_per_second(self.who)
        unit = f"times as fast as {self.than}" if self.than else "pages/s"
        text = f"{self.row}, {self.who}: {reached:.2f} {unit}, the goal is {self.at_least:g}"
        return Verdict(text, reached >= self.at_least)


GOALS = (
    Goal("scans", "ocrmypdf", 2.0),
    Goal("scans", LIMIT, 0.9),
    Goal("noisy-scans", "ocrmypdf", 2.0),
    Goal("noisy-scans", LIMIT, 0.9),
    Goal("gate", "ocrmypdf", 2.0),
    Goal("gate", LIMIT, 0.9),
    Goal("corpus-scans", "ocrmypdf", 2.0),
    Goal("corpus-scans", LIMIT, 0.9),
    Goal("one-page", "ocrmypdf", 2.0),
    Goal("one-page", "ocrmypdf", 3.0, "warm"),
    Goal("few-scans", "naive", 6.0),
    Goal("few-scans-by-command", "ocrmypdf", 1.3),
    Goal("cards", None, 25),
    Goal("lines-scans", "tesserocr", 1.8, "lines"),
    Goal("lines-corpus-scans", "tesserocr", 1.5, "lines"),
    Goal("lines-cards", "tesserocr", 1.2, "lines"),
    Goal("born-digital", None, 50),
    Goal("blank", None, 100),
    Goal("command-line", "bare", 0.95),
    Goal("command-line", "bare", 0.95, "batch"),
)
GATE_GOAL = 2.6
"""Times OCRmyPDF's speed, in every row where the resolution gate is open on all pages."""
MOST_WAITING_SECONDS = 0.6
"""From spawn to the first page's event, beyond the bare recognition of that page."""


def verdicts(row: Row) -> Iterator[Verdict]:
    """Whether a row has reached its goals; and accuracy no worse than OCRmyPDF's, and the size of PDFs, in all rows."""
    yield from (goal.verdict(row) for goal in GOALS if goal.row == row.name)
    if row.name == "first-page":
        waiting = row.seconds("ours") - row.seconds(LIMIT)
        text = f"first-page: {waiting:.2f} s beyond its recognition, the goal is {MOST_WAITING_SECONDS:g}"
        yield Verdict(text, waiting <= MOST_WAITING_SECONDS)
    if "ocrmypdf" in row.runs and row.shrunk_pages == row.pages:
        yield Goal(f"{row.name}, gate open", "ocrmypdf", GATE_GOAL).verdict(row)
    if {"ours", "ocrmypdf"} <= row.runs.keys():
        yield from _accuracy(row)
    if "ours" in row.growth:
        text = f"{row.name}: {row.growth['ours']:+.0f} bytes a page, the goal is {row.allowed_growth:+.0f}"
        yield Verdict(text, row.growth["ours"] <= row.allowed_growth)


def _accuracy(row: Row) -> Iterator[Verdict]:
    cer, their_cer = row.texts["ours"].cer, row.texts["ocrmypdf"].cer
    yield Verdict(f"{row.name}: CER {cer:.2f}, OCRmyPDF's is {their_cer:.2f}", cer <= their_cer)
    f1, their_f1 = row.layers["ours"].f1, row.layers["ocrmypdf"].f1
    yield Verdict(f"{row.name}: layer F1 {f1:.2f}, OCRmyPDF's is {their_f1:.2f}", f1 >= their_f1)


OURS = {"ours": contenders.ours}
OCRMYPDF = {"ocrmypdf": contenders.ocrmypdf}
RECOGNITION = {LIMIT: contenders.recognition_limit}


def scans(effort: Effort) -> Row:
    """A4 pages at 300 dpi, one PDF; beside OCRmyPDF and the recognition limit."""
    return _against_all(jobs.book_job("scans", effort, effort.pages(20)), effort)


def noisy_scans(effort: Effort) -> Row:
    """The same worn: peppered, speckled, grainy, faded in a shadow."""
    return _against_all(jobs.book_job("noisy-scans", effort, effort.pages(8), "worn"), effort)


def gate(effort: Effort) -> Row:
    """Large print under a cheap sensor's grain, where the resolution gate opens."""
    return _against_all(jobs.book_job("gate", effort, effort.pages(12), "large"), effort)


def corpus_scans(effort: Effort) -> Row | None:
    """Real scans, where the corpus is there."""
    job = jobs.corpus_job("corpus-scans", effort, effort.pages(20))
    return _against_all(job, effort) if job else None


def one_page(effort: Effort) -> Row:
    """One page: from spawn to exit, and in a worker that is warm."""
    rivals = {**OURS, "warm": contenders.ours_warm, **OCRMYPDF}
    return race(jobs.book_job("one-page", effort, 1), rivals, effort.folder, 2 * effort.rounds - 1)


def first_page(effort: Effort) -> Row:
    """From spawn to the event that tells of the first page, beside its bare recognition."""
    rivals = {"ours": contenders.ours_first_page, **RECOGNITION}
    return race(jobs.book_job("first-page", effort, 1), rivals, effort.folder, 2 * effort.rounds - 1)


def few_scans(effort: Effort) -> Row:
    """Six pages, as the naive script takes its time."""
    job = jobs.book_job("few-scans", effort, effort.pages(6))
    return race(job, {**OURS, "naive": contenders.naive}, effort.folder, effort.rounds)


def few_scans_by_command(effort: Effort) -> Row:
    """The `tesseract` command on both sides."""
    job = jobs.book_job("few-scans-by-command", effort, effort.pages(6))
    return race(job, {"ours": contenders.ours_by_command, **OCRMYPDF}, effort.folder, effort.rounds)


def cards(effort: Effort) -> Row:
    job = jobs.card_job("cards", effort, effort.pages(300))
    return race(job, {**OURS, **RECOGNITION}, effort.folder, effort.rounds)


def mixed(effort: Effort) -> Row:
    """A PDF of 400 pages, a sixteenth of them scans, and 300 cards: whether both cores are busy to the end."""
    job = jobs.mixed_job("mixed", effort, effort.pages(400), effort.pages(300))
    return race(job, {**OURS, **RECOGNITION}, effort.folder, effort.rounds)


def command_line(effort: Effort) -> Row:
    """The piped worker and the command line beside the same page work in plain processes."""
    job = jobs.books_job("command-line", effort, effort.pages(12), 2)
    rivals = {**OURS, "batch": contenders.ours_by_command_line, "bare": contenders.bare}
    return race(job, rivals, effort.folder, effort.rounds)


def lines_scans(effort: Effort) -> Row:
    """The network in ONNX Runtime beside the same in libtesseract."""
    return _of_engines(jobs.book_job("lines-scans", effort, effort.pages(20)), effort, OCRMYPDF)


def lines_corpus_scans(effort: Effort) -> Row | None:
    """The same on real scans, where the corpus is there."""
    job = jobs.corpus_job("lines-corpus-scans", effort, effort.pages(20))
    return _of_engines(job, effort, OCRMYPDF) if job else None


def lines_cards(effort: Effort) -> Row:
    return _of_engines(jobs.card_job("lines-cards", effort, effort.pages(300)), effort, {})


def born_digital(effort: Effort) -> Row:
    return race(jobs.text_job("born-digital", effort, effort.pages(400)), OURS, effort.folder, effort.rounds)


def blank(effort: Effort) -> Row:
    return race(jobs.blank_job("blank", effort, effort.pages(400)), OURS, effort.folder, effort.rounds)


ROWS: dict[str, Callable[[Effort], Row | None]] = {
    "scans": scans,
    "noisy-scans": noisy_scans,
    "gate": gate,
    "corpus-scans": corpus_scans,
    "one-page": one_page,
    "first-page": first_page,
    "few-scans": few_scans,
    "few-scans-by-command": few_scans_by_command,
    "cards": cards,
    "mixed": mixed,
    "command-line": command_line,
    "lines-scans": lines_scans,
    "lines-corpus-scans": lines_corpus_scans,
    "lines-cards": lines_cards,
    "born-digital": born_digital,
    "blank": blank,
}


def _against_all(job: Job, effort: Effort) -> Row:
    return race(job, {**OURS, **OCRMYPDF, **RECOGNITION}, effort.folder, effort.rounds)


def _of_engines(job: Job, effort: Effort, others: Mapping[str, Contender]) -> Row:
    engines = {"lines": contenders.ours_by_lines, "tesserocr": contenders.ours_by_tesserocr}
    return race(job, {**engines, **others}, effort.folder, effort.rounds)
