"""Answers `inspect`: the file as it is, quickly, without recognition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ocr_worker.engines.pdf import font_maps, page_content, page_objects, pdfium, qpdf
from ocr_worker.engines.pdf.pdf_file import PdfFile, open_pdf
from ocr_worker.errors import CorruptError
from ocr_worker.model.tasks import Inspected, InspectTask, PageSettings, Source
from ocr_worker.pages.rendering import sheet_inches
from ocr_worker.pages.source_file import glance

MAX_LISTED_PAGES = 5_000
_MAX_PIXELS = PageSettings().max_pixels
_FORMS = {0: "none", 1: "acroform", 2: "xfa", 3: "xfa"}


def inspect(task: InspectTask) -> Inspected:
    """Raises OcrError for what can't be looked into: not found, encrypted without its password, damaged."""
    path, kind = glance(task.source)
    report = _inspect_pdf(path, task.source) if kind == "pdf" else _inspect_image(path, kind)
    return Inspected({"file": task.source.path, "type": kind, "bytes": path.stat().st_size, **report})


def _inspect_pdf(path: Path, source: Source) -> dict[str, Any]:
    pdf = open_pdf(path, source.password)
    try:
        # All at once: qpdf counts to a page anew for each number.
        listed = list(pdf.structure.pages)[:MAX_LISTED_PAGES]
        return {
            "pages": pdf.pages,
            "encrypted": pdf.structure.is_encrypted,
            "signed": qpdf.is_signed(pdf.structure),
            "form": _FORMS.get(pdf.rendering.get_formtype(), "none"),
            "page_list": [_pdf_page(pdf, number, built) for number, built in enumerate(listed, 1)],
        }
    finally:
        pdf.close()


def _pdf_page(pdf: PdfFile, number: int, built: Any) -> dict[str, Any]:
    if page_objects.is_endless(pdf.structure, number):
        return _page_entry(_points(built, None))
    try:
        page = pdfium.load_page(pdf.rendering, number)
    except pdfium.PdfiumError:
        return _page_entry(_points(built, None))
    try:
        return _page_entry(_points(built, page), has_text=_has_text(built, page))
    finally:
        page.close()


def _has_text(built: Any, page: Any) -> bool:
    """Hidden layers of an earlier OCR included, scans that are drawn as glyphs not."""
    if not pdfium.has_text(page):
        return False
    if not font_maps.has_fonts_of_drawings(built.obj):
        return True
    content = page_content.survey(page)
    return bool(content.visible_characters or content.hidden_characters)


def _points(built: Any, page: Any) -> tuple[float, float]:
    width, height = sheet_inches(built, page)
    return width * 72, height * 72


def _page_entry(points: tuple[float, float], *, has_text: bool = False) -> dict[str, Any]:
    width, height = points
    return {
        "width_points": round(width, 2),
        "height_points": round(height, 2),
        "has_text": has_text,
    }


def _inspect_image(path: Path, kind: str) -> dict[str, Any]:
    from ocr_worker.engines.images import image_files

    # To ask a PNG for its orientation is to decode it.
    with image_files.opened(path, kind, _MAX_PIXELS) as image:
        numbers = range(1, image_files.count_pages(image, path) + 1)
        pages = [_frame(image, path, number) for number in numbers]
    return {
        "pages": len(pages),
        "encrypted": False,
        "signed": False,
        "form": "none",
        "page_list": pages[:MAX_LISTED_PAGES],
    }


def _frame(image: Any, path: Path, number: int) -> dict[str, Any]:
    from ocr_worker.engines.images import headers, image_files

    try:
        image_files.select_page(image, path, number, _MAX_PIXELS)
        return _page_entry(headers.size_points(image))
    except (CorruptError, *headers.BROKEN):
        if image_files.count_pages(image, path) == 1:
            raise
        # Of a TIFF of which one page is damaged the others are read.
        return _page_entry((0.0, 0.0))
