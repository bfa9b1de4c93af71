"""A PDF's structure through pikepdf (qpdf): opening, mending, what forbids work, boxes, the one image of a scanned page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pikepdf

from ocr_worker.engines.pdf import passwords, streams
from ocr_worker.engines.pdf.content_syntax import Corrected
from ocr_worker.engines.pdf.pdfium import wrong_password
from ocr_worker.engines.pdf.resource_slips import Change, changed
from ocr_worker.errors import CorruptError, EncryptedError

_UNKNOWN_ENCRYPTION = ("encryption filter", "unsupported encryption", "unsupported /r or /v")
"""How qpdf says that no password would help."""
_DEPTH = 50
_ENCRYPT_KEY, _RENAMED_KEY = re.compile(rb"/Encrypt(?![A-Za-z])"), b"/Encrypx"
_CHANGING = ("/SMask", "/Mask", "/Decode", "/DecodeParms", "/ImageMask", "/OC")
_OF_SO_MANY = {1: pikepdf.Name.DeviceGray, 3: pikepdf.Name.DeviceRGB, 4: pikepdf.Name.DeviceCMYK}
_DEFAULT_COLOURS = ("/DefaultGray", "/DefaultRGB")


class QpdfError(Exception):
    """qpdf can't; something else may."""


def load(source: Path | bytes, password: str | None, name: str) -> pikepdf.Pdf:
    """Open a document. Raises QpdfError, EncryptedError, BadPasswordError, CorruptError for a looping page tree."""
    try:
        pdf = _load_with_password(source, password, name)
        len(pdf.pages)
    except (pikepdf.PdfError, RuntimeError, ValueError, OSError) as error:
        if "Loop detected" in str(error):
            raise CorruptError(f"The page tree of {name} runs in circles; save the document again") from error
        if any(words in str(error).lower() for words in _UNKNOWN_ENCRYPTION):
            raise EncryptedError(
                f"{name} is encrypted in a way that only its maker's program knows; ask for an open copy"
            ) from error
        raise QpdfError(str(error)) from error
    return pdf


def _load_with_password(source: Path | bytes, password: str | None, name: str) -> pikepdf.Pdf:
    refusal: pikepdf.PasswordError | None = None
    for spelled in passwords.spellings(password):
        try:
            return _opened(source, spelled)
        except pikepdf.PasswordError as error:
            refusal = error
    raise wrong_password(password, name) from refusal


def _opened(source: Path | bytes, password: bytes = b"") -> pikepdf.Pdf:
    # A stream, as a path that is not UTF-8 is refused. Never memory-mapped: a file that shrinks under a map kills
    # the process.
    stream: Any = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    options: dict[str, Any] = {"password": password, "access_mode": pikepdf.AccessMode.stream}
    try:
        return pikepdf.open(stream, **options)
    except BaseException:
        stream.close()
        raise


def without_attachments(content: bytes) -> pikepdf.Pdf | None:
    """A document that only keeps what is attached to it secret, without that; None for any other."""
    # What is attached needs the password, the pages never did. The key alone is renamed: no place in the file moves.
    try:
        pdf = _opened(_ENCRYPT_KEY.sub(_RENAMED_KEY, content))
        key = _RENAMED_KEY.decode("ascii")
        rules = pdf.trailer.get(key)
        if not isinstance(rules, pikepdf.Dictionary) or not _is_open_but_for_files(rules):
            return None
        del pdf.trailer[key]
        _drop_files(pdf)
    except (pikepdf.PdfError, RuntimeError, ValueError, OSError):
        return None
    return pdf


def _is_open_but_for_files(rules: Any) -> bool:
    identity = pikepdf.Name.Identity
    others = (rules.get(key, identity) == identity for key in ("/StmF", "/StrF"))
    return rules.get("/V") in (4, 5, 6) and rules.get("/EFF", identity) != identity and all(others)


def _drop_files(pdf: pikepdf.Pdf) -> None:
    for part in pdf.objects:
        if isinstance(part, pikepdf.Dictionary) and "/EF" in part:
            del part["/EF"]
    names = pdf.Root.get("/Names")
    if isinstance(names, pikepdf.Dictionary) and "/EmbeddedFiles" in names:
        del names["/EmbeddedFiles"]


def mended_copy(pdf: pikepdf.Pdf) -> bytes:
    """The document as qpdf understands it, written anew and unencrypted."""
    target = io.BytesIO()
    try:
        # What is packed stays so: it may be a bomb.
        pdf.save(target, compress_streams=False)
    except (pikepdf.PdfError, RuntimeError) as error:
        raise QpdfError(str(error)) from error
    return target.getvalue()


def page_with(pdf: pikepdf.Pdf, page: int, jpegs: Sequence[tuple[Any, bytes]]) -> bytes:
    """A document of this page alone, with these JPEGs in their places. Raises QpdfError."""
    target, colours = io.BytesIO(), list(_of_their_jpegs(jpegs))
    try:
        with exchanged(jpegs, pikepdf.Name.DCTDecode), changed(colours), pikepdf.new() as single:
            single.pages.append(pdf.pages[page - 1])
            single.save(target, compress_streams=False)
    except (pikepdf.PdfError, RuntimeError) as error:
        raise QpdfError(str(error)) from error
    return target.getvalue()


def _of_their_jpegs(jpegs: Sequence[tuple[Any, bytes]]) -> Iterator[Change]:
    """Colours and sizes of pictures that say none, or others than their JPEGs."""
    from ocr_worker.engines.images import jpeg_stream

    for image, content in jpegs:
        found = jpeg_stream.layout(content)
        if found is None:
            continue
        name = _OF_SO_MANY.get(len(found.sampling))
        if name is not None and not streams.says_colours_of(image, content):
            yield Change(image, "/ColorSpace", name, "/ColorSpace")
        yield Change(image, "/Width", found.size[0], "/Width")
        yield Change(image, "/Height", found.size[1], "/Height")


@contextmanager
def exchanged(streams: Sequence[tuple[Any, bytes]], packing: Any = None) -> Iterator[None]:
    """These streams hold other data meanwhile: the document is used on, and that is not what is in its file."""
    kept = [
        (stream, stream.read_raw_bytes(), stream.get("/Filter"), stream.get("/DecodeParms"))
        for stream, _ in streams
    ]
    try:
        for stream, content in streams:
            stream.write(content, filter=packing)
        yield
    finally:
        for stream, content, filters, settings in kept:
            stream.write(content, filter=filters, decode_parms=settings)


@contextmanager
def with_contents(
    pdf: pikepdf.Pdf, page: int, contents: Mapping[Any, Corrected], changes: Sequence[Change]
) -> Iterator[None]:
    """A page and the forms that it draws, by their numbers, have these contents meanwhile; the page's own has no number."""
    forms = [(pdf.get_object(*key), right) for key, right in contents.items() if key is not None]
    boundless = [Change(form, "/BBox", None, "/BBox") for form, right in forms if right.is_boundless]
    own = contents.get(None)
    if own is not None:
        new = pdf.make_stream(own.content)
        changes = [*changes, Change(pdf.pages[page - 1].obj, "/Contents", new, own.sample)]
    with exchanged([(form, right.content) for form, right in forms]), changed([*changes, *boundless]):
        yield


def needs_xfa(pdf: pikepdf.Pdf) -> bool:
    """A dynamic XFA form has no pages of its own, only a note to open it elsewhere."""
    return bool(pdf.Root.get("/NeedsRendering", False))


def portfolio_files(pdf: pikepdf.Pdf) -> int:
    """How many files are in a portfolio, whose own page only says so; 0 for any other document."""
    return len(pdf.attachments) if isinstance(pdf.Root.get("/Collection"), pikepdf.Dictionary) else 0


def is_signed(pdf: pikepdf.Pdf) -> bool:
    permissions = pdf.Root.get("/Perms")
    certified = isinstance(permissions, pikepdf.Dictionary) and "/DocMDP" in permissions
    return certified or any(True for _ in _signatures(pdf))


def drop_signatures(pdf: pikepdf.Pdf) -> None:
    """Make an honest unsigned copy: fields stay, empty, and nothing claims to be signed any more."""
    for field in _signatures(pdf):
        del field["/V"]
    form = pdf.Root.get("/AcroForm")
    if isinstance(form, pikepdf.Dictionary) and "/SigFlags" in form:
        del form["/SigFlags"]
    for key in ("/Perms", "/DSS"):
        if key in pdf.Root:
            del pdf.Root[key]


def inherited(node: Any, key: str) -> Any:
    """What a page or a field has itself or from those above it; None without."""
    for _ in range(_DEPTH):
        if key in node or not isinstance(node.get("/Parent"), pikepdf.Dictionary):
            break
        node = node.Parent
    return node.get(key)


def _signatures(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Signature fields with a value, those too that only a page knows."""
    form = pdf.Root.get("/AcroForm")
    if not isinstance(form, pikepdf.Dictionary):
        return
    queue = [
        *_items(form, "/Fields"),
        *(widget for page in pdf.pages for widget in _items(page.obj, "/Annots")),
    ]
    seen: set[tuple[int, int]] = set()
    while queue:
        field = queue.pop()
        if not isinstance(field, pikepdf.Dictionary) or (field.is_indirect and field.objgen in seen):
            continue
        seen.add(field.objgen)
        queue += _items(field, "/Kids")
        if "/V" in field and inherited(field, "/FT") == pikepdf.Name.Sig:
            yield field


def _items(owner: Any, key: str) -> list[Any]:
    items = owner.get(key)
    return list(items) if isinstance(items, pikepdf.Array) else []


def shows_annotations(pdf: pikepdf.Pdf, page: int) -> bool:
    """Whether anything may be drawn on top of the page's content."""
    return any(map(_may_be_drawn, _items(pdf.pages[page - 1].obj, "/Annots")))


def _may_be_drawn(annotation: Any) -> bool:
    if not isinstance(annotation, pikepdf.Dictionary):
        return False
    # Viewers draw most kinds even without an appearance of their own, but not these.
    return "/AP" in annotation or annotation.get("/Subtype") not in (pikepdf.Name.Link, pikepdf.Name.Popup)


def sole_jpeg(pdf: pikepdf.Pdf, page: int, size: tuple[int, int]) -> tuple[bytes, int] | None:
    """The page's only image and its count of colours, where it is a plain grey or RGB JPEG: decoding that is several times faster than rendering."""
    resources: Any = inherited(pdf.pages[page - 1].obj, "/Resources")
    if isinstance(resources, pikepdf.Dictionary) and _redefines_colours(resources):
        return None
    image = _sole_image(resources)
    colours = _jpeg_colours(image, size) if image is not None else None
    return (image.read_raw_bytes(), colours) if colours else None


def _redefines_colours(resources: Any) -> bool:
    spaces = resources.get("/ColorSpace")
    return isinstance(spaces, pikepdf.Dictionary) and any(key in spaces for key in _DEFAULT_COLOURS)


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


def _jpeg_colours(image: Any, size: tuple[int, int]) -> int | None:
    """1 for grey, 3 for RGB; None for all that is shown otherwise than it is stored."""
    filters = image.get("/Filter")
    is_jpeg = filters in (pikepdf.Name.DCTDecode, pikepdf.Array([pikepdf.Name.DCTDecode]))
    if not is_jpeg or any(key in image for key in _CHANGING):
        return None
    if (image.get("/Width"), image.get("/Height")) != size:
        return None
    colours = image.get("/ColorSpace")
    if colours == pikepdf.Name.DeviceGray:
        return 1
    if colours == pikepdf.Name.DeviceRGB:
        return 3
    if isinstance(colours, pikepdf.Array) and len(colours) == 2 and colours[0] == pikepdf.Name.ICCBased:
        return _profile_colours(colours[1])
    return None


def _profile_colours(profile: Any) -> int | None:
    """Of a profile that is of the colours it says: 1 or 3."""
    if not isinstance(profile, pikepdf.Stream):
        return None
    try:
        kind = profile.read_bytes()[16:20]
    except (pikepdf.PdfError, RuntimeError):
        return None
    count = {b"GRAY": 1, b"RGB ": 3}.get(kind)
    return count if count == profile.get("/N") else None
