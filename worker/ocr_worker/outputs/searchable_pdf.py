"""The searchable PDF: the original as it is, with a page's words as an invisible layer below its content.

The layer is drawn first, when the page's graphics state is still fresh: nothing of the original needs wrapping.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from itertools import count
from typing import TYPE_CHECKING, Any, BinaryIO

import pikepdf
from pikepdf import Array, Dictionary, Name

from ocr_worker.errors import CorruptError, InternalError, sayable
from ocr_worker.model.page import Page
from ocr_worker.outputs.modified import agreed_moment
from ocr_worker.outputs.page_resources import own_resources
from ocr_worker.outputs.pdf_geometry import rotation

if TYPE_CHECKING:
    from ocr_worker.outputs.text_forms import TextForms

LAYER = "/OcrSidecarLayer"
LAYERED = ("ok", "blank", "unread")
"""Pages that are not left as they are."""
_PICTURES = (Name.DCTDecode, Name.JPXDecode, Name.JBIG2Decode, Name.CCITTFaxDecode)


class LayerGrafter:
    """Puts layers on the pages of one PDF."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._pdf = pdf
        self._forms: TextForms | None = None
        self._calls: dict[str, Any] = {}

    def graft(self, page: Page) -> None:
        """Lay the words of a recognised page on it; pages that were left alone stay untouched."""
        if page.status not in LAYERED:
            return
        target = self._pdf.pages[page.number - 1]
        if page.hidden_text:
            # Late, as few pages have some.
            from ocr_worker.outputs.hidden_text import strip_hidden_text

            strip_hidden_text(self._pdf, target)
        if page.turned:
            target.obj.Rotate = (rotation(target) + page.turned) % 360
        if page.lines:
            # Late, as pages that keep their own text have no layer.
            from ocr_worker.outputs.text_forms import TextForms

            self._forms = self._forms or TextForms(self._pdf)
            self._draw_first(target, self._forms.form(target, page))

    def finish(self) -> None:
        if self._forms is not None:
            self._forms.complete()

    def _draw_first(self, target: pikepdf.Page, form: pikepdf.Stream) -> None:
        resources = own_resources(target)
        objects = resources.get("/XObject")
        # Copied by pikepdf: names that are not UTF-8 do not survive as Python's.
        resources.XObject = copy(objects) if isinstance(objects, Dictionary) else Dictionary()
        # An earlier layer of ours may have the name, and its call stays in the content.
        name = next(name for name in (f"{LAYER}{n}" for n in count(1)) if name not in resources.XObject)
        resources.XObject[name] = form
        contents = target.obj.get("/Contents")
        old = (
            list(contents)
            if isinstance(contents, Array)
            else [contents]
            if isinstance(contents, pikepdf.Stream)
            else []
        )
        target.obj.Contents = Array([self._call(name), *old])

    def _call(self, name: str) -> Any:
        """The same few bytes for every page."""
        if name not in self._calls:
            stream = pikepdf.Stream(self._pdf, f"q {name} Do Q\n".encode("ascii"))
            self._calls[name] = self._pdf.make_indirect(stream)
        return self._calls[name]


def save(pdf: pikepdf.Pdf, target: BinaryIO, encryption: Any) -> None:
    """Write the PDF into an empty file; packed streams are kept as they are."""
    try:
        try:
            _write(pdf, target, encryption, stamped=True)
        except (pikepdf.PdfError, RuntimeError, ValueError, TypeError):
            # Metadata so damaged that the version can't be noted there, is left as it is.
            target.seek(0)
            target.truncate()
            _write(pdf, target, encryption, stamped=False)
        target.flush()
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError) as error:
        raise CorruptError(
            f"The PDF is too damaged to be written again ({sayable(str(error))}); get the file again, or ask for txt and json alone"
        ) from error


def _write(pdf: pikepdf.Pdf, target: BinaryIO, encryption: Any, *, stamped: bool) -> None:
    pdf.save(
        target,
        encryption=encryption,
        fix_metadata_version=stamped,
        # To pack loose streams and lists of objects, qpdf packs anew whatever it can unpack. A stream of several
        # filters may be a bomb, on a page that has already failed for it.
        compress_streams=not any(map(_would_be_unpacked, pdf.objects)),
        recompress_flate=False,
        preserve_pdfa=stamped,
        linearize=pdf.is_linearized,
        # Of protected ones the ID is a part of the key.
        deterministic_id=not encryption and agreed_moment() is not None,
    )


def _would_be_unpacked(part: Any) -> bool:
    """Whether qpdf could unpack this stream and would: it knows no pictures, and leaves what Flate alone has packed."""
    if not isinstance(part, pikepdf.Stream):
        return False
    filters = part.get("/Filter")
    # Compared as they are: as text a name that is not UTF-8 can't be had.
    names = filters if isinstance(filters, Array) else [filters]
    return filters not in (None, Name.FlateDecode) and not any(name in _PICTURES for name in names)


def require_pages(written: BinaryIO, pages: int, passwords: Sequence[bytes]) -> None:
    """A PDF counts only once it has been opened again, by one of the passwords."""
    for number, password in enumerate(passwords, 1):
        written.seek(0)
        try:
            with pikepdf.open(written, password=password) as pdf:
                if len(pdf.pages) != pages:
                    raise InternalError(f"The PDF written has {len(pdf.pages)} pages where {pages} were due")
                return
        except pikepdf.PasswordError:
            if number == len(passwords):
                raise
