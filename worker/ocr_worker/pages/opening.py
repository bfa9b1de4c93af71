"""The first look at a file: whether it may be processed at all, and how many pages it has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ocr_worker.engines.ocr.loaded import Engines
from ocr_worker.engines.pdf import pdfium, qpdf
from ocr_worker.engines.pdf.pdf_file import PdfFile
from ocr_worker.errors import SignedError, XfaError
from ocr_worker.model.tasks import Opened, OpenTask, PageSettings
from ocr_worker.pages.file_type import extension_warnings
from ocr_worker.pages.open_documents import Documents
from ocr_worker.pages.source_file import Look, look, require_unchanged

MOST_WEIGHT = 10**9
"""A damaged page may be said to be of any size."""
MAX_WEIGHED_PAGES = 5_000
USUAL_DPI = 300
"""Of a page whose pixels are yet to be drawn: it weighs as much as its scan would."""


def open_source(task: OpenTask, documents: Documents, engines: Engines, scratch: Path) -> Opened:
    """Raises the OcrError that tells why the file can't be processed."""
    seen = look(task.source)
    opened = _open_pdf(seen, task, documents) if seen.kind == "pdf" else _open_image(seen, task.settings)
    if task.settings.tells_language:
        # Late, as all else is opened without an engine.
        from ocr_worker.pages.language_choice import LanguageChoice
        from ocr_worker.pages.page import PageWork

        choice = LanguageChoice(PageWork(documents, engines), scratch)
        told = choice.of_file(replace(task.source, stamp=seen.stamp), seen.kind, opened.pages, task.settings)
        task = replace(task, settings=replace(task.settings, languages=told.languages))
        opened = replace(opened, languages=told.languages, warnings=(*opened.warnings, *told.warnings))
    require_unchanged(replace(task.source, stamp=seen.stamp))
    if not task.existing:
        return opened
    from ocr_worker.pages.up_to_date import is_up_to_date

    return replace(opened, up_to_date=is_up_to_date(task, seen, engines))


def _open_pdf(seen: Look, task: OpenTask, documents: Documents) -> Opened:
    pdf = documents.pdf(seen.path, task.source.password, seen.stamp)
    refuse_forbidden(pdf, seen.path.name, task.settings)
    weights = tuple(_weight(pdf, page) for page in range(1, min(pdf.pages, MAX_WEIGHED_PAGES) + 1))
    warnings = (*extension_warnings("pdf", seen.path), *pdf.warnings)
    if files := qpdf.portfolio_files(pdf.structure):
        warnings += (f"The file is a portfolio: the files in it ({files}) are not read, only its own pages",)
    return Opened(
        "pdf", pdf.pages, seen.sha256, seen.stamp, weights if pdf.pages <= MAX_WEIGHED_PAGES else (), warnings
    )


def refuse_forbidden(pdf: PdfFile, name: str, settings: PageSettings) -> None:
    if qpdf.needs_xfa(pdf.structure) or pdf.rendering.get_formtype() == pdfium.XFA_FULL:
        raise XfaError(
            f"{name} is a dynamic XFA form, which only Adobe's programs can show; print it to a PDF first"
        )
    if settings.signed == "refuse" and qpdf.is_signed(pdf.structure):
        raise SignedError(
            f"{name} is signed; a text layer would break that (`signed: unsigned_copy` makes a copy without)"
        )


def _weight(pdf: PdfFile, page: int) -> int:
    width, height = (points / 72 * USUAL_DPI for points in pdfium.page_size(pdf.rendering, page))
    return min(MOST_WEIGHT, max(1, round(width * height / 1000)))


def _open_image(seen: Look, settings: PageSettings) -> Opened:
    # Late, as PDFs are opened without it.
    from ocr_worker.engines.images import headers, image_files

    warnings = extension_warnings(seen.kind, seen.path)
    with image_files.opened(seen.path, seen.kind, settings.max_pixels) as image:
        pages, frames = image_files.count_pages(image, seen.path), headers.animation_frames(image)
        if image_files.breaks_off(image, seen.path):
            warnings += (f"The file is cut short: of its pages the first {pages} could be found",)
        if frames > 1:
            warnings += (f"An animation of {frames} frames: the first one is read",)
        if headers.resolution(image)[1] and not settings.dpi:
            warnings += (
                "The file states no usable resolution (dpi): it is estimated as if the page were A4",
            )
        weight = max(1, image.size[0] * image.size[1] // 1000)
    return Opened(seen.kind, pages, seen.sha256, seen.stamp, (weight,) * pages, warnings)
