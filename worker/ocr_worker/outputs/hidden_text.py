"""Remove an older invisible text layer (render mode 3) from a page, and nothing else."""

from __future__ import annotations

from copy import copy
from typing import Any

import pikepdf
from pikepdf import Dictionary, Name, Operator

from ocr_worker.outputs.page_resources import own_resources

INVISIBLE = 3
_SHOWING = {Operator(name) for name in ("Tj", "TJ", "'", '"')}
_DEPTH = 8


def strip_hidden_text(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    """Rewrite the page's content, and the forms it draws, without text that is shown invisibly."""
    kept, removed = _kept(page)
    if removed:
        page.obj.Contents = pdf.make_stream(pikepdf.unparse_content_stream(kept))
    _strip_forms(pdf, page.obj, own_resources(page), _DEPTH)


def _strip_forms(pdf: pikepdf.Pdf, owner: Any, resources: Dictionary, depth: int) -> None:
    objects = resources.get("/XObject")
    if depth == 0 or not isinstance(objects, Dictionary):
        return
    forms = {
        key: x
        for key, x in objects.items()
        if isinstance(x, pikepdf.Stream) and x.get("/Subtype") == Name.Form
    }
    new = {key: made for key, form in forms.items() if (made := _stripped_form(pdf, form, depth)) is not None}
    if new:
        # The page gets dictionaries of its own: others may share these.
        fresh = copy(resources)
        fresh.XObject = copy(objects)
        for key, form in new.items():
            fresh.XObject[key] = form
        owner.Resources = fresh


def _stripped_form(pdf: pikepdf.Pdf, form: pikepdf.Stream, depth: int) -> pikepdf.Stream | None:
    kept, removed = _kept(form)
    if not removed:
        return None
    made = pdf.make_stream(pikepdf.unparse_content_stream(kept))
    for key, value in form.items():
        if key not in ("/Length", "/Filter", "/DecodeParms"):
            made[key] = value
    inner = form.get("/Resources")
    if isinstance(inner, Dictionary):
        _strip_forms(pdf, made, inner, depth - 1)
    return made


def _kept(content: Any) -> tuple[list[Any], int]:
    """The instructions without invisible showing of text, and how many those were."""
    try:
        instructions = pikepdf.parse_content_stream(content)
    except (pikepdf.PdfError, RuntimeError, ValueError):
        return [], 0
    mode, stack, kept, removed = 0, [], [], 0
    for instruction in instructions:
        operator = instruction.operator
        if operator == Operator("q"):
            stack.append(mode)
        elif operator == Operator("Q"):
            mode = stack.pop() if stack else mode
        elif operator == Operator("Tr"):
            mode = _mode(instruction, mode)
        if mode == INVISIBLE and operator in _SHOWING:
            removed += 1
        else:
            kept.append(instruction)
    return kept, removed


def _mode(instruction: Any, before: int) -> int:
    try:
        return int(instruction.operands[0])
    except (IndexError, TypeError, ValueError):
        return before
