"""What a PDF page draws, followed through its content and forms, without drawing it: whether all of that is in the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pikepdf
from pikepdf import Array, Dictionary

from ocr_worker.engines.pdf import content_syntax, resource_slips, streams
from ocr_worker.engines.pdf.qpdf import inherited

if TYPE_CHECKING:
    from ocr_worker.engines.pdf.inline_images import InlineImage

_NAME, _BLANK = rb"(/[^\0\s/()<>\[\]{}%]*)", rb"(?:[\0\s]|%[^\r\n]*[\r\n])+"
_USED = re.compile(_NAME + _BLANK + rb"(Do|gs|scn|SCN)\b")
"""The names of objects that a content stream draws, or draws with."""
_FONTS = re.compile(_NAME + _BLANK + rb"[-+.\d]+" + _BLANK + rb"Tf\b")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_KINDS = {b"Do": "/XObject", b"gs": "/ExtGState", b"scn": "/Pattern", b"SCN": "/Pattern"}
_MOST_OBJECTS = 2_000
_MOST_DRAWINGS = 200_000
_MOST_DRAWINGS_EACH = 10
"""Of forms within forms: a few that draw each other several times make billions. A map draws as many symbols as it names."""
_FARTHEST = (1 << 31) - 1
_MARK = re.compile(rb"\b(?:BMC|BDC|(EMC))\b")
_MOST_MARKS = 10_000
"""One within the other: PDFium keeps all that are open with each of them, which takes the square of their number."""

_Key = tuple[int, int]


@dataclass(slots=True)
class Drawn:
    """What was found on the way."""

    images: list[Any] = field(default_factory=list)
    """Each once, and what masks it."""
    inline: list[InlineImage] = field(default_factory=list)
    """Images within a content."""
    gone: list[str] = field(default_factory=list)
    """Names of objects that are said to be in the file, and are not."""
    unknown: list[str] = field(default_factory=list)
    """Names that stand for nothing: mostly an oversight of the page's maker, and nobody misses it."""
    mended: list[tuple[Any, bytes]] = field(default_factory=list)
    """JPEGs that PDFium would not decode, and what to draw instead."""
    corrected: dict[_Key | None, content_syntax.Corrected] = field(default_factory=dict)
    """Contents that break the rules, as they were meant: the page's own has no key."""
    changes: list[resource_slips.Change] = field(default_factory=list)
    """What contents draw with, as it was meant."""
    breaks_off: bool = False
    """A content is not there to its end."""
    is_open: bool = False
    """It breaks off in the midst of drawing something."""
    is_endless: bool = False
    """Forms draw each other, or so many lie within each other, or marks do, that no drawing of it would end."""


def follow(pdf: pikepdf.Pdf, page: int) -> Drawn:
    """Raises TornError when a content, or much of it, can't be read."""
    sheet, drawn = pdf.pages[page - 1].obj, Drawn()
    entries: Any = sheet.items()
    if ("/Contents", None) in entries:
        raise streams.TornError
    contents = sheet.get("/Contents", Array())
    resources = inherited(sheet, "/Resources")
    walk = _Walk(drawn)
    parts = _parts(contents)
    walk.take(parts, resources, None)
    if isinstance(contents, Array) and len(parts) < len(contents):
        drawn.breaks_off = drawn.is_open = True
    walk.to_the_end()
    for appearance in _appearances(sheet):
        # Viewers pass over an annotation that they can't draw.
        with suppress(streams.TornError):
            walk.add(appearance, appearance.get("/Resources", resources), None, 1)
            walk.to_the_end()
    drawn.is_endless = walk.is_endless()
    return drawn


def _parts(contents: Any) -> list[Any]:
    """Those that are there, if any are: to qpdf `null` is the same as an object that is gone."""
    if not isinstance(contents, Array):
        return [contents]
    there: list[Any] = [part for part in contents if isinstance(part, pikepdf.Stream)]
    return there or list(contents)


def _content(part: Any, resources: Any) -> streams.Content:
    """What viewers can't make anything of, they pass over."""
    found = streams.content(part)
    if found.passed_over and found.data and not content_syntax.is_content(found.data, resources):
        return streams.Content(b"", breaks_off=True, is_open=True)
    return found


def _odd_filter(parts: list[Any], contents: list[streams.Content]) -> str:
    """One that leaves all as it is, or that nobody knows; empty where there is none."""
    unknown = [content.passed_over for content in contents if content.passed_over]
    return next(iter(unknown), "/Crypt" if any(map(streams.is_crypted, parts)) else "")


def fault(pdf: pikepdf.Pdf, page: int) -> str | None:
    """What in the page's own content breaks the rules, if anything does."""
    sheet = pdf.pages[page - 1].obj
    resources = inherited(sheet, "/Resources")
    try:
        parts = [_content(part, resources).data for part in _parts(sheet.get("/Contents", Array()))]
    except streams.TornError:
        return None
    return content_syntax.fault(parts, resources)


def is_endless(pdf: pikepdf.Pdf, page: int) -> bool:
    """Whether no library may be let draw the page."""
    try:
        return follow(pdf, page).is_endless
    except streams.TornError:
        return False


def _is_boundless(form: Any) -> bool:
    """Whether its box is not of numbers, or of such as no viewer counts to: to some it has none then, to others it is empty."""
    box = form.get("/BBox")
    return isinstance(box, Array) and (len(box) < 4 or not all(map(_is_side, list(box)[:4])))


def _is_side(value: Any) -> bool:
    return isinstance(value, int | Decimal) and abs(float(value)) <= _FARTHEST


def _depth_of_marks(data: bytes) -> int:
    """At least so deep do marks lie within each other."""
    if data.count(b"BMC") + data.count(b"BDC") <= _MOST_MARKS:
        return 0
    depth = deepest = 0
    for mark in _MARK.finditer(data):
        depth = max(0, depth - 1) if mark[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest


class _Walk:
    """From one content to those that it draws, each once."""

    def __init__(self, drawn: Drawn) -> None:
        self._drawn = drawn
        self._uses: dict[_Key | None, Counter[_Key]] = {None: Counter()}
        """How often each content draws another; the page's own have no key."""
        self._is_too_deep = False
        self._queue: list[tuple[Any, Any]] = []
        self._seen: set[_Key] = set()

    def take(self, parts: list[Any], resources: Any, key: _Key | None) -> None:
        """A content, which a page may have in several parts."""
        contents = [_content(part, resources) for part in parts]
        self._drawn.breaks_off |= any(content.breaks_off for content in contents)
        self._drawn.is_open |= any(content.is_open for content in contents)
        right = content_syntax.corrected([content.data for content in contents], resources)
        data = right.content if right else b"\n".join(content.data for content in contents)
        if right is None and (odd := _odd_filter(parts, contents)):
            right = content_syntax.Corrected(data, odd)
        if named := resource_slips.named(data, resources):
            data, change = named
            right = content_syntax.Corrected(data, change.sample)
            self._drawn.changes.append(change)
        if key is not None and _is_boundless(parts[0]):
            right = content_syntax.Corrected(data, "/BBox", is_boundless=True)
        if right:
            self._drawn.corrected[key] = right
        self._is_too_deep |= _depth_of_marks(data) > _MOST_MARKS
        self._drawn.inline += _inline_images(data, resources)
        for thing, times in _used(data, resources, self._drawn):
            self.add(thing, thing.get("/Resources", resources), key, times)
        for font in _fonts(data, resources):
            self._drawn.changes += resource_slips.without_widths(font)
            for glyph in _glyphs(font):
                self.add(glyph, font.get("/Resources", resources), key, 1)

    def add(self, thing: Any, resources: Any, user: _Key | None, times: int) -> None:
        """What a content, the user, draws so many times."""
        self._uses.setdefault(user, Counter())[thing.objgen] += times
        if thing.objgen in self._seen or len(self._seen) >= _MOST_OBJECTS:
            return
        self._seen.add(thing.objgen)
        if resource_slips.is_picture(thing):
            images = [thing, *_masks(thing)]
            self._drawn.images += images
            for image in images:
                self._drawn.changes += resource_slips.without_odd_meaning(image)
            if isinstance(mask := thing.get("/SMask"), pikepdf.Stream):
                self._drawn.changes += resource_slips.with_grey(mask)
        else:
            self._drawn.changes += resource_slips.without_odd_place(thing)
            self._queue.append((thing, resources))

    def to_the_end(self) -> None:
        while self._queue:
            form, resources = self._queue.pop()
            self.take([form], resources, form.objgen)

    def is_endless(self) -> bool:
        if self._is_too_deep:
            return True
        drawings: dict[_Key | None, int] = {}
        waiting: list[_Key | None] = [None]
        at_work: set[_Key | None] = set()
        while waiting:
            key = waiting[-1]
            open_ones = [used for used in self._uses.get(key, ()) if used not in drawings]
            if open_ones and key not in at_work:
                at_work.add(key)
                if not at_work.isdisjoint(open_ones):
                    return True
                waiting += open_ones
                continue
            waiting.pop()
            at_work.discard(key)
            uses = self._uses.get(key, Counter())
            drawings[key] = 1 + sum(times * drawings.get(used, 1) for used, times in uses.items())
            if drawings[key] > max(_MOST_DRAWINGS, _MOST_DRAWINGS_EACH * uses.total()):
                return True
        return False


def _used(content: bytes, resources: Any, drawn: Drawn) -> Iterator[tuple[Any, int]]:
    """The streams that a content draws, or draws with, and how often."""
    for (name, operator), times in Counter(_USED.findall(content)).items():
        kind, spelled = _KINDS[operator], _spelled(name)
        named = resources.get(kind) if isinstance(resources, Dictionary) else None
        thing = _entry(named, spelled)
        if kind == "/ExtGState":
            if isinstance(thing, Dictionary):
                drawn.changes += resource_slips.without_odd_opacity(thing)
            thing = _soft_mask(thing)
        if isinstance(thing, pikepdf.Stream):
            if kind == "/XObject":
                drawn.changes += resource_slips.with_kind(thing)
            yield thing, times
        elif thing is None and kind == "/XObject":
            # Of a name whose object is gone, `in` and `keys` say that it is not there; `items` has it with None.
            is_listed = isinstance(named, Dictionary) and spelled in dict(named.items())
            (drawn.gone if is_listed else drawn.unknown).append(spelled)


def _inline_images(content: bytes, resources: Any) -> Iterable[InlineImage]:
    if b"BI" not in content:
        return ()
    # Late, as few contents hold pictures.
    from ocr_worker.engines.pdf.inline_images import inline_images

    return inline_images(content, resources)


def _entry(names: Any, name: str) -> Any:
    """`get` takes no name that is not UTF-8."""
    return names[name] if isinstance(names, Dictionary) and name in names else None


def _spelled(name: bytes) -> str:
    """As pikepdf knows it."""
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode("ascii")), name).decode(
        "utf-8", "surrogateescape"
    )


def _fonts(content: bytes, resources: Any) -> Iterator[Any]:
    fonts: Any = resources.get("/Font") if isinstance(resources, Dictionary) else None
    for name in set(_FONTS.findall(content)) if isinstance(fonts, Dictionary) else ():
        if isinstance(font := _entry(fonts, _spelled(name)), Dictionary):
            yield font


def _glyphs(font: Any) -> Iterator[Any]:
    """Those that are contents themselves."""
    glyphs = font.get("/CharProcs")
    if isinstance(glyphs, Dictionary):
        yield from (glyph for glyph in glyphs.values() if isinstance(glyph, pikepdf.Stream))


def _appearances(sheet: Any) -> Iterator[Any]:
    """Of a page's annotations, in each of their states."""
    annotations = sheet.get("/Annots")
    for one in annotations if isinstance(annotations, Array) else ():
        shapes = one.get("/AP") if isinstance(one, Dictionary) else None
        normal = shapes.get("/N") if isinstance(shapes, Dictionary) else None
        states = normal.values() if isinstance(normal, Dictionary) else [normal]
        for state in states:
            if isinstance(state, pikepdf.Stream):
                yield state


def _soft_mask(state: Any) -> Any:
    """The form that one draws."""
    mask = state.get("/SMask") if isinstance(state, Dictionary) else None
    return mask.get("/G") if isinstance(mask, Dictionary) else None


def _masks(image: Any) -> list[Any]:
    return [mask for key in ("/SMask", "/Mask") if isinstance(mask := image.get(key), pikepdf.Stream)]
