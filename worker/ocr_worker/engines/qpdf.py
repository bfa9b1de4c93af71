"""A PDF's structure through pikepdf (qpdf): opening, mending, what forbids work, boxes, the one image of a scanned page."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
from PIL import Image

from ocr_worker.engines import pictures
from ocr_worker.engines.pdfium import wrong_password
from ocr_worker.errors import CorruptError, EncryptedError

BEGINNING_BYTES = 1 << 20
_DRAWN = re.compile(rb"(/[^\s/()<>\[\]{}%#]+)\s+Do\b")
"""The names of objects that a content stream draws; those with escapes are left out."""


class QpdfError(Exception):
    """qpdf can't; something else may."""


def load(source: Path | bytes, password: str | None, name: str) -> pikepdf.Pdf:
    """Open a document. Raises QpdfError, EncryptedError, BadPasswordError, CorruptError for a looping page tree."""
    # Never memory-mapped: a file that shrinks under a map kills the process.
    options: dict[str, Any] = {"password": password or "", "access_mode": pikepdf.AccessMode.stream}
    try:
        # A stream: a path that is not UTF-8 is refused.
        pdf = pikepdf.open(io.BytesIO(source) if isinstance(source, bytes) else source.open("rb"), **options)
        len(pdf.pages)
    except pikepdf.PasswordError as error:
        raise wrong_password(password, name) from error
    except (pikepdf.PdfError, RuntimeError, ValueError, OSError) as error:
        if "Loop detected" in str(error):
            raise CorruptError(f"The page tree of {name} runs in circles; save the document again") from error
        if "encryption filter" in str(error) or "unsupported encryption" in str(error).lower():
            raise EncryptedError(
                f"{name} is encrypted in a way that only its maker's program knows; ask for an open copy"
            ) from error
        raise QpdfError(str(error)) from error
    return pdf


def mended_copy(pdf: pikepdf.Pdf) -> bytes:
    """The document as qpdf understands it, written anew and unencrypted."""
    target = io.BytesIO()
    try:
        # What is packed stays so: it may be a bomb.
        pdf.save(target, compress_streams=False)
    except (pikepdf.PdfError, RuntimeError) as error:
        raise QpdfError(str(error)) from error
    return target.getvalue()


def needs_xfa(pdf: pikepdf.Pdf) -> bool:
    """A dynamic XFA form has no pages of its own, only a note to open it elsewhere."""
    return bool(pdf.Root.get("/NeedsRendering", False))


def is_signed(pdf: pikepdf.Pdf) -> bool:
    return any("/V" in field for field in _signature_fields(pdf))


def drop_signatures(pdf: pikepdf.Pdf) -> None:
    """Make an honest unsigned copy: fields stay, empty, and nothing claims to be signed any more."""
    for field in _signature_fields(pdf):
        if "/V" in field:
            del field["/V"]
    form = pdf.Root.get("/AcroForm")
    if isinstance(form, pikepdf.Dictionary) and "/SigFlags" in form:
        del form["/SigFlags"]
    for key in ("/Perms", "/DSS"):
        if key in pdf.Root:
            del pdf.Root[key]


def _signature_fields(pdf: pikepdf.Pdf) -> list[Any]:
    form = pdf.Root.get("/AcroForm")
    found: list[Any] = []
    queue = _kids(form, "/Fields") if isinstance(form, pikepdf.Dictionary) else []
    seen: set[tuple[int, int]] = set()
    while queue:
        field = queue.pop()
        if not isinstance(field, pikepdf.Dictionary) or (field.is_indirect and field.objgen in seen):
            continue
        seen.add(field.objgen)
        queue += _kids(field, "/Kids")
        if field.get("/FT") == pikepdf.Name.Sig:
            found.append(field)
    return found


def _kids(parent: Any, key: str) -> list[Any]:
    kids = parent.get(key)
    return list(kids) if isinstance(kids, pikepdf.Array) else []


def missing_part(pdf: pikepdf.Pdf, page: int) -> str:
    """What a page names but the file does not hold, or holds unreadable; empty when nothing is missing."""
    sheet = pdf.pages[page - 1]
    # Of a name whose object is gone, `in` and `keys` say that it is not there; `items` has it with None.
    entries: Any = sheet.obj.items()
    if ("/Contents", None) in entries:
        return "its content is missing"
    contents = sheet.obj.get("/Contents", pikepdf.Array())
    parts = [_beginning(part) for part in (contents if isinstance(contents, pikepdf.Array) else [contents])]
    if None in parts:
        return "its content can't be read"
    drawn = {name for part in parts for name in _DRAWN.findall(part or b"")}
    return "a picture is missing" if drawn - _object_names(sheet) else ""


def _object_names(sheet: pikepdf.Page) -> set[bytes]:
    resources: Any = sheet.resources
    objects = resources.get("/XObject") if isinstance(resources, pikepdf.Dictionary) else None
    found: Any = objects.items() if isinstance(objects, pikepdf.Dictionary) else ()
    return {name.encode("utf-8", "surrogateescape") for name, drawable in found if drawable is not None}


def _beginning(stream: Any) -> bytes | None:
    """The first of what a stream holds (it may be a bomb); None when it can't be unpacked."""
    if not isinstance(stream, pikepdf.Stream):
        return None
    content = stream.read_raw_bytes()
    try:
        match stream.get("/Filter"):
            case None:
                return content[:BEGINNING_BYTES]
            case pikepdf.Name.FlateDecode:
                return zlib.decompressobj().decompress(content, BEGINNING_BYTES)
            case _:
                return b""
    except zlib.error:
        return None


@dataclass(frozen=True, slots=True)
class EmbeddedImage:
    """The stream of an image that can be decoded as it lies in the file."""

    jpeg: bytes

    def decode(self) -> Image.Image:
        """The luma of the JPEG, 8-bit grey. Raises CorruptError when it is damaged or cut short."""
        try:
            with Image.open(io.BytesIO(self.jpeg), formats=["JPEG"]) as picture:
                picture.draft("L", picture.size)
                grey: Image.Image = picture.convert("L")
        except pictures.BROKEN as error:
            raise CorruptError(
                "its picture is damaged or cut short; get the file again, or scan it anew"
            ) from error
        return grey


def sole_jpeg(pdf: pikepdf.Pdf, page: int, size: tuple[int, int]) -> EmbeddedImage | None:
    """The page's only image, where it is a plain grey or RGB JPEG: decoding that is several times faster than rendering."""
    image = _sole_image(pdf.pages[page - 1].obj.get("/Resources"))
    return (
        EmbeddedImage(image.read_raw_bytes()) if image is not None and _is_plain_jpeg(image, size) else None
    )


def plain_image(pdf: pikepdf.Pdf, page: int, size: tuple[int, int]) -> Any:
    """The page's only image, where the page has nothing else that could change how it looks; otherwise None."""
    resources: Any = pdf.pages[page - 1].obj.get("/Resources")
    image = _sole_image(resources)
    if image is None or not set(resources.keys()) <= {"/XObject", "/ProcSet"}:
        return None
    return image if (image.get("/Width"), image.get("/Height")) == size else None


def _sole_image(resources: Any) -> Any:
    """The one stream that a page can draw, if it is an image."""
    objects = resources.get("/XObject") if isinstance(resources, pikepdf.Dictionary) else None
    streams = (
        [x for x in objects.values() if isinstance(x, pikepdf.Stream)]
        if isinstance(objects, pikepdf.Dictionary)
        else []
    )
    return streams[0] if len(streams) == 1 and streams[0].get("/Subtype") == pikepdf.Name.Image else None


def _is_plain_jpeg(image: Any, size: tuple[int, int]) -> bool:
    filters = image.get("/Filter")
    if filters != pikepdf.Name.DCTDecode and filters != pikepdf.Array([pikepdf.Name.DCTDecode]):
        return False
    if any(key in image for key in ("/SMask", "/Mask", "/Decode", "/DecodeParms", "/ImageMask")):
        return False
    colours = image.get("/ColorSpace")
    plain = colours in (pikepdf.Name.DeviceGray, pikepdf.Name.DeviceRGB)
    if isinstance(colours, pikepdf.Array) and len(colours) == 2 and colours[0] == pikepdf.Name.ICCBased:
        plain = colours[1].get("/N") in (1, 3)
    return plain and (image.get("/Width"), image.get("/Height")) == size
