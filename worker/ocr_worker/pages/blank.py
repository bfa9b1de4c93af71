"""Whether a PDF page is blank: told from its one image, where it has no other, before anything is drawn."""

from __future__ import annotations

from ocr_worker.engines.pdf import pdfium, qpdf, white_images
from ocr_worker.engines.pdf.pdf_file import PdfFile
from ocr_worker.pages.rendering import MOST_GLANCED_PIXELS, RICH_BITS, Sheet

SMALL_BYTES = 1024
"""A stream that is unpacked in no time, however few pixels it has."""


def is_white(pdf: PdfFile, sheet: Sheet, max_pixels: int) -> bool:
    """Whether nothing is on the page, or one image alone that was unpacked whole and is white: it need not be drawn."""
    content = sheet.content
    if content is None or not len(content.images) == pdfium.parts(sheet.page) <= 1:
        return False
    for picture in content.images:
        width, height = picture.size
        pixels = width * height
        rich_bytes = max(SMALL_BYTES, RICH_BITS * pixels / 8)
        if pixels > min(max_pixels, MOST_GLANCED_PIXELS) or content.image_bytes > rich_bytes:
            return False
        image = qpdf.plain_image(pdf.structure, sheet.number, (width, height))
        return image is not None and white_images.is_white(image)
    return True
