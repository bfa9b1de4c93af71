"""The three calls that need no `Sidecar`: `ocr`, `read_page`, `inspect`."""

from __future__ import annotations

from collections.abc import Iterable

from typing_extensions import Unpack

from ocr_worker.files.paths import AnyPath
from ocr_worker.library.options import Options
from ocr_worker.library.pictures import Picture
from ocr_worker.library.sidecar import Sidecar
from ocr_worker.model.page import Page
from ocr_worker.model.results import BatchResult, Inspection


def ocr(files: AnyPath | Iterable[AnyPath], output_dir: AnyPath, **options: Unpack[Options]) -> BatchResult:
    """Turn PDFs and images into searchable PDFs, text and word boxes, and wait for the end.

    Args:
        files: paths of PDFs and images; a single path is one file.
        output_dir: where outputs go; made if missing.
        options: see `Options`.

    Returns:
        The files by `successful`, `failed` and `skipped`, with outputs, confidence (0 to 100) and errors.

    Raises:
        OcrError: nothing was started: no files, an invalid option, a language that is not installed, a folder that
            can't be written. Failures of single files are in the result.
        JobBrokenError: a bug or the state folder ended the run.
    """
    with Sidecar() as sidecar:
        job = sidecar.start(files, output_dir, **options)
        try:
            return job.result()
        except KeyboardInterrupt:
            job.cancel()
            raise


def read_page(
    image: AnyPath | bytes | Picture,
    page: int = 1,
    password: str | None = None,
    **options: Unpack[Options],
) -> Page:
    """Read one image, or one page of a file. Writes no outputs. For many pages, use a `Sidecar`.

    Args:
        image: a path, the bytes of an image or PDF, or a PIL image.
        page: of a file with several, from 1.
        password: of a protected PDF.
        options: those of `Options` that say how pages are read.

    Returns:
        The page: text, lines, and words with boxes in pixels of the upright page and confidence from 0 to 100.

    Raises:
        OcrError: the page can't be read; the message names the file.
    """
    with Sidecar(max_workers=1) as sidecar:
        return sidecar.read_page(image, page, password, **options)


def inspect(file: AnyPath, password: str | None = None) -> Inspection:
    """Say what a file is, without OCR: type by content, pages, sizes in points, encryption, signatures, forms.

    Args:
        file: a PDF or an image.
        password: of a protected PDF.

    Raises:
        OcrError: the file can't be inspected; the message names it.
    """
    with Sidecar(max_workers=1) as sidecar:
        return sidecar.inspect(file, password)
