"""One page: its own text where it has some, else drawn, read and turned upright. Compose comes later, from the stored result."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ocr_worker.engines.images import image_files
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.registry import Engines
from ocr_worker.engines.pdf.page_objects import Drawn
from ocr_worker.engines.pdf.pdf_file import PdfFile
from ocr_worker.model.page import Affine, Page, PageStatus
from ocr_worker.model.tasks import PageSettings, PageTask
from ocr_worker.outputs import pdf_geometry
from ocr_worker.pages import existing_text
from ocr_worker.pages.blank import is_white
from ocr_worker.pages.completeness import (
    look_through,
    require_all_decodable,
    require_nothing_missing,
    require_pictures,
    require_sizes,
)
from ocr_worker.pages.open_documents import Documents
from ocr_worker.pages.page_results import write_picture
from ocr_worker.pages.recognition import Reader, Reading
from ocr_worker.pages.rendering import Sheet, choose_dpi, draw, load_sheet, paint, shows_nothing, take_image
from ocr_worker.pages.source_file import glance, require_unchanged

UNREADABLE = "The page's own text can't be read (broken character map); existing_text: redo recognises the page instead"

UNREAD = "There is ink on the page, but no word was read, level or turned, dark on light or light on dark: look at it"

BESIDE = "The page's own text, which can't be read, stays in the PDF beside the new layer; existing_text: force leaves only the layer"


@dataclass(frozen=True, slots=True)
class PageWork:
    documents: Documents
    engines: Engines

    def process(self, task: PageTask) -> Page:
        """Raises OcrError when the page can't be done."""
        start = time.perf_counter()
        path, kind = glance(task.source)
        page = self._pdf_page(path, task) if kind == "pdf" else self._image_page(path, kind, task)
        require_unchanged(task.source)
        return replace(page, seconds=round(time.perf_counter() - start, 3))

    def _pdf_page(self, path: Path, task: PageTask) -> Page:
        pdf = self.documents.pdf(path, task.source.password, task.source.stamp)
        sheet = load_sheet(pdf, task.page)
        kind = existing_text.classify(sheet.page, sheet.content) if sheet.page and sheet.content else "none"
        found = look_through(pdf, sheet, path)
        if _is_kept(kind, task.settings):
            return _own_text(pdf, sheet, kind, task.settings)
        require_sizes(sheet, task.settings.max_pixels, path)
        if is_white(pdf, sheet, task.settings.max_pixels):
            page = self._blank(sheet, task)
        else:
            page = self._seen(pdf, sheet, task, found)
        if page.status in ("blank", "unread"):
            require_nothing_missing(found, sheet, path)
        if kind == "garbage" and page.status == "ok" and task.settings.existing_text == "redo":
            page = replace(page, warnings=(*page.warnings, BESIDE))
        return replace(page, hidden_text=bool(sheet.content and sheet.content.hidden_characters))

    def _seen(self, pdf: PdfFile, sheet: Sheet, task: PageTask, found: Drawn) -> Page:
        path = Path(task.source.path)
        if shows_nothing(sheet):
            require_pictures(found, sheet, path)
            page = self._blank(sheet, task)
        else:
            image = take_image(pdf, sheet, task.settings)
            if image is None:
                require_pictures(found, sheet, path)
                image = draw(pdf, sheet, task.settings, path)
            page = self._read(image, (sheet.inches[0] * 72, sheet.inches[1] * 72), task)
            if page.status == "ok" and _is_repainted(sheet, task.settings):
                write_picture(Path(task.result_path), paint(sheet, image.dpi, image))
                page = replace(page, repainted=True)
        if page.status in ("blank", "unread"):
            require_all_decodable(sheet, path)
        return page

    def _image_page(self, path: Path, kind: str, task: PageTask) -> Page:
        with image_files.opened(path, kind, task.settings.max_pixels) as opened:
            image_files.select_frame(opened, path, task.page, task.settings.max_pixels)
            image = image_files.read_grey(opened)
        if task.settings.dpi and image.dpi_estimated:
            image = replace(image, dpi=float(task.settings.dpi), dpi_estimated=False)
        return self._read(image, image.size_points, task)

    def _blank(self, sheet: Sheet, task: PageTask) -> Page:
        dpi, engine = choose_dpi(sheet, task.settings), self.engines.engine(task.settings)
        return replace(_sized(sheet, dpi, "blank"), engine=engine.name, engine_version=engine.version)

    def _read(self, image: GreyImage, points: tuple[float, float], task: PageTask) -> Page:
        engine = self.engines.engine(task.settings)
        finder = partial(self.engines.finder, task.settings)
        reading = Reader(engine, finder, task.settings).read(image)
        (width_px, height_px), (width, height), dpi = image.size, points, image.dpi
        if reading.turned in (90, 270):
            width_px, height_px, width, height = height_px, width_px, height, width
            dpi = image.dpi_down or dpi
        return Page(
            number=task.page,
            status=_status(reading),
            width_px=width_px,
            height_px=height_px,
            dpi=round(dpi, 2),
            dpi_estimated=image.dpi_estimated,
            width_points=round(width, 3),
            height_points=round(height, 3),
            turned=reading.turned,
            lines=reading.lines,
            engine=engine.name,
            engine_version=engine.version,
            warnings=(*image.warnings, *(() if reading.lines or not reading.has_ink else (UNREAD,))),
        )


def _status(reading: Reading) -> PageStatus:
    if reading.lines:
        return "ok"
    return "unread" if reading.has_ink else "blank"


def _is_kept(kind: existing_text.Kind, settings: PageSettings) -> bool:
    if settings.existing_text == "force":
        return False
    return kind == "visible" or (settings.existing_text == "skip" and kind in ("hidden", "garbage"))


def _is_repainted(sheet: Sheet, settings: PageSettings) -> bool:
    """Under `force` text that is seen would be found twice, once as it is and once as it was read."""
    visible = sheet.content.visible_characters if sheet.content else 0
    return settings.existing_text == "force" and "pdf" in settings.outputs and visible > 0


def _own_text(pdf: PdfFile, sheet: Sheet, kind: existing_text.Kind, settings: PageSettings) -> Page:
    page = _sized(sheet, choose_dpi(sheet, settings), "has_text")
    to_pixels = _to_pixels(pdf, sheet, (page.width_px, page.height_px))
    lines = existing_text.read_lines(sheet.content, to_pixels) if sheet.content else ()
    return replace(page, lines=lines, warnings=(UNREADABLE,) if kind == "garbage" else ())


def _sized(sheet: Sheet, dpi: float, status: PageStatus) -> Page:
    """A page as large as the sheet, of which nothing was drawn."""
    width, height = sheet.inches
    return Page(
        number=sheet.number,
        status=status,
        width_px=max(1, round(width * dpi)),
        height_px=max(1, round(height * dpi)),
        dpi=round(dpi, 2),
        width_points=round(width * 72, 3),
        height_points=round(height * 72, 3),
    )


def _to_pixels(pdf: PdfFile, sheet: Sheet, size: tuple[int, int]) -> Affine:
    page = pdf.structure.pages[sheet.number - 1]
    return pdf_geometry.to_displayed(pdf_geometry.visible_box(page), pdf_geometry.rotation(page), size)
