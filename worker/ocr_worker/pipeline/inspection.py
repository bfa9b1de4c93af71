"""Answers `inspect`: the file as it is, quickly, without recognition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ocr_worker.engines import pdfium
from ocr_worker.errors import NoPagesError
from ocr_worker.pipeline.source_file import glance
from ocr_worker.pipeline.tasks import Inspected, InspectTask, Source

MAX_LISTED_PAGES = 5_000
_FORMS = {0: "none", 1: "acroform", 2: "xfa", 3: "xfa"}
_IMAGE_PIXELS = 1 << 40


def inspect(task: InspectTask) -> Inspected:
    """Raises OcrError for what can't be looked into: not found, encrypted without its password, damaged."""
    path, kind = glance(task.source)
    report = _inspect_pdf(path, task.source) if kind == "pdf" else _inspect_image(path, kind)
    return Inspected({"file": task.source.path, "type": kind, "bytes": path.stat().st_size, **report})


def _inspect_pdf(path: Path, source: Source) -> dict[str, Any]:
    document = _load(path, source.password)
    try:
        listed = range(1, min(len(document), MAX_LISTED_PAGES) + 1)
        return {
            "pages": len(document),
            "encrypted": pdfium.is_encrypted(document),
            "signed": pdfium.is_signed(document),
            "form": _FORMS.get(document.get_formtype(), "none"),
            "page_list": [_pdf_page(document, number) for number in listed],
        }
    finally:
        document.close()


def _load(path: Path, password: str | None) -> Any:
    try:
        return pdfium.load(path, password, path.name)
    except pdfium.PdfiumError:
        # Only damaged files pay for qpdf.
        from ocr_worker.engines.pdf_file import open_pdf

        opened = open_pdf(path, password)
        if not opened.pages:
            raise NoPagesError(f"{path.name} has no pages; save it again from its program") from None
        return opened.rendering


def _pdf_page(document: Any, number: int) -> dict[str, Any]:
    try:
        page = pdfium.load_page(document, number)
    except pdfium.PdfiumError:
        return {"width_points": 0.0, "height_points": 0.0, "has_text": False}
    width, height = page.get_size()
    shown = {
        "width_points": round(width, 2),
        "height_points": round(height, 2),
        "has_text": pdfium.has_text(page),
    }
    page.close()
    return shown


def _inspect_image(path: Path, kind: str) -> dict[str, Any]:
    from ocr_worker.engines import pictures

    with pictures.opened(path, kind, _IMAGE_PIXELS) as image:
        pages = [_frame(image, path, number) for number in range(1, pictures.count_frames(image) + 1)]
    return {
        "pages": len(pages),
        "encrypted": False,
        "signed": False,
        "form": "none",
        "page_list": pages[:MAX_LISTED_PAGES],
    }


def _frame(image: Any, path: Path, number: int) -> dict[str, Any]:
    from ocr_worker.engines import pictures

    pictures.select_frame(image, path, number, _IMAGE_PIXELS)
    dpi, _ = pictures.resolution(image)
    width, height = image.size[::-1] if pictures.exif_orientation(image) >= 5 else image.size
    return {
        "width_points": round(width * 72 / dpi, 2),
        "height_points": round(height * 72 / dpi, 2),
        "has_text": False,
    }
