"""Whether a PDF page is blank: told from its one image, where it has no other, before anything is drawn."""

from __future__ import annotations

from typing import Any

from ocr_worker.engines.pdf import pdfium, qpdf, white_images
from ocr_worker.engines.pdf.pdf_file import PdfFile
from ocr_worker.pages.rendering import MOST_GLANCED_PIXELS, RICH_BITS, Sheet

SMALL_BYTES = 1024
"""A stream that is unpacked in no time, however few pixels it has."""


def white_pictures(pdf: PdfFile, sheet: Sheet, max_pixels: int) -> tuple[Any, ...] | None:
    """All that is on a page which need not be drawn: nothing, or one picture that was unpacked whole and is white.

    None of any other page.
    """
    content = sheet.content
    if content is None or not len(content.images) == pdfium.parts(sheet.page) <= 1:
        return None
    if not content.images:
        return ()
    (picture,) = content.images
    width, height = picture.size
    pixels = width * height
    rich_bytes = max(SMALL_BYTES, RICH_BITS * pixels / 8)
    if pixels > min(max_pixels, MOST_GLANCED_PIXELS) or content.image_bytes > rich_bytes:
        return None
    image = qpdf.plain_image(pdf.structure, sheet.number, (width, height))
    return (image,) if image is not None and white_images.is_white(image) else None
