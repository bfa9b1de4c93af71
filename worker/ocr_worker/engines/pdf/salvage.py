"""The last resorts for a PDF that qpdf refuses: what PDFium knows of it in a new file, or the page objects that lie about in it."""

from __future__ import annotations

import re
from pathlib import Path

import pikepdf

from ocr_worker.engines.pdf import packed_objects, pdfium, qpdf, torn_lock
from ocr_worker.errors import OcrError

_OBJECT = re.compile(rb"(?<![0-9])(\d{1,8}) 0 obj\b(.{0,4096}?)(?:endobj|stream\r?\n)", re.DOTALL)
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
TOO_LONG_BYTES = 512 << 20


Saved = tuple[pikepdf.Pdf, tuple[str, ...]]


def salvage(path: Path, password: str | None) -> Saved | None:
    """The pages that can still be had, with a warning that says so; None when there are none.

    Raises EncryptedError, BadPasswordError; CorruptError where an encrypted file lost its key.
    """
    if path.stat().st_size > TOO_LONG_BYTES:
        return None
    content = path.read_bytes()
    if torn_lock.is_there(content):
        content = torn_lock.opened(content, password, path.name)
        content += packed_objects.unpacked(content)
        saved = _with_objects(content) or _gathered(content)
        return (saved[0], (torn_lock.DECRYPTED, *saved[1])) if saved else None
    if password:
        return None
    packed = packed_objects.unpacked(content)
    if packed and (whole := _with_objects(content + packed)):
        return whole
    gathered = _gathered(content + packed)
    rebuilt = _rebuilt(path)
    if gathered is None or rebuilt is None:
        return gathered or rebuilt
    # Of pages whose content is gone PDFium says nothing.
    more = len(rebuilt[0].pages) > len(gathered[0].pages)
    return rebuilt if more and all("/Contents" in page.obj for page in rebuilt[0].pages) else gathered


def _rebuilt(path: Path) -> Saved | None:
    """By PDFium; not of a signed document, as nobody could tell any more that it was."""
    try:
        document = pdfium.load(path, None, path.name)
        try:
            pages = len(document)
            if not pages or pdfium.is_signed(document):
                return None
            pdf = qpdf.load(pdfium.rebuilt(document), None, path.name)
        finally:
            document.close()
    except (pdfium.PdfiumError, qpdf.QpdfError, OcrError):
        return None
    # Of what it can't read PDFium makes empty pages.
    if not any("/Contents" in page.obj for page in pdf.pages):
        return None
    return pdf, (
        (
            f"The file's structure is damaged and was rebuilt: {len(pdf.pages)} of {pages} pages could be read; "
            "bookmarks and forms are lost"
        ),
    )


def _with_objects(content: bytes) -> Saved | None:
    """All of the document, if it has its root."""
    pdf = _readable(content)
    return (pdf, (f"The file is damaged and was mended: {_pages(pdf)} could be read",)) if pdf else None


def is_locked_rubbish(pdf: pikepdf.Pdf, path: Path) -> bool:
    """Whether what qpdf mended is an encrypted file that it did not know as one."""
    if pdf.is_encrypted or path.stat().st_size > TOO_LONG_BYTES:
        return False
    return torn_lock.is_there(path.read_bytes()) and torn_lock.is_rubbish(pdf)


def _readable(content: bytes) -> pikepdf.Pdf | None:
    """The document without the pages that can't be read; None where that leaves none."""
    try:
        pdf = qpdf.load(content, None, "")
        _drop_unreadable(pdf)
    except (qpdf.QpdfError, OcrError):
        return None
    return pdf if len(pdf.pages) else None


def _pages(pdf: pikepdf.Pdf) -> str:
    return f"{len(pdf.pages)} page{'s' * (len(pdf.pages) != 1)}"


def _gathered(content: bytes) -> Saved | None:
    """Under a new page tree."""
    numbers = [int(found[1]) for found in _OBJECT.finditer(content) if _PAGE.search(found[2])]
    if not numbers:
        return None
    pdf = _readable(content + _new_tree(list(dict.fromkeys(numbers)), content))
    return (
        (pdf, (f"The file is damaged and its page tree lost: {_pages(pdf)} could be recovered",))
        if pdf
        else None
    )


def _new_tree(numbers: list[int], content: bytes) -> bytes:
    first = max((int(found[1]) for found in _OBJECT.finditer(content)), default=0) + 1
    kids = b" ".join(b"%d 0 R" % number for number in numbers)
    return (
        b"\nendstream\nendobj\n%d 0 obj\n<</Type/Pages/Count %d/Kids[%s]>>\nendobj\n"
        % (first, len(numbers), kids)
        + b"%d 0 obj\n<</Type/Catalog/Pages %d 0 R>>\nendobj\n" % (first + 1, first)
        + b"trailer\n<</Root %d 0 R/Size %d>>\nstartxref\n0\n%%%%EOF\n" % (first + 1, first + 2)
    )


def _drop_unreadable(pdf: pikepdf.Pdf) -> None:
    """Pages whose content was in the part that is gone would only read as blank."""
    for number in reversed(range(len(pdf.pages))):
        page = pdf.pages[number].obj
        if "/Contents" in page and page.Contents is None:
            del pdf.pages[number]
        else:
            page.Parent = pdf.Root.Pages
