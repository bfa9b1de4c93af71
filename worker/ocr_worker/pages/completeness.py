"""Whether all that a PDF page shows could be seen: renderers pass over what is torn, and nothing may read as success that is not."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from ocr_worker.engines.images.cut_short import TORN_SHARE, flaws
from ocr_worker.engines.pdf import page_objects, pdfium, streams
from ocr_worker.engines.pdf.page_objects import Drawn
from ocr_worker.engines.pdf.pdf_file import PdfFile
from ocr_worker.errors import CorruptError, TooLargeError, UnsupportedTypeError
from ocr_worker.pages.rendering import Sheet

VAGUE = "A picture does not say its colours or its size, or not rightly: viewers show it differently, and it was read as its data say"
BREAKS_OFF = "The page's content is damaged and breaks off: what came after that is missing"


def look_through(pdf: PdfFile, number: int, path: Path) -> Drawn:
    """What the page draws, before any library is let draw it. Raises CorruptError when much of its content is not there."""
    try:
        found = page_objects.follow(pdf.structure, number)
    except streams.TornError as error:
        raise _lost("its content can't be read to its end", number, path) from error
    if found.is_endless:
        raise _lost(
            "what it draws has no end, as its forms draw each other or its marks lie within each other",
            number,
            path,
        )
    return found


def require_most(found: Drawn, sheet: Sheet, path: Path) -> tuple[str, ...]:
    """A warning when a content breaks off; raises CorruptError when that may be anywhere.

    It counts as near the end where nothing was left half drawn, or what is drawn reaches the foot of the page.
    """
    if not found.breaks_off:
        return ()
    if found.is_open and not (sheet.page and pdfium.reaches_foot(sheet.page)):
        raise _lost("its content can't be read to its end", sheet.number, path)
    return (BREAKS_OFF,)


def require_sizes(sheet: Sheet, max_pixels: int, path: Path) -> None:
    """Raises TooLargeError for a picture that may not be decoded."""
    for picture in sheet.content.images if sheet.content else ():
        width, height = picture.size
        if width * height > max_pixels:
            raise TooLargeError(
                f"{path.name} (page {sheet.number}) has a picture of {width} x {height} pixels; "
                f"at most {max_pixels:,} are allowed (`max_pixels`)"
            )


def require_pictures(found: Drawn, sheet: Sheet, path: Path, whole: Collection[Any] = ()) -> tuple[str, ...]:
    """A warning when a picture lacks its end; those that are `whole` were unpacked to theirs.

    Raises CorruptError when one is not in the file, or too little of it, UnsupportedTypeError when nobody can decode it.
    """
    if found.gone:
        raise _lost("a picture is missing", sheet.number, path)
    known = {image.objgen for image in whole}
    all_held = [(image, streams.held(image)) for image in found.images if image.objgen not in known]
    found.mended = [(image, held.instead) for image, held in all_held if held.instead is not None]
    if any(held.is_foreign for _, held in all_held):
        raise UnsupportedTypeError(
            f"{path.name} (page {sheet.number}) has a picture of a kind that can't be read here; print it to a PDF anew"
        )
    pictures = [held for _, held in all_held] + [streams.held(image) for image in found.inline]
    share = min((held.share for held in pictures), default=1.0)
    if share < TORN_SHARE:
        raise _lost("a picture is cut short", sheet.number, path)
    # Of several, one may have given all that was read.
    if len(found.images) > 1 and sheet.page:
        _require_decodable(filter(pdfium.is_decoded_by_pdfium_alone, pdfium.images(sheet.page)), sheet, path)
    vague = (VAGUE,) if any(held.is_vague for _, held in all_held) else ()
    return (*flaws(share, is_damaged=any(held.is_damaged for held in pictures)), *vague)


def require_all_decodable(sheet: Sheet, path: Path) -> None:
    """Raises CorruptError when there is a picture on a page on which nothing was seen, and it can't be decoded."""
    _require_decodable(pdfium.images(sheet.page) if sheet.page else (), sheet, path)


def require_nothing_missing(found: Drawn, sheet: Sheet, path: Path) -> None:
    """Raises CorruptError when a page that shows nothing was to show something that is not there."""
    if found.gone or found.unknown:
        raise _lost("a picture is missing", sheet.number, path)
    # Of one that lies in the content PDFium shows all or nothing.
    if any(streams.held(image).share < 1 for image in found.inline):
        raise _lost("a picture is cut short", sheet.number, path)


def _require_decodable(images: Iterable[Any], sheet: Sheet, path: Path) -> None:
    if not all(map(pdfium.can_be_decoded, images)):
        raise _lost("a picture can't be read", sheet.number, path)


def _lost(what: str, page: int, path: Path) -> CorruptError:
    return CorruptError(f"{path.name} (page {page}) is damaged: {what}; get the file again, or scan it anew")
