"""A reader that had no hand in writing our PDFs (pypdf): whether it finds the text that we put there. For files of ours only."""

from __future__ import annotations

from pathlib import Path

from ocr_worker.errors import OcrError


def text_of(pdf: Path) -> str:
    """The text of all pages, as an independent reader gives it. Raises OcrError when it can't read the file."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        return "\n".join(page.extract_text() for page in PdfReader(pdf).pages)
    except (PyPdfError, OSError, ValueError) as error:
        raise OcrError(f"{pdf.name} can't be read back: {error}") from error
