"""What lies in the streams of a PDF, and how much of it is there: viewers make do with what there is of a torn one.

Cheap enough for every page: pictures are measured by their last row or their own lengths, not drawn.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, NamedTuple

import pikepdf
from pikepdf import Array

from ocr_worker.engines.pdf import unpacking
from ocr_worker.engines.pdf.unpacking import (
    MOST_BYTES,
    MOST_CODES_BYTES,
    PIECEMEAL,
    Filter,
    TornError,
    Unpacked,
    number,
    spelled,
)

_MOST_FOREIGN_BYTES = 1 << 20
"""What qpdf, which knows no limit, is given to unpack."""
_LITTLE = 0.1
"""Of a content's packed bytes: if more can't be read, much is lost."""
_COLOURS = {
    "/DeviceGray": 1, "/CalGray": 1, "/Indexed": 1, "/Separation": 1, "/G": 1, "/I": 1,
    "/DeviceRGB": 3, "/CalRGB": 3, "/Lab": 3, "/RGB": 3, "/DeviceCMYK": 4, "/CMYK": 4,
}  # fmt: skip
_PNG_PREDICTORS = range(10, 16)
_DRAWING_ENDS = {
    b"Q", b"ET", b"EMC", b"EX", b"Do", b"sh", b"EI", b"S", b"s", b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"n",
}  # fmt: skip
_TEXT_BRACKETS = re.compile(rb"(?<![^\s\])>])(BT|ET)(?!\S)")
_FORGIVEN_ROWS = 2
_FAX_COLUMNS = 1728
_FAX_2D, _FAX_FILLED = 1, 4


class Content(NamedTuple):
    """What a content stream holds."""

    data: bytes
    breaks_off: bool = False
    """What comes after is not in the file."""
    is_open: bool = False
    """It breaks off in the midst of drawing something."""
    passed_over: str = ""
    """A filter that nobody knows: what the others leave may be a content, or nothing of the kind."""


class Held(NamedTuple):
    """Of a picture."""

    share: float
    """1 when all of it is there, and where that can't be told."""
    is_foreign: bool = False
    """It is of a kind that nobody here can decode."""
    is_damaged: bool = False
    """All of it is there, but not as it was."""
    instead: bytes | None = None
    """A JPEG put right as PDFium would not, to draw the page with."""
    is_vague: bool = False
    """It says no colours or size, or false ones: each viewer makes something else of that."""


def content(stream: Any) -> Content:
    """What a content stream holds, or the beginning of much. Raises TornError when much of it is lost."""
    if not isinstance(stream, pikepdf.Stream):
        raise TornError
    packed, filters = unpacking.raw(stream), unpacking.filters(stream)
    unknown = [one.name for one in filters if not unpacking.is_known(one)]
    if unknown:
        left = unpacking.undone(packed, [one for one in filters if unpacking.is_known(one)])
        return Content(left.content, passed_over=unknown[0])
    found = unpacking.undone(packed, filters)
    if found.rest:
        return Content(b"")
    drawn = found.content
    if any(number(one.settings, "/Predictor", 1) > 1 for one in filters):
        drawn = _unpacked_by_qpdf(stream) if len(packed) <= _MOST_FOREIGN_BYTES else b""
    if found.is_ended:
        return Content(drawn)
    if found.left > _LITTLE * len(packed) or (packed and not found.content):
        raise TornError
    return Content(drawn, breaks_off=True, is_open=_is_open(drawn))


def is_crypted(stream: Any) -> bool:
    """By a filter that leaves all as it is, and that PDFium does not know."""
    return any(one.name == "/Crypt" for one in unpacking.filters(stream))


def _is_open(drawn: bytes) -> bool:
    """Whether something was begun and not drawn when the content broke off."""
    tokens = drawn[-64:].split()
    brackets = _TEXT_BRACKETS.findall(drawn)
    return not tokens or tokens[-1] not in _DRAWING_ENDS or bool(brackets and brackets[-1] == b"BT")


def _unpacked_by_qpdf(stream: Any) -> bytes:
    try:
        unpacked: bytes = stream.read_bytes()
    except (pikepdf.PdfError, RuntimeError, ValueError) as error:
        raise TornError from error
    return unpacked


def held(image: Any) -> Held:
    """How much of an image's rows its stream holds."""
    try:
        filters = unpacking.filters(image)
        front = unpacking.undone(unpacking.raw(image), filters[:-1])
        if front.rest or front.is_beginning:
            return Held(1.0)
        return _held(image, front.content, filters[-1] if filters else None)
    except TornError:
        return Held(0.0)


def _held(image: Any, packed: bytes, last: Filter | None) -> Held:
    match last.name if last else "":
        case "/DCTDecode":
            return _with_colours(image, packed, _jpeg(packed, _size(image)))
        case "/JPXDecode":
            return _jpx(packed, _size(image))
        case "/JBIG2Decode":
            from ocr_worker.engines.pdf import coded_lengths

            shared = last.settings.get("/JBIG2Globals") if last and last.settings is not None else None
            return Held(min(coded_lengths.jbig2_share(packed), _shared(shared)))
        case "/CCITTFaxDecode":
            return Held(_fax(packed, _size(image), last.settings if last else None))
        case name if last and name in PIECEMEAL:
            return Held(_piece_by_piece(last, packed, _due(image)))
        case _:
            found = unpacking.undone(packed, [last] if last else [])
            return Held(1.0 if found.rest or found.is_beginning else _measured(found, _due(image)))


def _with_colours(image: Any, packed: bytes, found: Held) -> Held:
    """PDFium counts on three colours where none are said, and on those that are said where the JPEG has others."""
    if image.get("/ImageMask", False) or not found.share or says_colours_of(image, packed):
        return found
    return found._replace(instead=found.instead or packed, is_vague=True)


def says_colours_of(image: Any, packed: bytes) -> bool:
    """As many as the JPEG has, or what can't be told."""
    # Late, as are all readers of pictures of one kind: most pages have none of it.
    from ocr_worker.engines.images import jpeg_stream

    space, layout = image.get("/ColorSpace"), jpeg_stream.layout(packed)
    if space is None:
        return False
    try:
        return layout is None or not layout.sampling or _colours(space) == len(layout.sampling)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return True


def _jpeg(packed: bytes, size: tuple[int, int]) -> Held:
    from ocr_worker.engines.images import headers, jpeg_damage, jpeg_stream

    found = jpeg_stream.layout(packed)
    if found is not None and found.size[0] * min(found.size[1], size[1]) > size[0] * size[1]:
        # Larger than it may be: nobody will decode it.
        return Held(1.0)
    if found is not None and not found.is_plain:
        return _foreign_jpeg(packed)
    right = jpeg_stream.put_right(packed, size)
    if right is None:
        return Held(0.0)
    share, is_damaged = jpeg_damage.look(right)
    whole = right.whole()
    if right.restart_interval and (is_damaged or share < 1):
        # At a false restart marker PDFium gives up, and others go on.
        with suppress(*headers.BROKEN):
            whole = jpeg_stream.plain(whole)
    return Held(share, is_damaged=is_damaged, instead=whole if whole != packed else None)


def _jpx(packed: bytes, size: tuple[int, int]) -> Held:
    """PDFium draws none whose size is not what is said."""
    from ocr_worker.engines.images import headers, jpeg_stream
    from ocr_worker.engines.pdf import coded_lengths

    share = coded_lengths.jpx_share(packed)
    if not share or coded_lengths.jpx_size(packed) in (None, size):
        return Held(share)
    try:
        return Held(share, instead=jpeg_stream.of_jpeg_2000(packed), is_vague=True)
    except headers.BROKEN:
        return Held(share)


def _foreign_jpeg(packed: bytes) -> Held:
    from ocr_worker.engines.images import headers, jpeg_stream

    try:
        return Held(1.0, instead=jpeg_stream.plain(packed))
    except headers.BROKEN:
        return Held(0.0, is_foreign=jpeg_stream.is_unknown(packed))


def _shared(stream: Any) -> float:
    """What several JBIG2 pictures have in common is there, or none of them is."""
    if not isinstance(stream, pikepdf.Stream):
        return 1.0
    return 1.0 if unpacking.unpacked(stream).is_ended else 0.0


def _fax(packed: bytes, size: tuple[int, int], settings: Any) -> float:
    from ocr_worker.engines.images import fax

    kind, columns = number(settings, "/K", 0), number(settings, "/Columns", _FAX_COLUMNS)
    aligned = bool(settings is not None and settings.get("/EncodedByteAlign", False))
    if (aligned and kind != 0) or not 0 < columns <= 65_535 or not size[1]:
        return 1.0
    if kind < 0:
        coding = fax.Coding(fax.GROUP_4)
    elif aligned:
        coding = fax.Coding(fax.RLE)
    else:
        coding = fax.Coding(fax.GROUP_3, _FAX_2D if kind > 0 else 0)
    held = fax.rows_held(packed, (columns, size[1]), coding)
    return 1.0 if held >= size[1] - _FORGIVEN_ROWS else held / size[1]


class _Due(NamedTuple):
    """Unpacked bytes of an image."""

    all: int
    row: int


def _piece_by_piece(last: Filter, packed: bytes, due: _Due | None) -> float:
    """Nothing is kept of what a large picture is unpacked to."""
    if not packed:
        return _share(0, due, is_ended=True)
    if last.name == "/LZWDecode" and len(packed) > MOST_CODES_BYTES:
        return 1.0
    pieces, size = PIECEMEAL[last.name](packed, last.settings), 0
    for piece in pieces:
        size += len(piece)
        if due is not None and size >= due.all:
            return 1.0
    return _share(size, due, is_ended=pieces.is_ended)


def _measured(found: Unpacked, due: _Due | None) -> float:
    return _share(len(found.content), due, is_ended=found.is_ended)


def _share(size: int, due: _Due | None, *, is_ended: bool) -> float:
    """Where nobody knows how much is due, all is there that comes to its end. Viewers forgive a last row."""
    if due is None:
        return 1.0 if is_ended else 0.0
    return 1.0 if size >= due.all - due.row else size / due.all


def _due(image: Any) -> _Due | None:
    """How much an image's rows take unpacked; None when that can't be told."""
    try:
        bits = 1 if image.get("/ImageMask", False) else int(image.BitsPerComponent)
        colours = _colours_of(image)
        settings = image.get("/DecodeParms")
        settings = settings[-1] if isinstance(settings, Array) else settings
        predictor = number(settings if isinstance(settings, pikepdf.Dictionary) else None, "/Predictor", 1)
        row = (int(image.Width) * bits * colours + 7) // 8 + (predictor in _PNG_PREDICTORS)
        return _Due(int(image.Height) * row, row)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return None


def due_bytes(image: Any) -> int | None:
    """How many its rows take unpacked; None when that can't be told."""
    due = _due(image)
    return due.all if due else None


def _size(image: Any) -> tuple[int, int]:
    try:
        return int(image.Width), int(image.Height)
    except (AttributeError, KeyError, TypeError, ValueError):
        return 0, 0


def colours_of(image: Any) -> int | None:
    """How many numbers a pixel has; None when that can't be told."""
    try:
        return _colours_of(image)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return None


def _colours_of(image: Any) -> int:
    return 1 if image.get("/ImageMask", False) else _colours(image.ColorSpace)


def _colours(space: Any) -> int:
    if not isinstance(space, Array):
        return _COLOURS[spelled(space)]
    match spelled(space[0]):
        case "/ICCBased":
            return int(space[1].N)
        case "/DeviceN":
            return len(space[1])
        case name:
            return _COLOURS[name]


__all__ = [
    "MOST_BYTES",
    "Content",
    "Held",
    "TornError",
    "colours_of",
    "content",
    "due_bytes",
    "held",
    "is_crypted",
    "says_colours_of",
]
