"""Whether a PDF page that shows nothing is blank, or has lost what it showed: nothing may read as success that is not."""

from __future__ import annotations

from pathlib import Path

from ocr_worker.engines import pdfium, qpdf, white_image
from ocr_worker.engines.pdf_file import PdfFile
from ocr_worker.errors import CorruptError, TooLargeError
from ocr_worker.pipeline.render import MOST_GLANCED_PIXELS, RICH_BITS, Sheet

SMALL_BYTES = 1024
"""A stream that is unpacked in no time, however few pixels it has."""


def is_white(pdf: PdfFile, sheet: Sheet, max_pixels: int) -> bool:
    """Whether nothing is on the page, or one image alone that was unpacked whole and is white: it need not be drawn."""
    content = sheet.content
    if content is None or not len(content.images) == pdfium.parts(sheet.page) <= 1:
        return False
    for *_, width, height in content.images:
        pixels = width * height
        rich_bytes = max(SMALL_BYTES, RICH_BITS * pixels / 8)
        if pixels > min(max_pixels, MOST_GLANCED_PIXELS) or content.image_bytes > rich_bytes:
            return False
        image = qpdf.plain_image(pdf.structure, sheet.number, (width, height))
        return image is not None and white_image.is_white(image)
    return True


def require_pictures(sheet: Sheet, max_pixels: int, path: Path) -> None:
    """Raises CorruptError, TooLargeError when a picture on the page could not be seen."""
    for image in pdfium.images(sheet.page) if sheet.page else ():
        width, height = image.get_px_size()
        if width * height > max_pixels:
            raise TooLargeError(
                f"{path.name} (page {sheet.number}) has a picture of {width} x {height} pixels; "
                f"at most {max_pixels:,} are allowed (max_pixels)"
            )
        if not pdfium.can_be_decoded(image):
            raise _lost("a picture can't be read", sheet, path)


def require_content(pdf: PdfFile, sheet: Sheet, path: Path) -> None:
    """Raises CorruptError when something that the page names is not in the file."""
    if missing := qpdf.missing_part(pdf.structure, sheet.number):
        raise _lost(missing, sheet, path)


def _lost(what: str, sheet: Sheet, path: Path) -> CorruptError:
    return CorruptError(
        f"{path.name} (page {sheet.number}) is damaged: {what}; get the file again, or scan it anew"
    )
