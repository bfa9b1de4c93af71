"""Whether a PDF page that shows nothing is blank, or has lost what it showed: nothing may read as success that is not."""

from __future__ import annotations

from pathlib import Path

from ocr_worker.engines import pdfium, qpdf
from ocr_worker.engines.pdf_file import PdfFile
from ocr_worker.errors import CorruptError, TooLargeError
from ocr_worker.pipeline.render import Sheet


def require_blank(pdf: PdfFile, sheet: Sheet, max_pixels: int, path: Path) -> None:
    """Raises CorruptError, TooLargeError when there was something to see."""
    for image in pdfium.images(sheet.page) if sheet.page else ():
        width, height = image.get_px_size()
        if width * height > max_pixels:
            raise TooLargeError(
                f"{path.name} (page {sheet.number}) has a picture of {width} x {height} pixels; "
                f"at most {max_pixels:,} are allowed (max_pixels)"
            )
        if not pdfium.can_be_decoded(image):
            raise _lost("a picture can't be read", sheet, path)
    if missing := qpdf.missing_part(pdf.structure, sheet.number):
        raise _lost(missing, sheet, path)


def _lost(what: str, sheet: Sheet, path: Path) -> CorruptError:
    return CorruptError(
        f"{path.name} (page {sheet.number}) is damaged: {what}; get the file again, or scan it anew"
    )
