"""Whether all that a PDF page shows could be seen: renderers pass over what is torn, and nothing may read as success that is not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ocr_worker.engines.pdf import page_objects, pdfium, streams
from ocr_worker.engines.pdf.page_objects import Drawn
from ocr_worker.engines.pdf.pdf_file import PdfFile
from ocr_worker.errors import CorruptError, TooLargeError
from ocr_worker.pages.rendering import Sheet


def look_through(pdf: PdfFile, sheet: Sheet, path: Path) -> Drawn:
    """What the page draws. Raises CorruptError when its content is not all there."""
    try:
        return page_objects.follow(pdf.structure, sheet.number)
    except streams.TornError as error:
        raise _lost("its content can't be read to its end", sheet, path) from error


def require_sizes(sheet: Sheet, max_pixels: int, path: Path) -> None:
    """Raises TooLargeError for a picture that may not be decoded."""
    for picture in sheet.content.images if sheet.content else ():
        width, height = picture.size
        if width * height > max_pixels:
            raise TooLargeError(
                f"{path.name} (page {sheet.number}) has a picture of {width} x {height} pixels; "
                f"at most {max_pixels:,} are allowed (max_pixels)"
            )


def require_pictures(found: Drawn, sheet: Sheet, path: Path) -> None:
    """Raises CorruptError when a picture is not in the file, or not all of it."""
    if found.gone:
        raise _lost("a picture is missing", sheet, path)
    if not all(map(streams.is_whole_image, found.images)):
        raise _lost("a picture is cut short", sheet, path)
    # Of several, one may have given all that was read.
    if len(found.images) > 1 and sheet.page:
        _require_decodable(filter(pdfium.is_decoded_by_pdfium_alone, pdfium.images(sheet.page)), sheet, path)


def require_all_decodable(sheet: Sheet, path: Path) -> None:
    """Raises CorruptError when there is a picture on a page on which nothing was seen, and it can't be decoded."""
    _require_decodable(pdfium.images(sheet.page) if sheet.page else (), sheet, path)


def require_nothing_missing(found: Drawn, sheet: Sheet, path: Path) -> None:
    """Raises CorruptError when a page that shows nothing was to show something that is not there."""
    if found.gone or found.unknown:
        raise _lost("a picture is missing", sheet, path)


def _require_decodable(images: Iterable[Any], sheet: Sheet, path: Path) -> None:
    if not all(map(pdfium.can_be_decoded, images)):
        raise _lost("a picture can't be read", sheet, path)


def _lost(what: str, sheet: Sheet, path: Path) -> CorruptError:
    return CorruptError(
        f"{path.name} (page {sheet.number}) is damaged: {what}; get the file again, or scan it anew"
    )
