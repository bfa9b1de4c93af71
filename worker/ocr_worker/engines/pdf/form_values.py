"""What was typed onto a PDF page: the values of its form fields, and text of its annotations, with their places."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pikepdf
from pikepdf import Array, Dictionary, Name

from ocr_worker.engines.pdf.qpdf import inherited

NOT_SEEN = 0b100010
"""The flags Hidden and NoView."""
_PASSWORD = 1 << 13
_SIZE = re.compile(r"([\d.]+)\s+Tf")
_USUAL_SIZE, _LEADING = 12.0, 1.2
_MOST_CHARACTERS = 100_000


class Value(NamedTuple):
    """One that is displayed."""

    text: str
    box: tuple[float, float, float, float]
    """Left, bottom, right, top of its field in user units."""
    size: float
    """Of its letters; estimated where the field leaves that to the viewer."""


def values(pdf: pikepdf.Pdf, page: int, is_off: Callable[[Any], bool]) -> list[Value]:
    """In the page's own order; `is_off` tells of optional content that it is not shown."""
    annotations = pdf.pages[page - 1].obj.get("/Annots")
    if not isinstance(annotations, Array):
        return []
    found = (
        value_of(one) for one in annotations if isinstance(one, Dictionary) and not is_off(one.get("/OC"))
    )
    return [value for value in found if value is not None]


def tells_itself(annotation: Any) -> bool:
    """Whether its value is told, or is not to be: what else it shows is that of its drawing."""
    if inherited(annotation, "/FT") == Name.Btn or int(inherited(annotation, "/Ff") or 0) & _PASSWORD:
        return True
    return value_of(annotation) is not None


def value_of(annotation: Any) -> Value | None:
    """None where it has none that is displayed."""
    try:
        if int(annotation.get("/F", 0)) & NOT_SEEN:
            return None
        x0, y0, x1, y1 = (float(side) for side in annotation.Rect)
        text = _text(annotation)
    except (AttributeError, TypeError, ValueError, KeyError):
        return None
    if not text or not text.strip():
        return None
    box = min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
    return Value(text, box, _size(annotation, box))


def _text(annotation: Any) -> str | None:
    match annotation.get("/Subtype"):
        case Name.FreeText:
            return _spoken(annotation.get("/Contents"))
        case Name.Widget if inherited(annotation, "/FT") == Name.Tx:
            flags = int(inherited(annotation, "/Ff") or 0)
            return None if flags & _PASSWORD else _spoken(inherited(annotation, "/V"))
        case Name.Widget if inherited(annotation, "/FT") == Name.Ch:
            return _chosen(annotation)
        case _:
            return None


def _chosen(field: Any) -> str:
    """As the list shows it, which may differ from what is sent."""
    value, options = inherited(field, "/V"), inherited(field, "/Opt")
    chosen = list(value) if isinstance(value, Array) else [value]
    if value is None and isinstance(options, Array) and isinstance(inherited(field, "/I"), Array):
        # Lists may say only the places of what is chosen.
        chosen = [options[at] for at in inherited(field, "/I") if 0 <= at < len(options)]
        chosen = [one[0] if isinstance(one, Array) and len(one) else one for one in chosen]
    labels = {
        _spoken(option[0]): _spoken(option[1])
        for option in (options if isinstance(options, Array) else ())
        if isinstance(option, Array) and len(option) == 2
    }
    spoken = [_spoken(one) for one in chosen]
    return "\n".join(labels.get(one, one) for one in spoken if one)


def _spoken(value: Any) -> str:
    if isinstance(value, pikepdf.Stream):
        value = pikepdf.String(value.read_bytes()[:_MOST_CHARACTERS])
    return str(value)[:_MOST_CHARACTERS] if isinstance(value, pikepdf.String) else ""


def _size(annotation: Any, box: tuple[float, float, float, float]) -> float:
    found = _SIZE.search(str(inherited(annotation, "/DA") or ""))
    size = float(found[1]) if found else 0.0
    return size or min(_USUAL_SIZE, max(1.0, (box[3] - box[1]) / _LEADING))
