"""What a dry run wants to know of a file beyond its opening: what it is, how large its pages are, whether it can be read here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ocr_worker.engines.images import headers, image_files
from ocr_worker.engines.ocr import registry
from ocr_worker.engines.pdf import page_objects
from ocr_worker.errors import OcrError
from ocr_worker.model.tasks import InspectTask, Opened, OpenTask, PageSettings
from ocr_worker.pages.inspection import inspect
from ocr_worker.pages.open_documents import Documents
from ocr_worker.pages.rendering import choose_dpi, load_sheet

_FACTS = ("type", "bytes", "pages", "encrypted", "signed", "form")
Pixels = tuple[int, int]


def survey(task: OpenTask, opened: Opened, documents: Documents) -> dict[str, Any]:
    """The `survey` of a dry run's verdict, as docs/protocol.md describes it."""
    report = inspect(InspectTask(task.source)).report
    pages: list[dict[str, Any]] = report["page_list"]
    sizes = [(page["width_points"], page["height_points"]) for page in pages]
    largest = max(range(len(sizes)), key=lambda page: sizes[page][0] * sizes[page][1], default=None)
    return {
        **{name: report[name] for name in _FACTS},
        "pages_with_text": sum(page["has_text"] for page in pages),
        "largest_page_points": None if largest is None else sizes[largest],
        "largest_page_pixels": None if largest is None else _pixels(task, opened, documents, largest + 1),
        **_readers(task.settings),
    }


def _pixels(task: OpenTask, opened: Opened, documents: Documents, page: int) -> Pixels | None:
    """What would be recognised of a page: width and height; None of one that can't be drawn."""
    path = Path(task.source.place)
    if opened.type != "pdf":
        with image_files.opened(path, opened.type, task.settings.max_pixels) as image:
            image_files.select_page(image, path, page, task.settings.max_pixels)
            width, height = image.size
            return (height, width) if headers.exif_orientation(image) >= 5 else (width, height)
    pdf = documents.pdf(path, task.source.password, opened.stamp)
    if page_objects.is_endless(pdf.structure, page):
        return None
    sheet = load_sheet(pdf, page)
    dpi = choose_dpi(sheet, task.settings)
    return round(sheet.inches[0] * dpi), round(sheet.inches[1] * dpi)


def _readers(settings: PageSettings) -> dict[str, Any]:
    """Each language that was asked for and whether its data is there; why recognition would be refused, if it would."""
    languages = registry.readable(settings)
    try:
        registry.require(settings)
    except OcrError as error:
        return {"languages": languages, "refused": {"code": error.code, "message": error.message}}
    return {"languages": languages, "refused": None}
