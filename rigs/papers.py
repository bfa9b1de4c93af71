"""Papers that cost no recognition."""

from __future__ import annotations

from pathlib import Path

from ocr_worker.cli.commands.doctor import _one_line_pdf


def write_papers(folder: Path, count: int) -> list[Path]:
    """PDFs that already have text, so that nothing needs to be recognised."""
    folder.mkdir(parents=True, exist_ok=True)
    papers = [folder / f"paper{number:02}.pdf" for number in range(1, count + 1)]
    for paper in papers:
        paper.write_bytes(_one_line_pdf(f"This is {paper.stem}"))
    return papers
