"""What of a page's text and pictures is displayed. A file may hold text that nobody sees: only what is seen counts.

Most of it is told by an object's own values. What only drawing can tell (light text, text under something, text in
a form) is drawn small, with it and without it: where no pixel changes, there is nothing to see.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import pypdfium2
from PIL import Image, ImageChops
from pypdfium2 import raw

from ocr_worker.engines.images.filters import is_flat
from ocr_worker.engines.pdf.geometry import (
    IDENTITY,
    Box,
    Matrix,
    area,
    bounds,
    clipped,
    common,
    holds,
    is_empty,
    is_within,
    matrix_of,
    pixels,
    placed,
    points,
    times,
    union_area,
)
from ocr_worker.engines.pdf.ink import (
    PATTERN_FILL,
    TINY_POINTS,
    Colour,
    fill,
    has_ink,
    has_named_font,
    is_filled,
    is_masked,
    is_shaped,
    is_tiny,
    letters_in,
    seen_by_ink,
)

MAX_OBJECTS = 20_000
"""After so many objects a page counts as looked at: a map or a plan. What text it has beyond counts as displayed."""
MAX_PAIRS = 200_000
"""So many pairs of a text and what may cover it are compared."""
MAX_PICTURES = 2_000
MAX_COVERS = 2_000
MAX_GROUNDS = 32
"""Of one colour."""
SCAN_SHARE = 0.5
"""Of the page, at least, is the picture of a scan."""
_VOID_SAMPLES = 4
_MOST_FONTS = 8
HEM = 0.0025
"""Of a picture's longer side: clips that were rounded take as much off, where no print stands."""
KINDS_OF_LETTERS = 10
"""By their width and height."""
_DEPTH = 40
"""PDFium draws no form that lies deeper in others."""
_MOST_SHOWN_THROUGH = 8
SEEN_LEVELS = 12
"""Grey levels by which a pixel changes where text is seen: that of a watermark changes more."""
LETTERS_SHARE = 0.1
"""Of the box of a line, at least, are letters."""
LARGE_GLYPH = 0.01
"""Of the page, for each character: so large a glyph may be a scan, or a strip of one."""
MARKS_OF_A_LETTER = 6
"""A line through a letter meets less ink so often; through a line of print, or across a page of it, more."""
_TEST_DPI, _MOST_TEST_PIXELS = 75, 4_000_000
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class Picture(NamedTuple):
    """An image as a page draws it."""

    bounds: Box
    """Left, bottom, right, top in user units."""
    shown: Box
    """What is left of them within the page and what clips the image; no area for none."""
    size: tuple[int, int]
    """Pixels."""
    across: float
    down: float
    """Its sides on the page in user units, however it is turned."""
    is_upright: bool
    """Neither turned nor mirrored."""
    is_plain: bool
    """Neither clipped nor transparent."""
    may_be_flat: bool = False
    """A fill, of which a pattern, a mask or a blend may make a picture."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a page is made of, as far as it matters for recognition."""

    visible_characters: int
    hidden_characters: int
    """Of text in the invisible mode, or under a picture: a layer of an earlier OCR."""
    images: tuple[Picture, ...]
    others: int
    """Objects that are neither text nor image."""
    image_bytes: int = 0
    """What the images take in the file, packed as they are."""
    text: str = ""
    """What is displayed, in reading order; line breaks are PDFium's."""
    texts: Any = None
    """PDFium's text of the page, for the places of its characters."""
    layer: str = ""
    """What is hidden."""
    covered: bool = False
    """Whether some of what is hidden lies under a picture, or has a font without ink: it is not to be taken off."""
    letters: int = 0
    """About so many may be drawn as shapes, as of print that was turned into outlines."""
    shown: tuple[Any, ...] = ()
    """PDFium's objects of the text that is displayed."""
    hidden: tuple[Any, ...] = ()
    unseen: tuple[Any, ...] = ()
    pictured: tuple[Any, ...] = ()
    """Those whose glyphs are pictures of print, whatever letters they are said to be."""
    unseen_text: str = ""
    has_true_layer: bool = False
    """What is hidden was found to be what is seen."""
    blots: tuple[Box, ...] = ()
    """Plain shapes over a hidden layer: what it says there was taken off the page."""
    shapes: tuple[Box, ...] = ()
    """Places of what is filled, and no picture."""


@dataclass(slots=True)
class _Text:
    """A piece of text, and what became of it."""

    handle: Any
    box: Box
    order: int
    mode: int
    nested: bool
    state: str = "seen"
    """seen, hidden, unseen, pictured; doubtful, covered or void until it was drawn."""
    covered: bool = False
    is_layer: bool = False
    """Covered by pictures alone, as the text that was read from them."""


class _Cover(NamedTuple):
    """Something filled."""

    handle: Any
    box: Box
    order: int
    """Its place in the order of drawing."""
    is_picture: bool


@dataclass(slots=True)
class _Finds:
    """What has been met on a page."""

    texts: list[_Text] = field(default_factory=list)
    images: list[Picture] = field(default_factory=list)
    covers: list[_Cover] = field(default_factory=list)
    """What may hide text that was drawn before it, or be shown through it."""
    others: int = 0
    letters: int = 0
    grounds: dict[Colour, list[Box]] = field(default_factory=dict)
    """Places that are filled with a colour: text of the same on them is not seen."""
    shapes: set[tuple[int, int]] = field(default_factory=set)
    """Widths and heights of what may be letters, in half units."""
    stored: int = 0
    count: int = 0


def survey(page: Any) -> Content:
    """Look through the objects of a page, nested ones too."""
    finds = _Finds()
    frame: Box = tuple(page.get_bbox())
    _walk(finds, (page.raw, raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject), IDENTITY, frame, 0)
    _find_covered(finds)
    _find_inkless(page, finds)
    _find_void(page, finds)
    _look(page, finds)
    blots = _find_blotted(page, finds)
    _find_pictured(page, finds)
    unseen, hidden, shown, pictured = (
        tuple(text.handle for text in finds.texts if text.state == state)
        for state in ("unseen", "hidden", "seen", "pictured")
    )
    layer = _text_without(page, shown + unseen + pictured) if hidden else ""
    unseen_text = _text_without(page, shown + hidden + pictured) if unseen else ""
    # The marks of a chart are all alike.
    letters = finds.letters if len(finds.shapes) >= KINDS_OF_LETTERS else 0
    with without(hidden + unseen + pictured):
        texts = page.get_textpage()
        text = whole_text(texts)
    return Content(
        _count(text), _count(layer), tuple(finds.images), finds.others, finds.stored, text, texts, layer,
        any(text.covered for text in finds.texts if text.state == "hidden"), letters, shown, hidden, unseen,
        pictured, unseen_text, blots=blots, shapes=tuple(cover.box for cover in finds.covers if not cover.is_picture),
    )  # fmt: skip


def _text_without(page: Any, handles: tuple[Any, ...]) -> str:
    with without(handles):
        return whole_text(page.get_textpage())


def drawn_text(content: Content) -> str:
    """What is displayed in fonts that are made of drawings."""
    others = tuple(part for part in content.shown if has_named_font(part))
    if not others:
        return content.text
    return _text_without(content.texts.page, others + content.hidden + content.unseen + content.pictured)


def with_layer(page: Any, content: Content) -> tuple[str, Any]:
    """What is displayed and what is hidden, as one text, with PDFium's object for it."""
    if not content.hidden:
        return content.text, content.texts
    with without(content.unseen + content.pictured):
        texts = page.get_textpage()
        return whole_text(texts), texts


@contextmanager
def without(handles: tuple[Any, ...]) -> Iterator[None]:
    """The page as if it had not these objects."""
    for handle in handles:
        raw.FPDFPageObj_SetIsActive(handle, 0)
    try:
        yield
    finally:
        for handle in handles:
            raw.FPDFPageObj_SetIsActive(handle, 1)


def plain_places(page: Any, shapes: tuple[Box, ...]) -> tuple[Box, ...]:
    """Those of these shapes that hide all under them, and show nothing themselves, on the page with its annotations."""
    drawn = _drawn(page, with_annotations=True) if shapes else None
    return tuple(box for box in shapes if _is_plain(drawn, box, page, hem=1))


def covered_share(images: tuple[Picture, ...], page: Any) -> float:
    """How much of the displayed page the images cover together."""
    whole = area(page.get_bbox())
    boxes = [image.shown for image in images if not is_empty(image.shown)]
    return union_area(boxes) / whole if whole > 0 else 0.0


def _walk(finds: _Finds, owner: tuple[Any, Any, Any], matrix: Matrix, clip: Box, depth: int) -> None:
    handle, count, get = owner
    for number in range(count(handle)):
        if finds.count >= MAX_OBJECTS:
            return
        finds.count += 1
        part = get(handle, number)
        match raw.FPDFPageObj_GetType(part):
            case raw.FPDF_PAGEOBJ_TEXT:
                finds.texts.append(_text(part, finds, matrix, clip, depth))
            case raw.FPDF_PAGEOBJ_IMAGE:
                _take_image(part, finds, matrix, clip)
            case raw.FPDF_PAGEOBJ_FORM if depth < _DEPTH:
                inside = (part, raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject)
                _walk(finds, inside, times(matrix_of(part), matrix), clipped(part, matrix, clip), depth + 1)
            case kind:
                finds.others += 1
                _count_letters(part, finds)
                if len(finds.covers) < MAX_COVERS and (kind == raw.FPDF_PAGEOBJ_SHADING or is_filled(part)):
                    _take_fill(part, finds, matrix, clip)


def _text(part: Any, finds: _Finds, matrix: Matrix, clip: Box, depth: int) -> _Text:
    box = placed(bounds(part), matrix)
    shown = common(box, clipped(part, matrix, clip))
    text = _Text(part, shown, finds.count, raw.FPDFTextObj_GetTextRenderMode(part), depth > 0)
    if text.mode == raw.FPDF_TEXTRENDERMODE_INVISIBLE:
        text.state = "hidden"
    elif is_empty(box):
        # Blanks, or a font that says that its glyphs have no size: that of drawn ones often does.
        text.state = "seen"
    elif is_empty(shown) or is_tiny(part, box, matrix):
        text.state = "unseen"
    else:
        colour = fill(part)
        text.state = seen_by_ink(part, text.mode, colour)
        # A form shows no more than its box, which PDFium does not tell.
        if text.state == "seen" and (depth or _is_on_its_colour(shown, colour, finds)):
            text.state = "doubtful"
    return text


def _is_on_its_colour(box: Box, colour: Colour | None, finds: _Finds) -> bool:
    grounds = finds.grounds.get(colour, []) if colour else []
    return any(all(holds(point, ground) for point in points(box)) for ground in grounds)


def _take_image(part: Any, finds: _Finds, matrix: Matrix, clip: Box) -> None:
    if len(finds.images) >= MAX_PICTURES:
        return
    a, b, c, d, *_ = placement = times(matrix_of(part), matrix)
    bounds = placed((0.0, 0.0, 1.0, 1.0), placement)
    inner = clipped(part, matrix, clip)
    width, height = ctypes.c_uint(), ctypes.c_uint()
    raw.FPDFImageObj_GetImagePixelSize(part, width, height)
    shown = common(bounds, inner)
    # PDFium tells of no text that clips.
    clipped_by_text = any(text.mode >= raw.FPDF_TEXTRENDERMODE_FILL_CLIP for text in finds.texts)
    plain = not (clipped_by_text or raw.FPDFPageObj_HasTransparency(part) or is_shaped(part))
    across, down = math.hypot(a, b), math.hypot(c, d)
    upright = a > 0 and d > 0 and abs(b) < 1e-3 * a and abs(c) < 1e-3 * d
    whole = is_within(common(bounds, clip), inner, HEM * max(across, down))
    size = width.value, height.value
    finds.images.append(Picture(bounds, shown, size, across, down, upright, plain and whole))
    finds.covers.append(_Cover(part, shown, finds.count, is_picture=True))
    finds.stored += raw.FPDFImageObj_GetImageDataRaw(part, None, 0)


def _count_letters(part: Any, finds: _Finds) -> None:
    if letters := letters_in(part):
        left, bottom, right, top = bounds(part)
        finds.letters += letters
        # A shape of many letters counts as so many kinds.
        finds.shapes |= {(round(2 * (right - left)), round(2 * (top - bottom)) + at) for at in range(letters)}


def _take_fill(part: Any, finds: _Finds, matrix: Matrix, clip: Box) -> None:
    box, colour = placed(bounds(part), matrix), fill(part)
    is_picture = colour == PATTERN_FILL or is_masked(part)
    finds.covers.append(_Cover(part, box, finds.count, is_picture))
    grounds = finds.grounds.setdefault(colour, []) if colour else []
    # Rules hold no text.
    if len(grounds) < MAX_GROUNDS and min(box[2] - box[0], box[3] - box[1]) >= TINY_POINTS:
        grounds.append(box)
    if is_picture and len(finds.images) < MAX_PICTURES:
        shown = common(box, clipped(part, matrix, clip))
        made = Picture(box, shown, (0, 0), 0.0, 0.0, is_upright=False, is_plain=False, may_be_flat=True)
        finds.images.append(made)


def _find_covered(finds: _Finds) -> None:
    """Text that lies within something that is drawn later may be hidden by it."""
    if len(finds.texts) * len(finds.covers) > MAX_PAIRS:
        return
    last = finds.covers[-1].order if finds.covers else 0
    for text in finds.texts:
        if text.order < last and text.state in ("seen", "doubtful"):
            over = [cover for cover in finds.covers if cover.order > text.order]
            text.covered = _lies_under(text, [cover.box for cover in over])
            text.is_layer = text.covered and _lies_under(
                text, [cover.box for cover in over if cover.is_picture]
            )
            if text.covered and text.state == "seen":
                text.state = "covered"


def _lies_under(text: _Text, boxes: list[Box]) -> bool:
    return all(any(map(partial(holds, point), boxes)) for point in points(text.box))


def _find_inkless(page: Any, finds: _Finds) -> None:
    """Letters that have no size may be drawn all the same. Where nothing of their font is, they are a layer, or nothing."""
    sizeless = [text for text in finds.texts if text.state == "seen" and is_empty(text.box)]
    if not sizeless:
        return
    texts, fonts = page.get_textpage(), dict[int, list[_Text]]()
    for text in sizeless:
        if _says_something(text.handle, texts):
            fonts.setdefault(ctypes.addressof(raw.FPDFTextObj_GetFont(text.handle).contents), []).append(text)
    before = _drawn(page) if fonts else None
    for written in list(fonts.values())[:_MOST_FONTS]:
        with without(tuple(text.handle for text in written)):
            after = _drawn(page)
        if before and after and ImageChops.difference(before, after).getbbox() is None:
            for text in written:
                text.state, text.covered = ("hidden", True) if _is_scan(page, finds) else ("unseen", False)


def _is_scan(page: Any, finds: _Finds) -> bool:
    largest = max((area(picture.shown) for picture in finds.images), default=0.0)
    return largest >= SCAN_SHARE * area(page.get_bbox())


def _find_void(page: Any, finds: _Finds) -> None:
    """Fonts of some OCR layers have no ink. Only on a scan is that looked for, and first at a few texts."""
    seen = [text for text in finds.texts if text.state == "seen"]
    if not seen or not _is_scan(page, finds):
        return
    samples = {seen[at * (len(seen) - 1) // (_VOID_SAMPLES - 1)].order: None for at in range(_VOID_SAMPLES)}
    if not all(has_ink(text.handle, page) for text in seen if text.order in samples):
        for text in seen:
            text.state = "seen" if has_ink(text.handle, page) else "void"


def _look(page: Any, finds: _Finds) -> None:
    """Draw what is doubtful, and see."""
    groups = [
        [text for text in finds.texts if text.state in ("covered", "void")],
        [text for text in finds.texts if text.state == "doubtful" and not text.nested],
        [text for text in finds.texts if text.state == "doubtful" and text.nested],
    ]
    if not any(groups):
        return
    before = _drawn(page)
    for texts in filter(None, groups):
        with without(tuple(text.handle for text in texts)):
            after = _drawn(page)
        change = ImageChops.difference(before, after) if before and after else None
        for text in texts:
            if change is None or _changes(change, pixels(text.box, page, change.size)):
                text.state = "seen"
            elif text.state == "void":
                text.state, text.covered = "hidden", True
            else:
                # What a plain shape covers, or a picture without print, was taken off the page by somebody.
                is_layer = text.state == "covered" and text.is_layer and not _is_plain(before, text.box, page)
                text.state = "hidden" if is_layer else "unseen"
    _look_through(page, finds, before)


def _find_blotted(page: Any, finds: _Finds) -> tuple[Box, ...]:
    """Plain shapes that were drawn over a hidden layer: what lies wholly under them is none."""
    hidden = [text for text in finds.texts if text.state == "hidden" and not is_empty(text.box)]
    shapes = [cover for cover in finds.covers if not cover.is_picture]
    if not hidden or not shapes or len(hidden) * len(shapes) > MAX_PAIRS:
        return ()
    over = [
        shape.box
        for shape in shapes
        if any(text.order < shape.order and not is_empty(common(text.box, shape.box)) for text in hidden)
    ]
    drawn = _drawn(page) if over else None
    # Their edges may lie within a pixel.
    blots = tuple(box for box in over if _is_plain(drawn, box, page, hem=1))
    for text in hidden if blots else ():
        if _lies_under(text, list(blots)):
            text.state = "unseen"
    return blots


def _look_through(page: Any, finds: _Finds, before: Image.Image | None) -> None:
    """Text that only clips is seen where something that is drawn later shows through it, and nowhere else."""
    clips = [text for text in finds.texts if text.mode == raw.FPDF_TEXTRENDERMODE_CLIP]
    later = [cover for cover in finds.covers if clips and cover.order > clips[0].order]
    for cover in later[:_MOST_SHOWN_THROUGH]:
        with without((cover.handle,)):
            after = _drawn(page)
        if before is None or after is None:
            return
        change = ImageChops.difference(before, after)
        boxes = [pixels(text.box, page, change.size) for text in clips]
        through = [text for text, box in zip(clips, boxes, strict=True) if _is_written(change, box)]
        for left, top, right, bottom in boxes:
            change.paste(0, (left - 1, top - 1, right + 1, bottom + 1))
        if not _changes(change, (0, 0, *change.size)):
            for text in through:
                text.state = "seen"


def _find_pictured(page: Any, finds: _Finds) -> None:
    """Fonts may be made of drawings, and a glyph may be a scan: it is a picture, not a letter."""
    least = LARGE_GLYPH * area(page.get_bbox())
    large = [
        text
        for text in finds.texts
        if text.state == "seen" and area(text.box) >= least and not has_named_font(text.handle)
    ]
    if not large:
        return
    texts = page.get_textpage()
    counted = [(text, _characters(text.handle, texts)) for text in large]
    counted = [(text, count) for text, count in counted if area(text.box) >= least * count]
    before = _drawn(page)
    with without(tuple(text.handle for text, _ in counted)):
        after = _drawn(page)
    if before is None or after is None:
        return
    # Late, as few pages have such glyphs.
    from ocr_worker.engines.images.ink import most_marks

    change = ImageChops.difference(before, after)
    for text, count in counted:
        marks = most_marks(change.crop(pixels(text.box, page, change.size)))
        if marks >= MARKS_OF_A_LETTER * count:
            text.state = "pictured"
            finds.others += 1
            finds.images.append(
                Picture(text.box, text.box, (0, 0), 0.0, 0.0, is_upright=False, is_plain=False)
            )
        elif not marks:
            text.state = "unseen"


def _characters(text: Any, texts: Any) -> int:
    """As many as it is said to have, at least one."""
    return max(1, int(raw.FPDFTextObj_GetText(text, texts.raw, None, 0)) // 2 - 1)


def _says_something(text: Any, texts: Any) -> bool:
    """More than blanks."""
    size = raw.FPDFTextObj_GetText(text, texts.raw, None, 0)
    said = (ctypes.c_ushort * (size // 2 + 1))()
    raw.FPDFTextObj_GetText(text, texts.raw, said, size)
    return bool(bytes(said).decode("utf-16-le", "replace").strip("\0 \t\r\n"))


def _drawn(page: Any, *, with_annotations: bool = False) -> Image.Image | None:
    width, height = page.get_size()
    scale = min(_TEST_DPI / 72, math.sqrt(_MOST_TEST_PIXELS / max(1.0, width * height)))
    try:
        bitmap = page.render(scale=scale, grayscale=True, draw_annots=with_annotations, may_draw_forms=False)
        picture: Image.Image = bitmap.to_pil()
    except (pypdfium2.PdfiumError, RuntimeError, ValueError, OverflowError):
        return None
    return picture


def _changes(change: Image.Image, box: tuple[int, int, int, int]) -> bool:
    if box[0] >= box[2] or box[1] >= box[3]:
        return False
    _, most = change.crop(box).getextrema()
    return isinstance(most, int | float) and most >= SEEN_LEVELS


def _is_plain(drawn: Image.Image | None, box: Box, page: Any, hem: int = 0) -> bool:
    """Whether nothing is seen in this place."""
    left, top, right, bottom = pixels(box, page, drawn.size) if drawn else (0, 0, 0, 0)
    place = left + hem, top + hem, right - hem, bottom - hem
    if drawn is None or place[0] >= place[2] or place[1] >= place[3]:
        return False
    return is_flat(drawn.crop(place), SEEN_LEVELS)


def _is_written(change: Image.Image, box: tuple[int, int, int, int]) -> bool:
    """Whether so much changes as letters take."""
    if box[0] >= box[2] or box[1] >= box[3]:
        return False
    levels = change.crop(box).histogram()
    return sum(levels[SEEN_LEVELS:]) >= LETTERS_SHARE * sum(levels)


def _count(text: str) -> int:
    return len("".join(text.split()))


def whole_text(texts: Any) -> str:
    """One character for each that PDFium counts: halves of a pair come one by one."""
    count, read, handle = texts.count_chars(), raw.FPDFText_GetUnicode, texts.raw
    if not count:
        return ""
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
