"""What is worked on: files with their truth, made by code with a fixed seed, or put together from the corpus's scans."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import img2pdf

from bench.material import corpus_samples
from samples import (
    BOOKS,
    build,
    save_blank_book,
    save_book,
    save_mixed_book,
    save_text_book,
)

PRINT_GROUPS = ("eng book", "eng magazine", "eng typed letter", "eng brochure")
MOST_CORPUS_PAGES = 20


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    files: list[Path]
    pages: int
    truths: list[str]
    """Of each file; a form feed parts the pages."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much of a benchmark is run."""

    folder: Path
    rounds: int = 3
    share: float = 1.0
    """Of the pages of each job."""
    seed: int = 1

    def pages(self, full: int) -> int:
        return max(1, round(full * self.share))


def book_job(name: str, effort: Effort, pages: int, look: str = "clean") -> Job:
    """One PDF of so many A4 pages, scanned at 300 dpi."""
    path = effort.folder / f"{name}.pdf"
    return _one_file(name, path, save_book(path, pages, effort.seed, BOOKS[look]))


def text_job(name: str, effort: Effort, pages: int) -> Job:
    path = effort.folder / f"{name}.pdf"
    return _one_file(name, path, save_text_book(path, pages, effort.seed))


def blank_job(name: str, effort: Effort, pages: int) -> Job:
    path = effort.folder / f"{name}.pdf"
    return _one_file(name, path, save_blank_book(path, pages))


def card_job(name: str, effort: Effort, count: int) -> Job:
    """So many image files of 1000 x 630 pixels."""
    samples = build("cards", effort.folder / "in", seed=effort.seed, count=count)
    return Job(name, [one.path for one in samples], count, [one.truth for one in samples])


def scan_job(name: str, effort: Effort, count: int) -> Job:
    """So many A4 pages at 300 dpi, a PNG or JPEG each: what readers of images alone can read too."""
    made = build("clean", effort.folder / "in", seed=effort.seed, count=2 * count + 2)
    samples = [one for one in made if one.path.suffix in {".png", ".jpg"}][:count]
    return Job(name, [one.path for one in samples], count, [one.truth for one in samples])


def mixed_job(name: str, effort: Effort, pages: int, count: int) -> Job:
    """A long PDF of scans among real text, and cards."""
    book, cards = effort.folder / "book.pdf", card_job(name, effort, count)
    truths = save_mixed_book(book, pages, effort.seed)
    return Job(name, [book, *cards.files], pages + count, ["\f".join(truths), *cards.truths])


def books_job(name: str, effort: Effort, files: int, pages: int) -> Job:
    """So many PDFs of so many scanned pages each."""
    books = [book_job(f"{name}-{n}", effort, pages) for n in range(files)]
    return Job(
        name, [one.files[0] for one in books], files * pages, [truth for one in books for truth in one.truths]
    )


def corpus_job(name: str, effort: Effort, pages: int) -> Job | None:
    """English print of the corpus as one PDF, for OCRmyPDF takes one file at a time; None where there is no corpus."""
    scans = [one for one in corpus_samples() if one.group in PRINT_GROUPS and one.path.suffix != ".pdf"]
    chosen = scans[:: -(-len(scans) // min(pages, MOST_CORPUS_PAGES))] if scans else []
    if not chosen:
        return None
    path = effort.folder / f"{name}.pdf"
    layout = img2pdf.get_fixed_dpi_layout_fun((300, 300))
    path.write_bytes(img2pdf.convert([str(one.path) for one in chosen], layout_fun=layout, nodate=True))
    return _one_file(name, path, [one.truth.replace("\f", "\n") for one in chosen])


def _one_file(name: str, path: Path, truths: list[str]) -> Job:
    return Job(name, [path], len(truths), ["\f".join(truths)])
