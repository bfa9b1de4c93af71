"""Long PDFs: a few different pages in turn, so that they are made in a moment and stay small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from random import Random

import pikepdf

from samples import drawing, layouts, wear
from samples.saving import save_scan_pdf
from samples.sheets import A4, Sheet

DPI = 300
PAGES = 8
"""Different ones in a book, at most."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a scanned book's pages are set and worn; wear is taken in turn."""

    layout: Callable[[Random], Sheet] = layouts.prose
    wear: tuple[wear.Wear, ...] = (wear.untouched,)


BOOKS = {
    "clean": Look(),
    "worn": Look(wear=(wear.salt_and_pepper, wear.speckle, wear.grain, wear.fade)),
    "large": Look(layouts.large_print, (wear.grain,)),
}


def save_book(path: Path, pages: int, seed: int = 1, look: Look = BOOKS["clean"]) -> list[str]:
    """Save a PDF of so many full pages scanned in grey; return the truth of each page."""
    sheets = _sheets(pages, seed, look.layout)
    random = Random(f"wear-{seed}")
    images = [
        worn(drawing.render(sheet, DPI), random)
        for sheet, worn in zip(sheets, cycle(look.wear), strict=False)
    ]
    save_scan_pdf(images, path, DPI)
    return _repeat(path, sheets, pages)


def save_text_book(path: Path, pages: int, seed: int = 1) -> list[str]:
    """Save a PDF of so many full pages of real text; return the truth of each page."""
    sheets = _sheets(pages, seed)
    path.write_bytes(drawing.bytes_of(drawing.pdf_of(sheets)))
    return _repeat(path, sheets, pages)


def save_blank_book(path: Path, pages: int) -> list[str]:
    """Save a PDF of so many empty sheets scanned in black and white; return the truth of each page, which is nothing."""
    sheets = [Sheet(*A4)]
    save_scan_pdf([drawing.render(sheets[0], DPI).convert("1")], path, DPI)
    return _repeat(path, sheets, pages)


def save_mixed_book(path: Path, pages: int, seed: int = 1) -> list[str]:
    """Save a PDF of so many full pages, one of sixteen scanned and the others real text; return the truth of each page."""
    sheets = _sheets(PAGES, seed) * 2
    scan = path.with_suffix(".scan.pdf")
    save_scan_pdf([drawing.render(sheets[0], DPI)], scan, DPI)
    with pikepdf.open(scan) as scanned:
        text = drawing.pdf_of(sheets[1:])
        text.pages.insert(0, scanned.pages[0])
        text.save(path, deterministic_id=True)
    scan.unlink()
    return _repeat(path, sheets, pages)


def _sheets(pages: int, seed: int, layout: Callable[[Random], Sheet] = layouts.prose) -> list[Sheet]:
    return [layout(Random(f"book-{seed}-{number}")) for number in range(min(pages, PAGES))]


def _repeat(path: Path, sheets: list[Sheet], pages: int) -> list[str]:
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        for number in range(len(sheets), pages):
            pdf.pages.append(pdf.pages[number % len(sheets)])
        pdf.save(path, deterministic_id=True)
    return [sheet.truth for sheet in islice(cycle(sheets), pages)]
