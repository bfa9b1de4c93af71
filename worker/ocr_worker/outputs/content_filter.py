"""Rewrites a page's content, and the forms it draws, without some of what they paint. All that is left stays where it was.

Only operators that paint are taken out: those that place, clip or set something keep their effect on the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Operator

from ocr_worker.outputs.glyph_widths import TextState, advance
from ocr_worker.outputs.page_resources import DEEPEST_FORM, own_resources

INVISIBLE = 3
_MOST_FORMS = 2_000
_PAINTING_PATHS = {"S", "s", "f", "F", "f*", "B", "B*", "b", "b*"}
_STACKING = {"q", "Q"}
_PLACING = {"Td", "TD", "Tm", "T*", "BT", "ET"}
_NEXT_LINE, _END_PATH, _SHOW_SPACED = Operator("T*"), Operator("n"), Operator("TJ")
Instruction = Any


@dataclass(frozen=True, slots=True)
class Rule:
    """What is taken out."""

    hidden_text: bool = False
    is_off: Callable[[Any], bool] = lambda _: False
    """Whether a dictionary of optional content says that what belongs to it is not shown."""


@dataclass(slots=True)
class _Removed:
    """A showing of text that was taken out: where it stood, and how far it moved the pen."""

    at: int
    instruction: Instruction
    advance: float | None


@dataclass(slots=True)
class _Run:
    """One content on its way through the filter."""

    resources: Any
    state: TextState
    kept: list[Instruction] = field(default_factory=list)
    removed: int = 0
    stack: list[TextState] = field(default_factory=list)
    marks: list[bool] = field(default_factory=list)
    """For each marked content that is open: whether it is off."""
    pending: list[_Removed] = field(default_factory=list)
    """What was taken out since the pen was last placed."""
    forms: dict[str, Any] = field(default_factory=dict)
    """New ones, by the names that the content calls them now."""


class ContentFilter:
    """Takes out by one rule, for one document."""

    def __init__(self, pdf: pikepdf.Pdf, rule: Rule) -> None:
        self._pdf, self._rule, self._forms_left = pdf, rule, _MOST_FORMS
        self._made: dict[tuple[tuple[int, int], int] | None, Any] = {}

    def clean(self, page: pikepdf.Page) -> None:
        """A page of which nothing is taken out keeps its bytes."""
        self._forms_left = _MOST_FORMS
        resources = own_resources(page)
        run = self._filtered(page, resources, TextState(), DEEPEST_FORM)
        if run.removed:
            page.obj.Contents = self._pdf.make_stream(pikepdf.unparse_content_stream(run.kept))
            _add_forms(page.obj, resources, run.forms)

    def _filtered(self, content: Any, resources: Any, state: TextState, depth: int) -> _Run:
        run = _Run(resources, state)
        try:
            instructions = pikepdf.parse_content_stream(content)
        except (pikepdf.PdfError, RuntimeError, ValueError):
            return run
        for instruction in instructions:
            self._take(run, instruction, depth)
        return run

    def _take(self, run: _Run, instruction: Instruction, depth: int) -> None:
        name = _name(instruction)
        if name in _STACKING and run.pending:
            # Within a text some viewers keep the pen's place with the state, and others don't.
            _move_pen(run)
            run.pending.clear()
        match name:
            case "q":
                run.stack.append(run.state)
            case "Q":
                run.state = run.stack.pop() if run.stack else run.state
            case "BMC" | "BDC" | "EMC":
                self._mark(run, instruction, name)
            case "Tj" | "TJ" | "'" | '"':
                self._show(run, instruction, name)
                return
            case "Do":
                self._draw(run, instruction, depth)
                return
            case _:
                run.state = run.state.after(name, instruction.operands, run.resources)
        if name in _PLACING:
            run.pending.clear()
        self._keep_unless_off(run, instruction, name)

    def _keep_unless_off(self, run: _Run, instruction: Instruction, name: str) -> None:
        if any(run.marks):
            if name in _PAINTING_PATHS:
                run.removed += 1
                instruction = pikepdf.ContentStreamInstruction([], _END_PATH)
            elif name in ("sh", "INLINE IMAGE"):
                run.removed += 1
                return
        run.kept.append(instruction)

    def _mark(self, run: _Run, instruction: Instruction, name: str) -> None:
        if name == "EMC":
            if run.marks:
                run.marks.pop()
            return
        operands = list(instruction.operands)
        is_off = False
        if name == "BDC" and len(operands) == 2 and operands[0] == Name.OC:
            is_off = self._rule.is_off(_found(run.resources, "/Properties", operands[1]))
        run.marks.append(is_off)

    def _show(self, run: _Run, instruction: Instruction, name: str) -> None:
        hidden = self._rule.hidden_text and run.state.mode == INVISIBLE
        if not hidden and not any(run.marks):
            if name in ("Tj", "TJ"):
                _move_pen(run)
            run.pending.clear()
            run.state = run.state.after(name, instruction.operands, run.resources)
            run.kept.append(instruction)
            return
        if name in ("'", '"'):
            # They go to the next line before they show, and what follows stands on that one.
            run.state = run.state.after(name, instruction.operands, run.resources)
            run.kept += _line_feed(instruction, name)
            run.pending.clear()
        width = advance(run.state, instruction.operands[-1] if len(instruction.operands) else None)
        run.pending.append(_Removed(len(run.kept), instruction, width))
        run.removed += 1

    def _draw(self, run: _Run, instruction: Instruction, depth: int) -> None:
        drawn = (
            _found(run.resources, "/XObject", instruction.operands[0]) if len(instruction.operands) else None
        )
        if not isinstance(drawn, pikepdf.Stream):
            run.kept.append(instruction)
            return
        if any(run.marks) or ("/OC" in drawn and self._rule.is_off(drawn.OC)):
            run.removed += 1
            return
        made = self._form(run, drawn, depth) if drawn.get("/Subtype") == Name.Form else None
        if made is not None:
            run.removed += 1
            name = f"/OcrSidecarForm{len(run.forms) + 1}"
            taken = run.resources.get("/XObject", Dictionary())
            name = next(new for new in (f"{name}.{n}" for n in count()) if new not in taken)
            run.forms[name] = made
            instruction = pikepdf.ContentStreamInstruction([Name(name)], Operator("Do"))
        run.kept.append(instruction)

    def _form(self, run: _Run, form: Any, depth: int) -> Any:
        """The form without what is taken out of it; None where that is nothing."""
        own = form.get("/Resources")
        # Drawn again in the same way, it comes out the same.
        known = (form.objgen, run.state.mode) if isinstance(own, Dictionary) else None
        if known in self._made:
            return self._made[known]
        if depth == 0 or self._forms_left == 0:
            return None
        self._forms_left -= 1
        made = self._cleaned(form, own if known else run.resources, run.state, depth - 1)
        if known:
            self._made[known] = made
        return made

    def _cleaned(self, form: Any, resources: Any, state: TextState, depth: int) -> Any:
        inner = self._filtered(form, resources, state, depth)
        if not inner.removed:
            return None
        made = self._pdf.make_stream(pikepdf.unparse_content_stream(inner.kept))
        for key, value in form.items():
            if key not in ("/Length", "/Filter", "/DecodeParms"):
                made[key] = value
        made.Resources = copy(resources)
        _add_forms(made, made.Resources, inner.forms)
        return made


def _name(instruction: Instruction) -> str:
    return str(instruction.operator)


def _found(resources: Any, kind: str, name: Any) -> Any:
    """What a name stands for; a dictionary that is given in its place stands for itself."""
    if isinstance(name, Dictionary):
        return name
    known = resources.get(kind) if isinstance(resources, Dictionary) else None
    try:
        return known.get(name) if isinstance(known, Dictionary) else None
    except (TypeError, ValueError):
        return None


def _line_feed(instruction: Instruction, name: str) -> Iterator[Instruction]:
    if name == '"' and len(instruction.operands) == 3:
        for operand, setter in zip(instruction.operands, ("Tw", "Tc"), strict=False):
            yield pikepdf.ContentStreamInstruction([operand], Operator(setter))
    yield pikepdf.ContentStreamInstruction([], _NEXT_LINE)


def _move_pen(run: _Run) -> None:
    """Text that follows on the same line starts where what was taken out ended."""
    moves = [removed.advance for removed in run.pending]
    across = run.state.size * run.state.stretch
    if not moves or not across:
        return
    if None in moves:
        # How far it went can't be told: better hidden text that stays than visible text that moves.
        for removed in reversed(run.pending):
            run.kept.insert(removed.at, _without_feed(removed.instruction))
        run.removed -= len(moves)
        return
    back = -1000 * sum(move for move in moves if move) / across
    run.kept.append(pikepdf.ContentStreamInstruction([Array([round(back, 3)])], _SHOW_SPACED))


def _without_feed(instruction: Instruction) -> Instruction:
    """The showing alone, as its line feed was kept."""
    if _name(instruction) in ("Tj", "TJ"):
        return instruction
    return pikepdf.ContentStreamInstruction([instruction.operands[-1]], Operator("Tj"))


def _add_forms(owner: Any, resources: Any, forms: dict[str, Any]) -> None:
    if not forms:
        return
    # Dictionaries of its own: others may share these.
    fresh, objects = copy(resources), resources.get("/XObject")
    fresh.XObject = copy(objects) if isinstance(objects, Dictionary) else Dictionary()
    for name, form in forms.items():
        fresh.XObject[name] = form
    owner.Resources = fresh
