"""What a content draws with, where that breaks the rules of PDF: names that are empty, widths and opacities that are no numbers, masks without colours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NamedTuple

from pikepdf import Array, Dictionary, Name

from ocr_worker.engines.pdf import streams
from ocr_worker.engines.pdf.content_words import REGULAR

_NAMELESS = re.compile(rb"/(?!" + REGULAR + rb")((?:[\0\s]|%[^\r\n]*[\r\n])*Do\b)")
"""To PDFium nothing has such a name."""
_GIVEN = "/Nameless"
_OPACITIES = ("/ca", "/CA")
_OF_THEIR_OWN = (Name.JPXDecode, Array([Name.JPXDecode]))
"""Filters of pictures that say their colours themselves."""


class Change(NamedTuple):
    """An entry that a dictionary has meanwhile."""

    owner: Any
    key: str
    value: Any
    """None for none."""
    sample: str
    """What broke the rules."""


def named(content: bytes, resources: Any) -> tuple[bytes, Change] | None:
    """The content with a name for what has an empty one; None where nothing has."""
    objects = resources.get("/XObject") if isinstance(resources, Dictionary) else None
    if not (isinstance(objects, Dictionary) and "/" in objects and _NAMELESS.search(content)):
        return None
    right = _NAMELESS.sub(_GIVEN.encode("ascii") + rb" \1", content)
    return right, Change(objects, _GIVEN, objects["/"], "an empty name")


def without_widths(font: Any) -> Iterator[Change]:
    """A font that says no width of any letter has those that viewers know: else they lie on each other."""
    if font.get("/Subtype") in (Name.Type0, Name.Type3):
        return
    widths = font.get("/Widths")
    is_numbered = isinstance(font.get("/FirstChar", 0), int)
    if isinstance(widths, Array) and not (is_numbered and any(map(_is_width, widths))):
        yield Change(font, "/Widths", None, "/Widths")


def without_odd_opacity(state: Any) -> Iterator[Change]:
    """What PDFium takes for 0 is 1 to others."""
    for key in _OPACITIES:
        value = state.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            yield Change(state, key, None, key)


def with_grey(mask: Any) -> Iterator[Change]:
    """A soft mask that says no colours is grey, as each is; to PDFium it hides all."""
    if "/ColorSpace" not in mask and mask.get("/Filter") not in _OF_THEIR_OWN:
        yield Change(mask, "/ColorSpace", Name.DeviceGray, "/SMask")


def without_odd_meaning(image: Any) -> Iterator[Change]:
    """What an image's samples mean has two numbers a colour: to PDFium those that are not there are 0, and all is black."""
    meaning = image.get("/Decode")
    is_said = isinstance(meaning, Array) and all(isinstance(value, int | Decimal) for value in meaning)
    if meaning is not None and not (is_said and len(meaning) >= 2 * (streams.colours_of(image) or 1)):
        yield Change(image, "/Decode", None, "/Decode")


def is_picture(thing: Any) -> bool:
    """Or a form, by what its entries are, where it does not say so itself."""
    return bool(thing.get("/Subtype", Name.Image if "/Width" in thing else Name.Form) == Name.Image)


def with_kind(thing: Any) -> Iterator[Change]:
    """Of what does not say its kind viewers show nothing."""
    if "/Subtype" not in thing:
        yield Change(thing, "/Subtype", Name.Image if is_picture(thing) else Name.Form, "/Subtype")


def without_odd_place(form: Any) -> Iterator[Change]:
    """A form lies as it is where its place is not told in numbers: to viewers it has no size then."""
    place = form.get("/Matrix", Array())
    if isinstance(place, Array) and not all(isinstance(value, int | Decimal) for value in place):
        yield Change(form, "/Matrix", None, "/Matrix")


def _is_width(value: Any) -> bool:
    return isinstance(value, int | Decimal) and value > 0


@contextmanager
def changed(changes: Sequence[Change]) -> Iterator[None]:
    """Dictionaries have these entries meanwhile."""
    kept = [(change.owner, change.key, change.owner.get(change.key)) for change in changes]
    try:
        for change in changes:
            _set(change.owner, change.key, change.value)
        yield
    finally:
        for entry in kept:
            _set(*entry)


def _set(owner: Any, key: str, value: Any) -> None:
    if value is not None:
        owner[key] = value
    elif key in owner:
        del owner[key]
