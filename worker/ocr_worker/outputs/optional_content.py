"""Layers of a PDF (optional content): which are off when it is opened, and a page without what belongs to them.

Source: ISO 32000-1, 8.11.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pikepdf
from pikepdf import Array, Dictionary, Name

from ocr_worker.errors import CorruptError
from ocr_worker.outputs.page_resources import DEEPEST_FORM, find_resources

_DEPTH = 20
_POLICIES: dict[str, Callable[[list[bool]], bool]] = {
    "/AllOn": any,
    "/AnyOn": all,
    "/AnyOff": lambda offs: not any(offs),
    "/AllOff": lambda offs: not all(offs),
}
"""Whether a membership is off, by whether its groups are."""


class Layers(NamedTuple):
    """Which groups are off, by their object numbers."""

    off: frozenset[tuple[int, int]]
    by_usage: frozenset[tuple[int, int]] = frozenset()
    """Those of them that only say themselves that they are: some viewers show them."""
    are_there: bool = True

    def is_off(self, content: Any, depth: int = _DEPTH) -> bool:
        """Whether what belongs to this group, or to this membership of groups, is not shown."""
        if not isinstance(content, Dictionary) or depth == 0:
            return False
        if content.get("/Type") != Name.OCMD:
            return content.objgen in self.off
        if isinstance(expression := content.get("/VE"), Array):
            return not self._holds(expression, depth)
        groups = content.get("/OCGs")
        members = [groups] if isinstance(groups, Dictionary) else _items(groups)
        offs = [self.is_off(group, depth - 1) for group in members if isinstance(group, Dictionary)]
        return bool(offs) and _POLICIES.get(str(content.get("/P", "/AnyOn")), all)(offs)

    def _holds(self, expression: Any, depth: int) -> bool:
        if not isinstance(expression, Array):
            return not self.is_off(expression, depth - 1)
        if depth == 0 or len(expression) < 2:
            return True
        values = [self._holds(part, depth - 1) for part in list(expression)[1:]]
        match expression[0]:
            case Name.Not:
                return not values[0]
            case Name.Or:
                return any(values)
            case _:
                return all(values)


def layers(pdf: pikepdf.Pdf) -> Layers:
    """As the document's default configuration shows it on a screen."""
    properties: Any = pdf.Root.get("/OCProperties")
    groups = properties.get("/OCGs") if isinstance(properties, Dictionary) else None
    if not isinstance(groups, Array):
        return Layers(frozenset(), are_there="/OCProperties" in pdf.Root)
    settings = properties.get("/D")
    if not isinstance(settings, Dictionary):
        settings = Dictionary()
    known = {group.objgen: group for group in groups if isinstance(group, Dictionary)}
    off = set(known) if settings.get("/BaseState") == Name.OFF else set()
    off -= _numbers(settings.get("/ON"))
    off |= _numbers(settings.get("/OFF"))
    for usage in _items(settings.get("/AS")):
        if isinstance(usage, Dictionary) and usage.get("/Event") == Name.View:
            for number in _numbers(usage.get("/OCGs")) & set(known):
                off = _switched(off, known[number], number)
    # Most viewers go by this alone, whatever /AS says of it.
    usage = frozenset(number for number in set(known) - off if _view_state(known[number]) == Name.OFF)
    return Layers(frozenset(off | usage), usage)


def hides_something(shown: Layers, page: pikepdf.Page) -> bool:
    """Whether anything that this page names is off."""
    if not shown.are_there:
        return False
    annotations = _items(page.obj.get("/Annots"))
    return any(shown.is_off(content) for content in _named(find_resources(page), set(), DEEPEST_FORM)) or any(
        shown.is_off(one.get("/OC")) for one in annotations if isinstance(one, Dictionary)
    )


def has_lost_fields(pdf: pikepdf.Pdf, page: pikepdf.Page) -> bool:
    """Whether fields are on this page of a document whose form is gone, as programs that join files leave it."""
    form = pdf.Root.get("/AcroForm")
    if isinstance(form, Dictionary) and _items(form.get("/Fields")):
        return False
    return any(map(_is_field, _items(page.obj.get("/Annots"))))


def _is_field(annotation: Any) -> bool:
    return isinstance(annotation, Dictionary) and annotation.get("/Subtype") == Name.Widget


def _named(resources: Any, seen: set[tuple[int, int]], depth: int) -> Iterator[Any]:
    """What the contents can call optional, in forms within forms too."""
    if not isinstance(resources, Dictionary) or depth == 0:
        return
    yield from _values(resources.get("/Properties"))
    for drawn in _values(resources.get("/XObject")):
        if isinstance(drawn, pikepdf.Stream) and drawn.objgen not in seen:
            seen.add(drawn.objgen)
            yield drawn.get("/OC")
            yield from _named(drawn.get("/Resources"), seen, depth - 1)


def _values(dictionary: Any) -> list[Any]:
    return list(dictionary.values()) if isinstance(dictionary, Dictionary) else []


def _items(array: Any) -> list[Any]:
    return list(array) if isinstance(array, Array) else []


def shown_page(pdf: pikepdf.Pdf, number: int) -> bytes:
    """A PDF of this page alone, as it is shown: layers that are off are gone, and those that are on are always on.

    Raises CorruptError when it can't be made.
    """
    try:
        return _shown_page(pdf, number)
    except (pikepdf.PdfError, RuntimeError, ValueError) as error:
        raise CorruptError(f"Page {number} can't be taken out of its document: {error}") from error


def _shown_page(pdf: pikepdf.Pdf, number: int) -> bytes:
    with pikepdf.new() as single:
        with warnings.catch_warnings():
            # That its fields are not those of a form yet.
            warnings.simplefilter("ignore", UserWarning)
            single.pages.append(pdf.pages[number - 1])
        if (properties := pdf.Root.get("/OCProperties")) is not None:
            # Copied after the page, so that both name the same groups.
            single.Root.OCProperties = single.copy_foreign(
                properties if properties.is_indirect else pdf.make_indirect(properties)
            )
            drop_what_is_off(single, single.pages[0], layers(single))
            del single.Root["/OCProperties"]
        _gather_fields(single)
        target = io.BytesIO()
        # What is packed stays so: it may be a bomb.
        single.save(target, compress_streams=False)
        return target.getvalue()


def _gather_fields(single: pikepdf.Pdf) -> None:
    """Fields are drawn only where they belong to a form."""
    widgets = list(filter(_is_field, _items(single.pages[0].obj.get("/Annots"))))
    if widgets:
        single.Root.AcroForm = Dictionary(Fields=Array(widgets))


def drop_what_is_off(pdf: pikepdf.Pdf, page: pikepdf.Page, shown: Layers) -> None:
    # Late, as few documents have layers.
    from ocr_worker.outputs.content_filter import ContentFilter, Rule

    ContentFilter(pdf, Rule(is_off=shown.is_off)).clean(page)
    annotations = page.obj.get("/Annots")
    if isinstance(annotations, Array):
        kept = [
            one for one in annotations if not (isinstance(one, Dictionary) and shown.is_off(one.get("/OC")))
        ]
        if len(kept) < len(annotations):
            page.obj.Annots = Array(kept)


def _numbers(groups: Any) -> set[tuple[int, int]]:
    return (
        {group.objgen for group in groups if isinstance(group, Dictionary)}
        if isinstance(groups, Array)
        else set()
    )


def _switched(off: set[tuple[int, int]], group: Any, number: tuple[int, int]) -> set[tuple[int, int]]:
    """By what the group says of its use on a screen."""
    match _view_state(group):
        case Name.OFF:
            return off | {number}
        case Name.ON:
            return off - {number}
        case _:
            return off


def _view_state(group: Any) -> Any:
    usage = group.get("/Usage")
    view = usage.get("/View") if isinstance(usage, Dictionary) else None
    return view.get("/ViewState") if isinstance(view, Dictionary) else None
