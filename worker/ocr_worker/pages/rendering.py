"""A page becomes one grey bitmap in its displayed frame, at the resolution that suits it."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ocr_worker.engines.images import filters
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.pdf import appearances, geometry, page_content, pdfium, poppler, qpdf
from ocr_worker.engines.pdf.page_objects import Drawn
from ocr_worker.engines.pdf.pdf_file import PdfFile
from ocr_worker.errors import CorruptError
from ocr_worker.model.tasks import PageSettings
from ocr_worker.outputs import optional_content, pdf_geometry

DEFAULT_DPI = 300.0
NATIVE_DPI = (150.0, 600.0)
"""Between these a scanned page is taken at its image's own resolution."""
ROUNDING = 0.01
"""PDFium counts in single precision: what is 150 dpi may come as a little less."""
FULL_PAGE_SHARE = 0.9
"""So much of a page is covered where a scan is all of it."""
ONE_RESOLUTION = 1.05
"""Pieces of one scan differ by less."""
AUTO_PIXELS = 64_000_000
"""What a resolution of our own choice may cost; one that was asked for may go up to max_pixels."""
PAINTED_PIXELS = 32_000_000
"""In colour these take 100 MB, and as much again to be packed."""
GLANCE_DPI = 75
FLAT_LEVELS = 2
"""Grey levels within a page drawn so small that holds nothing: one black dot of 300 dpi makes 16."""
RICH_BITS = 0.15
"""Per pixel: an image stored in more than this has something on it, so a glance would be lost time."""
MOST_GLANCED_PIXELS = 40_000_000
"""PDFium averages pixels when it draws smaller, but takes every so many-th of larger images."""
SECOND_RENDERER = "PDFium can't draw the page: poppler drew it, so compare it with the original"
MISWRITTEN = "The page's content breaks the rules of PDF"
LOOK_OPEN = "An annotation does not say which of its looks is shown: viewers differ, and it is not read"
LAYER_OPEN = (
    "A layer of the page is on, but says of itself that it is off: viewers differ, and it is not read"
)
VALUE_OTHER = "shows other text than its value: compare the text with the page"
NOTE_LOOK = "The window of a note is drawn on the page: few viewers show that, and it is not read"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A PDF page before it is drawn."""

    number: int
    page: Any
    """PDFium's; None when PDFium can't load it."""
    content: page_content.Content | None
    inches: tuple[float, float]
    """Width and height as displayed."""
    layers: optional_content.Layers
    """Of its document."""
    stamps: page_content.Content | None = None
    """What its annotations draw on it."""
    remarks: tuple[str, ...] = ()


def load_sheet(pdf: PdfFile, number: int, found: Drawn | None = None) -> Sheet:
    """Of a page whose forms are known not to draw each other: PDFium follows them until its memory is gone."""
    built, layers = pdf.structure.pages[number - 1], optional_content.layers(pdf.structure)
    remarks: tuple[str, ...] = ()
    try:
        page = _load_page(pdf, number, layers)
        if found and _may_be_meant_otherwise(page, found) and (right := _as_meant(pdf, number, page, found)):
            page, remarks = right, (_miswritten(found),)
        if appearances.leaves_look_open(pdf.structure, number, layers.is_off):
            remarks += (LOOK_OPEN,)
        if appearances.has_note_with_look(pdf.structure, number):
            remarks += (NOTE_LOOK,)
        other = appearances.shown_otherwise(pdf.structure, number, layers.is_off, _said_at)
        if other is not None:
            remarks += (f"The form field {other} {VALUE_OTHER}",)
        if optional_content.hides_something(layers._replace(off=layers.by_usage), built):
            remarks += (LAYER_OPEN,)
        content, stamps = page_content.survey(page), _stamps(pdf, number, layers)
        return Sheet(number, page, content, sheet_inches(built, page), layers, stamps, remarks)
    except pdfium.PdfiumError as error:
        _log.warning("PDFium can't load page %d: %s", number, error)
    return Sheet(number, None, None, sheet_inches(built, None), layers)


def _may_be_meant_otherwise(page: Any, found: Drawn) -> bool:
    # To PDFium a page whose /Resources are null has none; to others it has those of the pages above it.
    return bool(found.corrected or found.changes or (found.images and not pdfium.parts(page)))


def _miswritten(found: Drawn) -> str:
    samples = [right.sample for right in found.corrected.values()]
    samples += [change.sample for change in found.changes]
    return f"{MISWRITTEN} ({(*samples, '/Resources')[0]}): viewers show it differently, and it was read as it was meant"


def _as_meant(pdf: PdfFile, number: int, page: Any, found: Drawn) -> Any:
    """The page with its contents put right; None where that looks the same, or shows less."""
    try:
        with qpdf.with_contents(pdf.structure, number, found.corrected, found.changes):
            copy = optional_content.shown_page(pdf.structure, number)
        right = pdfium.load_page(pdfium.load(copy, None, ""), 1)
        before, after = pdfium.render(page, GLANCE_DPI), pdfium.render(right, GLANCE_DPI)
    except (CorruptError, pdfium.PdfiumError) as error:
        _log.warning("Page %d is drawn as it is written: %s", number, error)
        return None
    return right if filters.shows_other_or_more(after, before) else None


def _stamps(pdf: PdfFile, number: int, layers: optional_content.Layers) -> page_content.Content | None:
    drawn = appearances.as_page(pdf.structure, number, layers.is_off)
    if drawn is None:
        return None
    try:
        return page_content.survey(pdfium.load_page(pdfium.load(drawn, None, ""), 1))
    except pdfium.PdfiumError:
        return None


def _said_at(built: bytes, boxes: list[Any]) -> list[str]:
    """Of a PDF of one page, what it says within each box; nothing where PDFium can't tell."""
    try:
        texts = pdfium.load_page(pdfium.load(built, None, ""), 1).get_textpage()
        return [texts.get_text_bounded(*box) for box in boxes]
    except pdfium.PdfiumError:
        return [""] * len(boxes)


def _load_page(pdf: PdfFile, number: int, layers: optional_content.Layers) -> Any:
    """As other viewers show it.

    Without what belongs to layers that are off: PDFium passes over it when it draws, but not when it tells what is
    there. And with the fields of a form that is lost, which PDFium does not draw.
    """
    built = pdf.structure.pages[number - 1]
    if not (
        optional_content.hides_something(layers, built)
        or optional_content.has_lost_fields(pdf.structure, built)
    ):
        page = pdfium.load_page(pdf.rendering, number)
        if pdf_geometry.are_alike(page.get_bbox(), pdf_geometry.visible_box(built)):
            return page
        # Its boxes are not numbers to qpdf, and the output will have those that stand in for them.
    try:
        copy = optional_content.shown_page(pdf.structure, number)
    except CorruptError as error:
        raise pdfium.PdfiumError(str(error)) from error
    return pdfium.load_page(pdfium.load(copy, None, ""), 1)


def sheet_inches(built: Any, page: Any) -> tuple[float, float]:
    """Width and height as displayed, by PDFium's page or, where that is None, by qpdf's."""
    unit = pdf_geometry.user_unit(built)
    if page is not None:
        return pdfium.page_inches(page, unit)
    left, bottom, right, top = pdf_geometry.visible_box(built)
    sides = (right - left) * unit / 72, (top - bottom) * unit / 72
    return sides[::-1] if pdf_geometry.rotation(built) in (90, 270) else sides


def shows_nothing(sheet: Sheet) -> bool:
    """Whether a small drawing shows at a glance that the page is empty, so that no large one need be made."""
    content = sheet.content
    if content is None or content.visible_characters or content.others:
        return False
    area = sum(width * height for width, height in (picture.size for picture in content.images))
    # A sheet of many metres is no glance any more.
    if sheet.inches[0] * sheet.inches[1] * GLANCE_DPI**2 > MOST_GLANCED_PIXELS:
        return False
    if area > MOST_GLANCED_PIXELS or 8 * content.image_bytes > RICH_BITS * area:
        return False
    try:
        glance = pdfium.render(sheet.page, GLANCE_DPI)
    except pdfium.PdfiumError:
        return False
    empty = filters.is_flat(glance, FLAT_LEVELS) and not filters.is_dark(glance)
    return empty and not _may_be_undrawn(sheet)


def _may_be_undrawn(sheet: Sheet) -> bool:
    """Of some pictures in JPEG 2000 PDFium says that they are decoded, and draws one black or white plane."""
    return any(map(pdfium.is_jpeg_2000, pdfium.images(sheet.page)))


def choose_dpi(sheet: Sheet, settings: PageSettings) -> float:
    """The resolution asked for, else that of the one image that is the page, else 300; less where pixels forbid."""
    wanted = float(settings.dpi or _native_dpi(sheet) or DEFAULT_DPI)
    budget = settings.max_pixels if settings.dpi else min(settings.max_pixels, AUTO_PIXELS)
    width, height = sheet.inches
    affordable = min(math.sqrt(budget / (width * height)), filters.LONGEST_SIDE_PX / max(width, height))
    return min(wanted, affordable)


def with_pictures_put_right(pdf: PdfFile, sheet: Sheet, mended: Sequence[tuple[Any, bytes]]) -> Sheet:
    """To be drawn from a copy of the page, in which PDFium can decode these pictures; the same where that is not needed."""
    if not mended or sheet.page is None:
        return sheet
    try:
        copy = qpdf.page_with(pdf.structure, sheet.number, mended)
        return replace(sheet, page=pdfium.load_page(pdfium.load(copy, None, "its copy"), 1))
    except (pdfium.PdfiumError, qpdf.QpdfError) as error:
        _log.warning("Page %d is drawn without pictures that could be put right: %s", sheet.number, error)
        return sheet


def draw(pdf: PdfFile, sheet: Sheet, settings: PageSettings, path: Path) -> GreyImage:
    """Raises CorruptError when no renderer can draw the page."""
    dpi, first = choose_dpi(sheet, settings), None
    if sheet.page is not None:
        try:
            first = GreyImage(pdfium.render(sheet.page, dpi * _unit(sheet)), dpi)
        except pdfium.PdfiumError as error:
            _log.warning("PDFium can't draw page %d: %s", sheet.number, error)
        else:
            if not filters.is_flat(first.picture, FLAT_LEVELS) or not _may_be_undrawn(sheet):
                return first
    picture = poppler.render(pdf.structure, sheet.number, dpi)
    if first and (picture is None or filters.is_flat(picture, FLAT_LEVELS)):
        return first
    if picture is None:
        raise CorruptError(
            f"Page {sheet.number} of {path.name} is too damaged to be drawn; get the file again"
        )
    return GreyImage(picture, dpi, warnings=(SECOND_RENDERER,))


def take_image(pdf: PdfFile, sheet: Sheet, settings: PageSettings) -> GreyImage | None:
    """The scan itself, when the page shows nothing but one upright JPEG, and all of it: no rendering, no resampling.

    Raises CorruptError when that is damaged or cut short.
    """
    content, page = sheet.content, sheet.page
    if content is None or len(content.images) != 1 or content.others or content.visible_characters:
        return None
    picture = content.images[0]
    dpi, down = _resolution(picture, sheet)
    if (
        settings.dpi
        or not NATIVE_DPI[0] - ROUNDING <= dpi <= NATIVE_DPI[1] + ROUNDING
        or max(dpi, down) > filters.SQUARE_ENOUGH * min(dpi, down)
        or not (picture.is_upright and picture.is_plain and _fills(page, picture))
        or qpdf.shows_annotations(pdf.structure, sheet.number)
    ):
        return None
    image = qpdf.sole_jpeg(pdf.structure, sheet.number, picture.size)
    if image is None:
        return None
    # Late, as many scans are no JPEGs.
    from ocr_worker.engines.pdf import jpeg

    found = jpeg.luma(*image, picture.size)
    if found is None:
        return None
    luma, said = found
    return GreyImage(filters.turn(luma, page.get_rotation()), dpi, warnings=said)


def paint(sheet: Sheet, dpi: float, seen: GreyImage) -> bytes:
    """The page as a picture file, in its colours; as it was `seen` where PDFium can't draw it."""
    width, height = sheet.inches
    affordable = min(dpi, math.sqrt(PAINTED_PIXELS / (width * height)))
    try:
        picture = pdfium.paint(sheet.page, affordable * _unit(sheet)) if sheet.page else seen.picture
    except pdfium.PdfiumError:
        picture = seen.picture
    return filters.packed(picture)


def draw_telling_colour(sheet: Sheet, settings: PageSettings) -> GreyImage | None:
    """The page in the one of its colours that shows what its grey does not; None of most."""
    try:
        glance = pdfium.paint(sheet.page, GLANCE_DPI * _unit(sheet)) if sheet.page else None
        if glance is None or filters.telling_colour(glance) is None:
            return None
        dpi = choose_dpi(sheet, settings)
        colour = filters.telling_colour(pdfium.paint(sheet.page, dpi * _unit(sheet)))
    except pdfium.PdfiumError:
        return None
    return GreyImage(colour, dpi) if colour else None


def _unit(sheet: Sheet) -> float:
    """PDFium does not know /UserUnit: a unit counts as a point there."""
    width, _ = sheet.page.get_size()
    return sheet.inches[0] * 72 / width if width else 1.0


def _native_dpi(sheet: Sheet) -> float | None:
    """That of the scan which is the page, in one piece or in several of one resolution."""
    if sheet.content is None or not sheet.page:
        return None
    if page_content.covered_share(sheet.content.images, sheet.page) < FULL_PAGE_SHARE:
        return None
    shown = [picture for picture in sheet.content.images if _area(picture)]
    found = [max(_resolution(picture, sheet)) for picture in shown if picture.across and picture.down]
    low, high = NATIVE_DPI
    if not found or max(found) > ONE_RESOLUTION * min(found) or max(found) < low - ROUNDING:
        return None
    largest = max(shown, key=_area)
    return min(high, max(_resolution(largest, sheet)))


def _area(picture: page_content.Picture) -> float:
    return geometry.area(picture.shown)


def _resolution(picture: page_content.Picture, sheet: Sheet) -> tuple[float, float]:
    """Dots an inch across and down the picture; zeros where it has no size."""
    if picture.across <= 0 or picture.down <= 0:
        return 0.0, 0.0
    unit = _unit(sheet) / 72
    return picture.size[0] / (picture.across * unit), picture.size[1] / (picture.down * unit)


def _fills(page: Any, picture: page_content.Picture) -> bool:
    """Whether the image's edges are the page's, to a tenth of a point in a hundred."""
    box = page.get_bbox()
    slack = 0.001 * max(box[2] - box[0], box[3] - box[1])
    return all(abs(mine - its) <= slack for mine, its in zip(picture.bounds, box, strict=True))
