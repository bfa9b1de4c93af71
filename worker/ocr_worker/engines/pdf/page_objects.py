"""What a PDF page draws, followed through its content and forms, without drawing it: whether all of that is in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name

from ocr_worker.engines.pdf import streams
from ocr_worker.engines.pdf.qpdf import inherited

_DRAWN = re.compile(rb"(/[^\s/()<>\[\]{}%#]+)\s+Do\b")
"""The names of objects that a content stream draws; those with escapes are left out."""
_MOST_OBJECTS = 2_000


@dataclass(slots=True)
class Drawn:
    """What was found on the way."""

    images: list[Any] = field(default_factory=list)
    """Each once, and what masks it."""
    gone: list[str] = field(default_factory=list)
    """Names of objects that are said to be in the file, and are not."""
    unknown: list[str] = field(default_factory=list)
    """Names that stand for nothing: mostly an oversight of the page's maker, and nobody misses it."""


def follow(pdf: pikepdf.Pdf, page: int) -> Drawn:
    """Raises TornError when a content can't be read to its end."""
    sheet, drawn = pdf.pages[page - 1].obj, Drawn()
    entries: Any = sheet.items()
    if ("/Contents", None) in entries:
        raise streams.TornError
    contents = sheet.get("/Contents", Array())
    resources = inherited(sheet, "/Resources")
    queue = [(part, resources) for part in (contents if isinstance(contents, Array) else [contents])]
    seen: set[tuple[int, int]] = set()
    while queue:
        part, resources = queue.pop()
        for thing in _named(streams.content(part), resources, drawn):
            if thing.objgen in seen or len(seen) >= _MOST_OBJECTS:
                continue
            seen.add(thing.objgen)
            if thing.get("/Subtype") == Name.Form:
                queue.append((thing, thing.get("/Resources", resources)))
            elif thing.get("/Subtype") == Name.Image:
                drawn.images += [thing, *_masks(thing)]
    return drawn


def _named(content: bytes, resources: Any, drawn: Drawn) -> Iterator[Any]:
    """The streams that a content draws, each once."""
    objects = resources.get("/XObject") if isinstance(resources, Dictionary) else None
    for name in (found.decode("utf-8", "surrogateescape") for found in set(_DRAWN.findall(content))):
        thing = objects.get(name) if isinstance(objects, Dictionary) else None
        if isinstance(thing, pikepdf.Stream):
            yield thing
        elif thing is None:
            # Of a name whose object is gone, `in` and `keys` say that it is not there; `items` has it with None.
            is_listed = isinstance(objects, Dictionary) and name in dict(objects.items())
            (drawn.gone if is_listed else drawn.unknown).append(name)


def _masks(image: Any) -> list[Any]:
    return [mask for key in ("/SMask", "/Mask") if isinstance(mask := image.get(key), pikepdf.Stream)]
