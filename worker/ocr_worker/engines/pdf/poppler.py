"""The second renderer: poppler through pdf2image, for pages that PDFium can't draw, where poppler is installed."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import pikepdf
from PIL import Image

from ocr_worker.errors import no_space
from ocr_worker.files.commands import find_command

SECONDS = 60


def render(pdf: pikepdf.Pdf, page: int, dpi: float) -> Image.Image | None:
    """The page in grey, or None: poppler is missing, or can't either. Raises NoSpaceError.

    Poppler gets a file of ours with that one page: no password on a command line, no name that reads as an option.
    """
    command = find_command("pdftoppm")
    if command is None:
        return None
    import pdf2image
    from pdf2image.exceptions import PDFPageCountError, PDFPopplerTimeoutError, PDFSyntaxError

    with tempfile.TemporaryDirectory(prefix="ocr-") as folder:
        copy = Path(folder) / "page.pdf"
        try:
            _write_page(pdf, page, copy)
            found = pdf2image.convert_from_path(
                copy,
                dpi=round(dpi),
                grayscale=True,
                use_cropbox=True,
                timeout=SECONDS,
                poppler_path=_folder(command),
            )

        except (
            PDFPageCountError,
            PDFPopplerTimeoutError,
            PDFSyntaxError,
            pikepdf.PdfError,
            RuntimeError,
            OSError,
        ) as error:
            if full := no_space(error, folder):
                raise full from error
            return None
        return found[0].convert("L") if found else None


def _folder(command: Path) -> Any:
    # Elsewhere pdf2image would have libraries looked for there, and in the working directory.
    return command.parent if sys.platform == "win32" else None


def _write_page(pdf: pikepdf.Pdf, page: int, target: Path) -> None:
    with pikepdf.new() as single:
        single.pages.append(pdf.pages[page - 1])
        single.save(target, compress_streams=False)
