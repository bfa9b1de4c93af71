"""PDF pages as PDFium sees them: sizes, what is on them, grey bitmaps. PDFium is not thread-safe: one process, one thread."""

from __future__ import annotations

import ctypes
import io
import itertools
import math
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import pypdfium2
from PIL import Image
from pypdfium2 import raw

from ocr_worker.engines.pdf import passwords
from ocr_worker.errors import BadPasswordError, EncryptedError, OcrError

XFA_FULL = raw.FORMTYPE_XFA_FULL
MAX_PICTURES = 100
MAX_OBJECTS = 20_000
"""After so many objects a page counts as looked at."""
ENOUGH_CHARACTERS = 200
"""From here on it does not matter how many there are."""
_OWN_FILTERS = {"JPXDecode", "JBIG2Decode", "CCITTFaxDecode"}
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


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
            return pypdfium2.PdfDocument(source, password=form, autoclose=True)
        except pypdfium2.PdfiumError as error:
            if getattr(error, "err_code", None) != raw.FPDF_ERR_PASSWORD or number == len(forms):
                raise
    raise AssertionError


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
    return EncryptedError(
        f"{name} is protected by a password; give it (`passwords` of a batch, `password` of an inspection)"
    )


@dataclass(frozen=True, slots=True)
class Content:
    """What a page is made of, as far as it matters for recognition."""

    visible_characters: int
    hidden_characters: int
    images: tuple[tuple[float, float, float, float, int, int], ...]
    """Left, bottom, right, top in user units, and size in pixels, of each image."""
    others: int
    """Objects that are neither text nor image."""
    image_bytes: int = 0
    """What the images take in the file, packed as they are."""
    text: str = ""
    """In reading order; line breaks are PDFium's."""
    texts: Any = None
    """PDFium's text of the page, for the places of its characters."""


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


def survey(page: Any) -> Content:
    """Look through the objects of a page, nested ones too."""
    texts = page.get_textpage()
    visible = hidden = others = stored = 0
    images = []
    for count, part in enumerate(page.get_objects(max_depth=8)):
        if count >= MAX_OBJECTS:
            # A map or a plan: what text it has may come last.
            visible = max(visible, texts.count_chars() - hidden)
            break
        if part.type == raw.FPDF_PAGEOBJ_TEXT:
            if raw.FPDFTextObj_GetTextRenderMode(part.raw) == raw.FPDF_TEXTRENDERMODE_INVISIBLE:
                hidden += _text_length(part, texts, hidden)
            else:
                visible += _text_length(part, texts, visible)
        elif part.type == raw.FPDF_PAGEOBJ_IMAGE:
            images.append((*_bounds(part), *part.get_px_size()))
            stored += raw.FPDFImageObj_GetImageDataRaw(part.raw, None, 0)
        elif part.type != raw.FPDF_PAGEOBJ_FORM:
            others += 1
    text = _text(texts) if visible or hidden else ""
    return Content(visible, hidden, tuple(images), others, stored, text, texts)


def _text(texts: Any) -> str:
    """One character for each that PDFium counts: halves of a pair come one by one."""
    count, read, handle = texts.count_chars(), raw.FPDFText_GetUnicode, texts.raw
    buffer = (ctypes.c_ushort * (count + 1))()
    written = raw.FPDFText_GetText(handle, 0, count, buffer)
    bulk = bytes(buffer).decode("utf-16-le", "surrogatepass")
    if written != count + 1 or len(bulk) != count + 1:
        # PDFium leaves out what has no character, and the numbers would no longer be those of the boxes.
        return "".join(_character(read(handle, number)) for number in range(count))
    # Read whole, a hyphen at a line's end is another character than read alone: ASCII is the same in both.
    return _NOT_ASCII.sub(lambda found: _character(read(handle, found.start())), bulk[:count])


def _character(code: int) -> str:
    return chr(code) if code <= 0x10FFFF else "\ufffd"


def _text_length(part: Any, texts: Any, known: int) -> int:
    """How many characters are to be seen; beyond what anyone asks for, blanks count too."""
    size = raw.FPDFTextObj_GetText(part.raw, texts.raw, None, 0)
    if size <= 2 or known >= ENOUGH_CHARACTERS:
        return max(0, int(size) // 2 - 1)
    buffer = ctypes.create_string_buffer(size)
    raw.FPDFTextObj_GetText(part.raw, texts.raw, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return len("".join(buffer.raw[: size - 2].decode("utf-16-le", "replace").split()))


def _bounds(part: Any) -> tuple[float, float, float, float]:
    try:
        left, bottom, right, top = part.get_bounds()
    except pypdfium2.PdfiumError:
        return 0.0, 0.0, 0.0, 0.0
    return left, bottom, right, top


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


def boxes(texts: Any, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[float, float, float, float]]:
    """Around each span of the characters of `Content.text`: left, bottom, right, top in user units."""
    # Called for each character of a page: pypdfium2's own helpers and its checks of types would take ten times as long.
    read, rect = _loose_box(), raw.FS_RECTF()
    handle, target = ctypes.cast(texts.raw, ctypes.c_void_p), ctypes.addressof(rect)
    for start, end in spans:
        found = [
            (rect.left, rect.bottom, rect.right, rect.top)
            for number in range(start, end)
            if read(handle, number, target)
        ]
        lefts, bottoms, rights, tops = zip(*found, strict=True) if found else ((0.0,),) * 4
        yield min(lefts), min(bottoms), max(rights), max(tops)


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


def can_be_decoded(image: Any) -> bool:
    try:
        image.get_bitmap()
    except pypdfium2.PdfiumError:
        return False
    return True


def parts(page: Any) -> int:
    """How many objects the page draws, and annotations with them; what is nested counts as one."""
    return int(raw.FPDFPage_CountObjects(page.raw) + raw.FPDFPage_GetAnnotCount(page.raw))


def covered_share(image: tuple[float, float, float, float, int, int], page: Any) -> float:
    """How much of the displayed page an image covers."""
    left, bottom, right, top = page.get_bbox()
    width = min(image[2], right) - max(image[0], left)
    height = min(image[3], top) - max(image[1], bottom)
    area = math.fabs((right - left) * (top - bottom))
    return max(0.0, width) * max(0.0, height) / area if area else 0.0


def reaches_foot(page: Any) -> bool:
    """Whether anything is drawn in the last quarter of the page as it lies."""
    _, bottom, _, top = page.get_bbox()
    parts = itertools.islice(page.get_objects(max_depth=8), MAX_OBJECTS)
    lowest = min((_bounds(part)[1] for part in parts), default=top)
    return bool(lowest < bottom + (top - bottom) / 4)


def is_upright(page: Any) -> bool:
    """Whether the page's one image is drawn neither turned nor mirrored."""
    images = list(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=1))
    if len(images) != 1:
        return False
    a, b, c, d = (float(value) for value in images[0].get_matrix().get()[:4])
    return a > 0 and d > 0 and abs(b) < 1e-3 * a and abs(c) < 1e-3 * d


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
