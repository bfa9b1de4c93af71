"""Annotations as they are drawn, on a page of their own: what text a stamp shows can then be told like a page's.

Source of the placement: ISO 32000-1, 12.5.5.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name

from ocr_worker.engines.pdf.form_values import NOT_SEEN, Value, tells_itself, value_of
from ocr_worker.engines.pdf.qpdf import inherited

_NO_TEXT = (Name.Link, Name.Popup)
_TELLING = (Name.Widget, Name.FreeText)
_LONGEST_NAME = 60
_DEEP = 3
"""Acrobat puts the picture of a button into a form in a form."""


def as_page(pdf: pikepdf.Pdf, number: int, is_off: Callable[[Any], bool]) -> bytes | None:
    """A PDF of this page's annotations alone, in their places; None where none of them draws anything.

    `is_off` tells of optional content that it is not shown.
    """
    page = pdf.pages[number - 1].obj
    annotations = page.get("/Annots")
    if not isinstance(annotations, Array):
        return None
    try:
        looks = [(one, look) for one in annotations if (look := _look(one, is_off)) is not None]
        return _page(page, looks) if looks else None
    except (pikepdf.PdfError, RuntimeError, AttributeError, TypeError, ValueError, KeyError):
        return None


def shown_otherwise(
    pdf: pikepdf.Pdf,
    number: int,
    is_off: Callable[[Any], bool],
    shown_at: Callable[[bytes, list[Any]], list[str]],
) -> str | None:
    """The name of a field whose appearance says something else than its value; None where there is none.

    What a format makes of a value is meant. `shown_at` gives what a page says within boxes in its user space.
    """
    form, annotations = pdf.Root.get("/AcroForm"), pdf.pages[number - 1].obj.get("/Annots")
    if not isinstance(annotations, Array) or not isinstance(form, Dictionary) or form.get("/NeedAppearances"):
        return None
    try:
        told = [(one, value) for one in annotations if (value := _drawn_value(one, is_off)) is not None]
        if not told:
            return None
        page = _page(pdf.pages[number - 1].obj, [(one, one.AP.N) for one, _ in told])
        shown = shown_at(page, [value.box for _, value in told])
    except (pikepdf.PdfError, RuntimeError, AttributeError, TypeError, ValueError, KeyError):
        return None
    for (field, value), text in zip(told, map(_signs, shown), strict=True):
        # Of a long value the appearance may show a part, and of a list it shows what was not chosen too.
        if text and text not in _signs(value.text) and _signs(value.text) not in text:
            name = str(inherited(field, "/T") or "")[:_LONGEST_NAME]
            return "".join(filter(str.isprintable, name))
    return None


def _drawn_value(annotation: Any, is_off: Callable[[Any], bool]) -> Value | None:
    if not isinstance(annotation, Dictionary) or annotation.get("/Subtype") != Name.Widget:
        return None
    actions, kinds = inherited(annotation, "/AA"), annotation.get("/AP")
    look = kinds.get("/N") if isinstance(kinds, Dictionary) else None
    if not isinstance(look, pikepdf.Stream) or (isinstance(actions, Dictionary) and "/F" in actions):
        return None
    return None if _is_unseen(annotation, is_off) or not tells_itself(annotation) else value_of(annotation)


def _signs(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def leaves_look_open(pdf: pikepdf.Pdf, number: int, is_off: Callable[[Any], bool]) -> bool:
    """Whether an annotation that is no field has several states, and does not say which is shown: viewers differ."""
    annotations = pdf.pages[number - 1].obj.get("/Annots")
    # Flags that are no number are no reason to refuse the page.
    with suppress(TypeError, ValueError):
        return isinstance(annotations, Array) and any(_is_open(one, is_off) for one in annotations)
    return False


def has_note_with_look(pdf: pikepdf.Pdf, number: int) -> bool:
    """Whether the window of a note has an appearance, which few viewers draw."""
    annotations = pdf.pages[number - 1].obj.get("/Annots")
    with suppress(TypeError, ValueError):
        return isinstance(annotations, Array) and any(map(_is_note_with_look, annotations))
    return False


def _is_note_with_look(annotation: Any) -> bool:
    if not isinstance(annotation, Dictionary) or annotation.get("/Subtype") != Name.Popup:
        return False
    kinds = annotation.get("/AP")
    look = kinds.get("/N") if isinstance(kinds, Dictionary) else None
    return isinstance(look, pikepdf.Stream) and not int(annotation.get("/F", 0)) & NOT_SEEN


def _is_open(annotation: Any, is_off: Callable[[Any], bool]) -> bool:
    if not isinstance(annotation, Dictionary) or annotation.get("/Subtype") in (*_NO_TEXT, Name.Widget):
        return False
    kinds = annotation.get("/AP")
    states = kinds.get("/N") if isinstance(kinds, Dictionary) else None
    if not isinstance(states, Dictionary) or _is_unseen(annotation, is_off):
        return False
    shown = annotation.get("/AS", Name("/None"))
    return shown != Name.Off and shown not in states and len(states) > 0


def _is_unseen(annotation: Any, is_off: Callable[[Any], bool]) -> bool:
    return bool(int(annotation.get("/F", 0)) & NOT_SEEN) or is_off(annotation.get("/OC"))


def _look(annotation: Any, is_off: Callable[[Any], bool]) -> Any:
    """The appearance that is drawn, if there is one."""
    if not isinstance(annotation, Dictionary) or annotation.get("/Subtype") in _NO_TEXT:
        return None
    if _is_unseen(annotation, is_off):
        return None
    kinds = annotation.get("/AP")
    look: Any = kinds.get("/N") if isinstance(kinds, Dictionary) else None
    if isinstance(look, Dictionary):
        look = look.get(str(annotation.get("/AS", "/Off")))
    if not isinstance(look, pikepdf.Stream):
        return None
    tells = annotation.get("/Subtype") in _TELLING and tells_itself(annotation)
    # A scan may be the picture of a button.
    return look if not tells or _draws_picture(look, _DEEP) else None


def _draws_picture(look: Any, depth: int) -> bool:
    """Of those that it names, at least."""
    resources = look.get("/Resources")
    objects = resources.get("/XObject") if isinstance(resources, Dictionary) else None
    drawn = (
        [one for one in objects.values() if isinstance(one, pikepdf.Stream)]
        if isinstance(objects, Dictionary)
        else []
    )
    return any(one.get("/Subtype") == Name.Image for one in drawn) or (
        depth > 0 and any(_draws_picture(one, depth - 1) for one in drawn)
    )


def _page(page: Any, looks: list[tuple[Any, Any]]) -> bytes:
    with pikepdf.new() as single:
        made = single.add_blank_page()
        for key in ("/MediaBox", "/CropBox", "/Rotate"):
            if (value := inherited(page, key)) is not None:
                made.obj[key] = [float(side) for side in value] if isinstance(value, Array) else int(value)
        made.obj.Resources = Dictionary(XObject=Dictionary())
        content = b""
        for at, (annotation, look) in enumerate(looks):
            made.obj.Resources.XObject[f"/A{at}"] = single.copy_foreign(look)
            content += b"q %.6f 0 0 %.6f %.6f %.6f cm /A%d Do Q\n" % (*_placement(annotation, look), at)
        made.obj.Contents = single.make_stream(content)
        target = io.BytesIO()
        # What is packed stays so: it may be a bomb.
        single.save(target, compress_streams=False)
        return target.getvalue()


def _placement(annotation: Any, look: Any) -> tuple[float, float, float, float]:
    """What scales and moves the appearance's box into the annotation's."""
    a, b, c, d, e, f = (float(value) for value in look.get("/Matrix", (1, 0, 0, 1, 0, 0)))
    x0, y0, x1, y1 = (float(value) for value in look.BBox)
    xs = [a * x + c * y + e for x in (x0, x1) for y in (y0, y1)]
    ys = [b * x + d * y + f for x in (x0, x1) for y in (y0, y1)]
    left, bottom, right, top = (float(value) for value in annotation.Rect)
    left, right, bottom, top = min(left, right), max(left, right), min(bottom, top), max(bottom, top)
    across = (right - left) / (max(xs) - min(xs)) if max(xs) > min(xs) else 1.0
    up = (top - bottom) / (max(ys) - min(ys)) if max(ys) > min(ys) else 1.0
    return across, up, left - min(xs) * across, bottom - min(ys) * up
