"""PDF pages as PDFium sees them: sizes, pictures, grey bitmaps. PDFium is not thread-safe: one process, one thread."""

from __future__ import annotations

import ctypes
import io
import itertools
import math
from array import array
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import repeat
from pathlib import Path
from typing import Any, BinaryIO

import pypdfium2
from PIL import Image
from pypdfium2 import raw

from ocr_worker.engines.pdf import passwords
from ocr_worker.errors import BadPasswordError, EncryptedError, OcrError

Sides = tuple[list[float], list[float], list[float], list[float]]
"""Left, bottom, right, top of several boxes, in user units."""
XFA_FULL = raw.FORMTYPE_XFA_FULL
MAX_PICTURES = 100
_MOST_LOOKED_AT = 20_000
_RECT_BYTES = 16
"""Of an FS_RECTF: left, top, right, bottom."""
_OWN_FILTERS = {"JPXDecode", "JBIG2Decode", "CCITTFaxDecode"}


class PdfiumError(Exception):
    """PDFium can't; something else may."""


def load(source: Path | BinaryIO | bytes, password: str | None, name: str) -> Any:
    """Open a document. Raises PdfiumError, EncryptedError, BadPasswordError."""
    if isinstance(source, Path):
        source = _openable(source)
    try:
        document = _opened(source, password)
    except pypdfium2.PdfiumError as error:
        if (refusal := _refusal(getattr(error, "err_code", None), password, name)) is not None:
            raise refusal from error
        raise PdfiumError(str(error)) from error
    if document.get_formtype() != raw.FORMTYPE_NONE:
        document.init_forms()
    return document


def _opened(source: Any, password: str | None) -> Any:
    """PDFium itself tries UTF-8 and Latin-1; SASLprep it does not know."""
    forms = [None] if password is None else passwords.forms(password)
    for number, form in enumerate(forms, 1):
        try:
            if isinstance(source, Path):
                return _named(source, form)
            return pypdfium2.PdfDocument(source, password=form, autoclose=True)
        except pypdfium2.PdfiumError as error:
            if getattr(error, "err_code", None) != raw.FPDF_ERR_PASSWORD or number == len(forms):
                raise
    raise AssertionError


def _named(path: Path, password: str | None) -> Any:
    """By this very name: pypdfium2 would ask where links lead, and open what lies there a moment later."""
    secret = None if password is None else password.encode("utf-8") + b"\0"
    handle = raw.FPDF_LoadDocument(str(path).encode("utf-8") + b"\0", secret)
    if raw.FPDF_GetPageCount(handle) < 1:
        code = raw.FPDF_GetLastError()
        raise pypdfium2.PdfiumError(f"PDFium can't open it (error {code})", err_code=code)
    return pypdfium2.PdfDocument(handle)


def rebuilt(document: Any) -> bytes:
    """The pages that it can load, in a new document. Raises PdfiumError."""
    target = io.BytesIO()
    try:
        with pypdfium2.PdfDocument.new() as fresh:
            for number in range(len(document)):
                with suppress(pypdfium2.PdfiumError):
                    fresh.import_pages(document, [number])
            fresh.save(target)
    except (pypdfium2.PdfiumError, ValueError, OSError) as error:
        raise PdfiumError(str(error)) from error
    return target.getvalue()


def is_signed(document: Any) -> bool:
    return bool(raw.FPDF_GetSignatureCount(document.raw) > 0)


def _openable(path: Path) -> Any:
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return path.open("rb")  # PDFium takes names in UTF-8 only
    return path


def _refusal(code: int | None, password: str | None, name: str) -> OcrError | None:
    if code == raw.FPDF_ERR_PASSWORD:
        return wrong_password(password, name)
    if code == raw.FPDF_ERR_SECURITY:
        return EncryptedError(f"{name} is encrypted for certain people by certificate; ask for an open copy")
    return None


def wrong_password(password: str | None, name: str) -> OcrError:
    if password:
        return BadPasswordError(f"The password given for {name} is not the right one; give another")
    return EncryptedError(f"{name} is protected by a password; give it (`passwords`)")


def page_size(document: Any, page: int) -> tuple[float, float]:
    """Width and height in PDFium's units; zeros for a page that is too damaged to tell."""
    try:
        width, height = document.get_page_size(page - 1)
    except pypdfium2.PdfiumError:
        return 0.0, 0.0
    return float(width), float(height)


def load_page(document: Any, page: int) -> Any:
    """Raises PdfiumError."""
    try:
        loaded = document[page - 1]
    except pypdfium2.PdfiumError as error:
        raise PdfiumError(str(error)) from error
    if 0 in loaded.get_size():
        # A crop box that lies beside the sheet shows nothing; the sheet does.
        loaded.set_cropbox(*loaded.get_mediabox())
    return loaded


def render(page: Any, dpi: float) -> Image.Image:
    """The displayed page in grey. Raises PdfiumError."""
    try:
        picture: Image.Image = page.render(scale=dpi / 72, grayscale=True).to_pil()
    except (pypdfium2.PdfiumError, RuntimeError, ValueError, OverflowError) as error:
        raise PdfiumError(str(error)) from error
    return picture


def paint(page: Any, dpi: float) -> Image.Image:
    """The page's own content in colour, or in grey where that is all of it; annotations stay what they are. Raises PdfiumError."""
    try:
        picture: Image.Image = page.render(scale=dpi / 72, may_draw_forms=False, draw_annots=False).to_pil()
    except (pypdfium2.PdfiumError, RuntimeError, ValueError, OverflowError) as error:
        raise PdfiumError(str(error)) from error
    red, green, blue = picture.convert("RGB").split()
    is_grey = red.tobytes() == green.tobytes() == blue.tobytes()
    return green if is_grey else picture.convert("RGB")


def sides(texts: Any, spans: Sequence[tuple[int, int]]) -> Sides:
    """Of the boxes around each span of a line's characters, in their order."""
    # Called for each character of a page: pypdfium2's own helpers and its checks of types would take ten times as long.
    start, end = spans[0][0], spans[-1][1]
    handle, found = (
        ctypes.cast(texts.raw, ctypes.c_void_p).value,
        array("f", bytes(_RECT_BYTES * (end - start))),
    )
    place, size = found.buffer_info()
    places = range(place, place + size * found.itemsize, _RECT_BYTES)
    told = list(map(_loose_box(), repeat(handle), range(start, end), places))
    values = found.tolist()
    lefts, tops, rights, bottoms = (values[side::4] for side in range(4))
    cuts = [slice(first - start, last - start) for first, last in spans]
    if all(told):
        return (
            [min(lefts[cut]) for cut in cuts], [min(bottoms[cut]) for cut in cuts],
            [max(rights[cut]) for cut in cuts], [max(tops[cut]) for cut in cuts],
        )  # fmt: skip
    known = [[number for number in range(cut.start, cut.stop) if told[number]] for cut in cuts]
    return (
        [min((lefts[number] for number in one), default=0.0) for one in known],
        [min((bottoms[number] for number in one), default=0.0) for one in known],
        [max((rights[number] for number in one), default=0.0) for one in known],
        [max((tops[number] for number in one), default=0.0) for one in known],
    )


@lru_cache(maxsize=1)
def _loose_box() -> Any:
    """FPDFText_GetLooseCharBox, for plain addresses."""
    address = ctypes.cast(raw.FPDFText_GetLooseCharBox, ctypes.c_void_p).value
    return ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(address or 0)


def page_inches(page: Any, user_unit: float) -> tuple[float, float]:
    width, height = page.get_size()
    return max(width, 1e-3) * user_unit / 72, max(height, 1e-3) * user_unit / 72


def images(page: Any) -> list[Any]:
    """The picture objects of a page, nested ones too; not more than it takes to know the page."""
    pictures = page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=8)
    return list(itertools.islice(pictures, MAX_PICTURES))


def is_decoded_by_pdfium_alone(image: Any) -> bool:
    """Whether nothing else here can tell if the picture is sound."""
    return not _OWN_FILTERS.isdisjoint(image.get_filters(skip_simple=True))


def is_jpeg_2000(image: Any) -> bool:
    return "JPXDecode" in image.get_filters(skip_simple=True)


def can_be_decoded(image: Any) -> bool:
    try:
        image.get_bitmap()
    except pypdfium2.PdfiumError:
        return False
    return True


def parts(page: Any) -> int:
    """How many objects the page draws, and annotations with them; what is nested counts as one."""
    return int(raw.FPDFPage_CountObjects(page.raw) + raw.FPDFPage_GetAnnotCount(page.raw))


def reaches_foot(page: Any) -> bool:
    """Whether anything is drawn in the last quarter of the page as it lies."""
    _, bottom, _, top = page.get_bbox()
    parts = itertools.islice(page.get_objects(max_depth=8), _MOST_LOOKED_AT)
    lowest = min((_bottom(part) for part in parts), default=top)
    return bool(lowest < bottom + (top - bottom) / 4)


def _bottom(part: Any) -> float:
    try:
        return float(part.get_bounds()[1])
    except pypdfium2.PdfiumError:
        return math.inf


def has_text(page: Any) -> bool:
    """Whether any text is on the page, hidden layers of an earlier OCR included."""
    texts = page.get_textpage()
    try:
        return (
            not texts.get_text_range(0, min(texts.count_chars(), 200)).isspace()
            if texts.count_chars()
            else False
        )
    finally:
        texts.close()
