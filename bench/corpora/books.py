"""Long PDFs: eight different pages in turn, so that they are made in a moment and stay small."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pikepdf

from bench.corpora import drawing, layouts
from bench.corpora.saving import save_scan_pdf
from bench.corpora.sheets import A4, Sheet

DPI = 300


def save_book(path: Path, pages: int, seed: int = 1) -> list[str]:
    """Save a PDF of so many full pages scanned in grey; return the truth of each page."""
    sheets = _sheets(pages, seed)
    save_scan_pdf([drawing.render(sheet, DPI) for sheet in sheets], path, DPI)
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


def _sheets(pages: int, seed: int) -> list[Sheet]:
    return [layouts.prose(Random(f"book-{seed}-{number}")) for number in range(min(pages, 8))]


def _repeat(path: Path, sheets: list[Sheet], pages: int) -> list[str]:
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        for number in range(len(sheets), pages):
            pdf.pages.append(pdf.pages[number % len(sheets)])
        pdf.save(path, deterministic_id=True)
    return [sheets[number % len(sheets)].truth for number in range(pages)]
