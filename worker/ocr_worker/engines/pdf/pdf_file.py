"""A PDF opened for work: by PDFium for what is seen and by qpdf for how it is built, mended where that takes mending."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pikepdf

from ocr_worker.engines.pdf import pdfium, qpdf
from ocr_worker.errors import BadPasswordError, CorruptError, EncryptedError, NoPagesError, OcrError

if TYPE_CHECKING:
    from ocr_worker.engines.pdf.salvage import Saved

FILES_LOCKED = (
    "What is attached to the file is protected by a password, and left out; give the password to keep it"
)
PROTECTION_LEFT_OUT = (
    "Its protection is damaged: it asks for no password and yet keeps readers out; it is left out"
)


@dataclass(frozen=True, slots=True)
class PdfFile:
    """A document, twice open."""

    structure: pikepdf.Pdf
    rendering: Any
    warnings: tuple[str, ...] = ()
    is_drawn_from_file: bool = False
    """Or from a copy in memory."""

    @property
    def pages(self) -> int:
        return len(self.structure.pages)

    def afresh(self, path: Path, password: str | None) -> PdfFile:
        """Without what PDFium has read: of a file it keeps every stream that a page needed until the document is closed."""
        if not self.is_drawn_from_file:
            return self
        try:
            rendering = pdfium.load(path, password, path.name)
        except pdfium.PdfiumError:
            return self
        self.rendering.close()
        return replace(self, rendering=rendering)

    def close(self) -> None:
        self.rendering.close()
        self.structure.close()


def open_pdf(path: Path, password: str | None) -> PdfFile:
    """Open, mend if need be. Raises CorruptError, NoPagesError, EncryptedError, BadPasswordError."""
    structure, warnings = open_structure(path, password)
    try:
        if not len(structure.pages):
            raise NoPagesError(f"{path.name} has no pages; save it again from its program")
        return _opened(path, password, structure, warnings)
    except OcrError:
        structure.close()
        raise


def open_structure(path: Path, password: str | None) -> tuple[pikepdf.Pdf, tuple[str, ...]]:
    """Raises CorruptError, EncryptedError, BadPasswordError."""
    try:
        pdf = qpdf.load(path, password, path.name)
    except qpdf.QpdfError as error:
        return _salvaged(path, password, error)
    except (EncryptedError, BadPasswordError):
        open_part = qpdf.without_attachments(path.read_bytes()) if _is_searchable(path) else None
        if open_part is None:
            raise
        return open_part, (FILES_LOCKED,)
    # qpdf mends as it reads; it has warned by now if it had to.
    mended = ("The file is damaged and was mended",) if pdf.get_warnings() else ()
    if mended and _is_locked_rubbish(pdf, path):
        pdf.close()
        return _salvaged(path, password, None)
    return pdf, tuple(
        f"{text}: {len(pdf.pages)} page{'s' * (len(pdf.pages) != 1)} could be read" for text in mended
    )


def _is_locked_rubbish(pdf: pikepdf.Pdf, path: Path) -> bool:
    # Late, as is all that files need which are damaged.
    from ocr_worker.engines.pdf import salvage

    return salvage.is_locked_rubbish(pdf, path)


def _salvaged(path: Path, password: str | None, error: Exception | None) -> Saved:
    from ocr_worker.engines.pdf import salvage

    saved = salvage.salvage(path, password)
    if saved is None:
        raise CorruptError(
            f"{path.name} is damaged beyond repair; get it again from where it came from"
        ) from error
    return saved


def _is_searchable(path: Path) -> bool:
    from ocr_worker.engines.pdf import salvage

    return path.stat().st_size <= salvage.TOO_LONG_BYTES


def _was_decrypted(warnings: tuple[str, ...]) -> bool:
    if not warnings:
        return False
    from ocr_worker.engines.pdf import torn_lock

    return torn_lock.DECRYPTED in warnings


def _opened(path: Path, password: str | None, structure: pikepdf.Pdf, warnings: tuple[str, ...]) -> PdfFile:
    """PDFium on the file itself; where it can't, or counts other pages, on a mended copy held in memory."""
    if _was_decrypted(warnings):
        return PdfFile(structure, _drawn_from_copy(path, structure), warnings)
    more: tuple[str, ...] = ("Its pages are drawn from a mended copy",)
    try:
        document = pdfium.load(path, password, path.name)
        if len(document) == len(structure.pages):
            return PdfFile(structure, document, warnings, is_drawn_from_file=True)
        document.close()
    except (EncryptedError, BadPasswordError):
        # qpdf opened it.
        more = () if password else (PROTECTION_LEFT_OUT,)
    except pdfium.PdfiumError:
        pass
    return PdfFile(structure, _drawn_from_copy(path, structure), (*warnings, *more))


def is_locked_by_damage(path: Path) -> bool:
    """Whether a file that qpdf opens without a password keeps PDFium, and most readers, out."""
    try:
        pdfium.load(path, None, path.name).close()
    except (EncryptedError, BadPasswordError):
        return True
    except pdfium.PdfiumError:
        return False
    return False


def _drawn_from_copy(path: Path, structure: pikepdf.Pdf) -> Any:
    try:
        return pdfium.load(qpdf.mended_copy(structure), None, path.name)
    except (pdfium.PdfiumError, qpdf.QpdfError) as error:
        raise CorruptError(
            f"{path.name} is too damaged to show its pages; get it again from where it came from"
        ) from error
