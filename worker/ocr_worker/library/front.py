"""One call each: a batch, a page, a look at a file. What they start ends with them."""

from __future__ import annotations

from collections.abc import Iterable

from typing_extensions import Unpack

from ocr_worker.files.paths import AnyPath
from ocr_worker.library.options import Options
from ocr_worker.library.sidecar import SavesPicture, Sidecar
from ocr_worker.model.page import Page
from ocr_worker.model.results import BatchResult, Inspection


def ocr(files: AnyPath | Iterable[AnyPath], output_dir: AnyPath, **options: Unpack[Options]) -> BatchResult:
    """Turn PDFs and images into searchable PDFs, text and word boxes; return when all of it is done.

    Args:
        files: paths of PDFs and images; a path alone is one file.
        output_dir: where outputs go; made if missing.
        options: see `Options`.

    Returns:
        How each file ended: `successful`, `failed` and `skipped`, with outputs, confidence (0 to 100) and errors.

    Raises:
        OcrError: nothing was begun: no files, a bad option, a language that is not installed, a folder that can't be
            written; or a fault ended the run (`JobBrokenError`). What befalls single files stands in the result.
    """
    with Sidecar() as sidecar:
        job = sidecar.start(files, output_dir, **options)
        try:
            return job.result()
        except KeyboardInterrupt:
            job.cancel()
            raise


def read_page(
    image: AnyPath | bytes | SavesPicture,
    page: int = 1,
    password: str | None = None,
    **options: Unpack[Options],
) -> Page:
    """Read one picture, or one page of a file, in memory: no job, no files. For many, keep a `Sidecar`.

    Args:
        image: a path, the bytes of an image or PDF, or a PIL image.
        page: of a file with several, from 1.
        password: of a protected PDF.
        options: those of `Options` that say how a page is read.

    Returns:
        The page: its text, lines, words with boxes in pixels of the upright page, and confidence from 0 to 100.

    Raises:
        OcrError: it can't be read; the message names it.
    """
    with Sidecar(max_workers=1) as sidecar:
        return sidecar.read_page(image, page, password, **options)


def inspect(file: AnyPath, password: str | None = None) -> Inspection:
    """Say what a file is, without recognition: type by content, pages, sizes in points, encryption, signatures, forms.

    Args:
        file: a PDF or an image.
        password: of a protected PDF.

    Raises:
        OcrError: it can't be looked into; the message names it.
    """
    with Sidecar(max_workers=1) as sidecar:
        return sidecar.inspect(file, password)
