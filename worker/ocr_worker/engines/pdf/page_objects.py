"""What a PDF page draws, followed through its content and forms, without drawing it: whether all of that is in the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name

from ocr_worker.engines.pdf import streams
from ocr_worker.engines.pdf.qpdf import inherited

_USED = re.compile(rb"(/[^\s/()<>\[\]{}%#]+)\s+(Do|gs|scn|SCN)\b")
"""The names of objects that a content stream draws, or draws with; those with escapes are left out."""
_KINDS = {b"Do": "/XObject", b"gs": "/ExtGState", b"scn": "/Pattern", b"SCN": "/Pattern"}
_MOST_OBJECTS = 2_000
_MOST_DRAWINGS = 200_000
"""Of forms within forms: a few that draw each other several times make billions."""

_Key = tuple[int, int]


@dataclass(slots=True)
class Drawn:
    """What was found on the way."""

    images: list[Any] = field(default_factory=list)
    """Each once, and what masks it."""
    gone: list[str] = field(default_factory=list)
    """Names of objects that are said to be in the file, and are not."""
    unknown: list[str] = field(default_factory=list)
    """Names that stand for nothing: mostly an oversight of the page's maker, and nobody misses it."""
    mended: list[tuple[Any, bytes]] = field(default_factory=list)
    """JPEGs that PDFium would not decode, and what to draw instead."""
    breaks_off: bool = False
    """A content is not there to its end."""
    is_open: bool = False
    """It breaks off in the midst of drawing something."""
    is_endless: bool = False
    """Forms draw each other, or so many within each other that no drawing of it would end."""


def follow(pdf: pikepdf.Pdf, page: int) -> Drawn:
    """Raises TornError when a content, or much of it, can't be read."""
    sheet, drawn = pdf.pages[page - 1].obj, Drawn()
    entries: Any = sheet.items()
    if ("/Contents", None) in entries:
        raise streams.TornError
    contents = sheet.get("/Contents", Array())
    resources = inherited(sheet, "/Resources")
    walk = _Walk(drawn)
    for part in contents if isinstance(contents, Array) else [contents]:
        walk.take(part, resources, None)
    walk.to_the_end()
    drawn.is_endless = walk.is_endless()
    return drawn


class _Walk:
    """From one content to those that it draws, each once."""

    def __init__(self, drawn: Drawn) -> None:
        self._drawn = drawn
        self._uses: dict[_Key | None, Counter[_Key]] = {None: Counter()}
        """How often each content draws another; the page's own have no key."""
        self._queue: list[tuple[Any, Any]] = []
        self._seen: set[_Key] = set()

    def take(self, part: Any, resources: Any, key: _Key | None) -> None:
        content = streams.content(part)
        self._drawn.breaks_off |= content.breaks_off
        self._drawn.is_open |= content.is_open
        uses = self._uses.setdefault(key, Counter())
        for thing, times in _used(content.data, resources, self._drawn):
            uses[thing.objgen] += times
            if thing.objgen in self._seen or len(self._seen) >= _MOST_OBJECTS:
                continue
            self._seen.add(thing.objgen)
            if thing.get("/Subtype") == Name.Image:
                self._drawn.images += [thing, *_masks(thing)]
            elif thing.get("/Subtype") == Name.Form or "/PatternType" in thing:
                self._queue.append((thing, thing.get("/Resources", resources)))

    def to_the_end(self) -> None:
        while self._queue:
            form, resources = self._queue.pop()
            self.take(form, resources, form.objgen)

    def is_endless(self) -> bool:
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
            if drawings[key] > _MOST_DRAWINGS:
                return True
        return False


def _used(content: bytes, resources: Any, drawn: Drawn) -> Iterator[tuple[Any, int]]:
    """The streams that a content draws, or draws with, and how often."""
    for (name, operator), times in Counter(_USED.findall(content)).items():
        kind, spelled = _KINDS[operator], name.decode("utf-8", "surrogateescape")
        named = resources.get(kind) if isinstance(resources, Dictionary) else None
        thing = named.get(spelled) if isinstance(named, Dictionary) else None
        if kind == "/ExtGState":
            thing = _soft_mask(thing)
        if isinstance(thing, pikepdf.Stream):
            yield thing, times
        elif thing is None and kind == "/XObject":
            # Of a name whose object is gone, `in` and `keys` say that it is not there; `items` has it with None.
            is_listed = isinstance(named, Dictionary) and spelled in dict(named.items())
            (drawn.gone if is_listed else drawn.unknown).append(spelled)


def _soft_mask(state: Any) -> Any:
    """The form that one draws."""
    mask = state.get("/SMask") if isinstance(state, Dictionary) else None
    return mask.get("/G") if isinstance(mask, Dictionary) else None


def _masks(image: Any) -> list[Any]:
    return [mask for key in ("/SMask", "/Mask") if isinstance(mask := image.get(key), pikepdf.Stream)]
