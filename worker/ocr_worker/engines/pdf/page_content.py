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
from itertools import pairwise
from typing import Any

import pypdfium2
from PIL import Image, ImageChops
from pypdfium2 import raw

Box = tuple[float, float, float, float]
Matrix = tuple[float, float, float, float, float, float]
MAX_OBJECTS = 20_000
"""After so many objects a page counts as looked at: a map or a plan. What text it has beyond counts as displayed."""
MAX_PAIRS = 200_000
"""So many pairs of a text and what may cover it are compared."""
MAX_PICTURES = 400
MAX_COVERS = 2_000
_DEPTH = 8
_RECTANGLE = 5
"""Segments of its path."""
TINY_POINTS = 2.0
"""Print of this size nobody reads."""
FAINT_ALPHA = 8
PATTERN_FILL = (191, 191, 191, 255)
"""What PDFium gives for the colour of a pattern, which may be a picture."""
LIGHT_LEVEL = 215
"""Of 255: lighter text is drawn to see whether it can be seen."""
SEEN_LEVELS = 12
"""Grey levels by which a pixel changes where text is seen: that of a watermark changes more."""
_TEST_DPI, _MOST_TEST_PIXELS = 75, 4_000_000
_PLAIN_MODES = {raw.FPDF_TEXTRENDERMODE_FILL, raw.FPDF_TEXTRENDERMODE_FILL_STROKE}
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Picture:
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
    """Whether some of what is hidden lies under a picture."""
    shown: tuple[Any, ...] = ()
    """PDFium's objects of the text that is displayed."""
    hidden: tuple[Any, ...] = ()
    unseen: tuple[Any, ...] = ()


@dataclass(slots=True)
class _Text:
    handle: Any
    box: Box
    order: int
    mode: int
    nested: bool
    state: str = "seen"
    """seen, hidden, unseen; doubtful until it was drawn."""
    covered: bool = False


@dataclass(slots=True)
class _Finds:
    texts: list[_Text] = field(default_factory=list)
    images: list[Picture] = field(default_factory=list)
    covers: list[tuple[int, Box]] = field(default_factory=list)
    """What may hide text that was drawn before it, with its place in the order of drawing."""
    others: int = 0
    stored: int = 0
    count: int = 0


def survey(page: Any) -> Content:
    """Look through the objects of a page, nested ones too."""
    finds = _Finds()
    frame: Box = tuple(page.get_bbox())
    _walk(finds, (page.raw, raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject), _IDENTITY, frame, 0)
    _find_covered(finds)
    _look(page, finds)
    unseen, hidden, shown = (
        tuple(text.handle for text in finds.texts if text.state == state)
        for state in ("unseen", "hidden", "seen")
    )
    layer = ""
    if hidden:
        with without(shown + unseen):
            layer = whole_text(page.get_textpage())
    with without(hidden + unseen):
        texts = page.get_textpage()
        text = whole_text(texts)
    return Content(
        _count(text), _count(layer), tuple(finds.images), finds.others, finds.stored, text, texts, layer,
        any(text.covered for text in finds.texts if text.state == "hidden"), shown, hidden, unseen,
    )  # fmt: skip


def with_layer(page: Any, content: Content) -> tuple[str, Any]:
    """What is displayed and what is hidden, as one text, with PDFium's object for it."""
    if not content.hidden:
        return content.text, content.texts
    with without(content.unseen):
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


def covered_share(images: tuple[Picture, ...], page: Any) -> float:
    """How much of the displayed page the images cover together."""
    left, bottom, right, top = page.get_bbox()
    area = (right - left) * (top - bottom)
    boxes = [
        image.shown for image in images if image.shown[0] < image.shown[2] and image.shown[1] < image.shown[3]
    ]
    return union_area(boxes) / area if area > 0 else 0.0


def union_area(boxes: list[Box]) -> float:
    """Slab by slab between the edges: what lies one over the other counts once."""
    edges = sorted({edge for box in boxes for edge in (box[0], box[2])})
    total = 0.0
    for left, right in pairwise(edges):
        height, reached = 0.0, -math.inf
        for bottom, top in sorted((box[1], box[3]) for box in boxes if box[0] <= left and box[2] >= right):
            height += max(0.0, top - max(bottom, reached))
            reached = max(reached, top)
        total += height * (right - left)
    return total


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
                _walk(finds, inside, _times(_matrix(part), matrix), _clipped(part, matrix, clip), depth + 1)
            case kind:
                finds.others += 1
                if len(finds.covers) < MAX_COVERS and (kind == raw.FPDF_PAGEOBJ_SHADING or _is_filled(part)):
                    _take_fill(part, finds, matrix, clip)


def _text(part: Any, finds: _Finds, matrix: Matrix, clip: Box, depth: int) -> _Text:
    box = _placed(_bounds(part), matrix)
    shown = _common(box, _clipped(part, matrix, clip))
    text = _Text(part, shown, finds.count, raw.FPDFTextObj_GetTextRenderMode(part), depth > 0)
    if text.mode == raw.FPDF_TEXTRENDERMODE_INVISIBLE:
        text.state = "hidden"
    elif _is_empty(box):
        # Blanks, or a font that says that its glyphs have no size: that of drawn ones often does.
        text.state = "seen"
    elif _is_empty(shown) or _is_tiny(part, box, matrix):
        text.state = "unseen"
    else:
        text.state = _seen_by_ink(text)
    return text


def _seen_by_ink(text: _Text) -> str:
    fill = _fill(text.handle)
    if text.mode not in _PLAIN_MODES or fill is None:
        return "doubtful"
    red, green, blue, alpha = fill
    if alpha < FAINT_ALPHA and text.mode == raw.FPDF_TEXTRENDERMODE_FILL:
        return "unseen"
    light = 0.3 * red + 0.59 * green + 0.11 * blue > LIGHT_LEVEL
    doubtful = text.nested or light or raw.FPDFPageObj_HasTransparency(text.handle) or _is_shaped(text.handle)
    return "doubtful" if doubtful else "seen"


def _fill(part: Any) -> tuple[int, int, int, int] | None:
    red, green, blue, alpha = places = ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint()
    if not raw.FPDFPageObj_GetFillColor(part, *places):
        return None
    return red.value, green.value, blue.value, alpha.value


def _is_shaped(part: Any) -> bool:
    """Whether something clips the object that is no rectangle."""
    path = raw.FPDFPageObj_GetClipPath(part)
    counts = range(raw.FPDFClipPath_CountPaths(path))
    return any(raw.FPDFClipPath_CountPathSegments(path, number) > _RECTANGLE for number in counts)


def _take_image(part: Any, finds: _Finds, matrix: Matrix, clip: Box) -> None:
    if len(finds.images) >= MAX_PICTURES:
        return
    a, b, c, d, *_ = placement = _times(_matrix(part), matrix)
    bounds = _placed((0.0, 0.0, 1.0, 1.0), placement)
    inner = _clipped(part, matrix, clip)
    width, height = ctypes.c_uint(), ctypes.c_uint()
    raw.FPDFImageObj_GetImagePixelSize(part, width, height)
    shown = _common(bounds, inner)
    plain = not raw.FPDFPageObj_HasTransparency(part)
    across, down = math.hypot(a, b), math.hypot(c, d)
    upright = a > 0 and d > 0 and abs(b) < 1e-3 * a and abs(c) < 1e-3 * d
    whole = _is_within(_common(bounds, clip), inner)
    size = width.value, height.value
    finds.images.append(Picture(bounds, shown, size, across, down, upright, plain and whole))
    finds.covers.append((finds.count, shown))
    finds.stored += raw.FPDFImageObj_GetImageDataRaw(part, None, 0)


def _take_fill(part: Any, finds: _Finds, matrix: Matrix, clip: Box) -> None:
    box = _placed(_bounds(part), matrix)
    finds.covers.append((finds.count, box))
    if _fill(part) == PATTERN_FILL and len(finds.images) < MAX_PICTURES:
        shown = _common(box, _clipped(part, matrix, clip))
        finds.images.append(Picture(box, shown, (0, 0), 0.0, 0.0, is_upright=False, is_plain=False))


def _find_covered(finds: _Finds) -> None:
    """Text that lies within something that is drawn later may be hidden by it."""
    if len(finds.texts) * len(finds.covers) > MAX_PAIRS:
        return
    last = finds.covers[-1][0] if finds.covers else 0
    for text in finds.texts:
        if text.order < last and text.state in ("seen", "doubtful"):
            over = [box for order, box in finds.covers if order > text.order]
            text.covered = all(any(map(partial(_holds, point), over)) for point in _points(text.box))
            if text.covered and text.state == "seen":
                text.state = "covered"


def _look(page: Any, finds: _Finds) -> None:
    """Draw what is doubtful, and see."""
    groups = [
        [text for text in finds.texts if text.state == "covered"],
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
            else:
                text.state = "hidden" if text.state == "covered" else "unseen"


def _drawn(page: Any) -> Image.Image | None:
    width, height = page.get_size()
    scale = min(_TEST_DPI / 72, math.sqrt(_MOST_TEST_PIXELS / max(1.0, width * height)))
    try:
        bitmap = page.render(scale=scale, grayscale=True, draw_annots=False, may_draw_forms=False)
        picture: Image.Image = bitmap.to_pil()
    except (pypdfium2.PdfiumError, RuntimeError, ValueError, OverflowError):
        return None
    return picture


def _changes(change: Image.Image, box: tuple[int, int, int, int]) -> bool:
    if box[0] >= box[2] or box[1] >= box[3]:
        return False
    _, most = change.crop(box).getextrema()
    return isinstance(most, int | float) and most >= SEEN_LEVELS


def pixels(box: Box, page: Any, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Where a place of the page lies in its drawing of this size."""
    frame = page.get_bbox()
    wide, high = frame[2] - frame[0], frame[3] - frame[1]
    if not wide or not high:
        return 0, 0, 0, 0
    x0, x1 = (box[0] - frame[0]) / wide, (box[2] - frame[0]) / wide
    y0, y1 = (frame[3] - box[3]) / high, (frame[3] - box[1]) / high
    turned = {
        90: (1 - y1, x0, 1 - y0, x1),
        180: (1 - x1, 1 - y1, 1 - x0, 1 - y0),
        270: (y0, 1 - x1, y1, 1 - x0),
    }
    left, top, right, bottom = turned.get(page.get_rotation(), (x0, y0, x1, y1))
    width, height = size
    return (
        max(0, math.floor(left * width)), max(0, math.floor(top * height)),
        min(width, math.ceil(right * width)), min(height, math.ceil(bottom * height)),
    )  # fmt: skip


def _bounds(part: Any) -> Box:
    left, bottom, right, top = places = ctypes.c_float(), ctypes.c_float(), ctypes.c_float(), ctypes.c_float()
    if not raw.FPDFPageObj_GetBounds(part, *places):
        return 0.0, 0.0, 0.0, 0.0
    return left.value, bottom.value, right.value, top.value


def _matrix(part: Any) -> Matrix:
    found = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(part, found):
        return _IDENTITY
    return found.a, found.b, found.c, found.d, found.e, found.f


def _times(first: Matrix, then: Matrix) -> Matrix:
    if then == _IDENTITY:
        return first
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def _placed(box: Box, matrix: Matrix) -> Box:
    if matrix == _IDENTITY:
        return box
    a, b, c, d, e, f = matrix
    corners = [(a * x + c * y + e, b * x + d * y + f) for x in (box[0], box[2]) for y in (box[1], box[3])]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _clipped(part: Any, matrix: Matrix, clip: Box) -> Box:
    """What the object's own clips leave of where it may draw: the boxes around them."""
    path = raw.FPDFPageObj_GetClipPath(part)
    for number in range(raw.FPDFClipPath_CountPaths(path)):
        xs, ys, x, y = [], [], ctypes.c_float(), ctypes.c_float()
        for place in range(raw.FPDFClipPath_CountPathSegments(path, number)):
            raw.FPDFPathSegment_GetPoint(raw.FPDFClipPath_GetPathSegment(path, number, place), x, y)
            xs.append(x.value)
            ys.append(y.value)
        if xs:
            clip = _common(clip, _placed((min(xs), min(ys), max(xs), max(ys)), matrix))
    return clip


def _common(one: Box, other: Box) -> Box:
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def _is_empty(box: Box) -> bool:
    return box[0] >= box[2] or box[1] >= box[3]


def _points(box: Box) -> list[tuple[float, float]]:
    """Of a line of text: its middle, and near its ends."""
    middle, width = (box[1] + box[3]) / 2, box[2] - box[0]
    return [(box[0] + share * width, middle) for share in (0.5, 0.02, 0.98)]


def _holds(point: tuple[float, float], box: Box) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def _is_within(box: Box, around: Box) -> bool:
    slack = 0.5
    return (
        box[0] >= around[0] - slack
        and box[1] >= around[1] - slack
        and box[2] <= around[2] + slack
        and box[3] <= around[3] + slack
    )


def _is_tiny(part: Any, box: Box, matrix: Matrix) -> bool:
    """By the size of its font: a row of full stops is low, too."""
    if min(box[2] - box[0], box[3] - box[1]) >= TINY_POINTS:
        return False
    size = ctypes.c_float()
    # A font without a name is made of drawings: its size may be any number.
    is_named = raw.FPDFFont_GetBaseFontName(raw.FPDFTextObj_GetFont(part), None, 0) > 1
    if not is_named or not raw.FPDFTextObj_GetFontSize(part, size):
        return False
    _, _, c, d, *_ = _times(_matrix(part), matrix)
    return size.value * math.hypot(c, d) < TINY_POINTS and max(box[2] - box[0], box[3] - box[1]) > 0


def _is_filled(part: Any) -> bool:
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    is_drawn = raw.FPDFPath_GetDrawMode(part, mode, stroke)
    return bool(is_drawn and mode.value != raw.FPDF_FILLMODE_NONE)


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
