"""Tasks and outcomes as lines of ASCII JSON, for both sides of the process boundary. Never pickle.

Each line has the ticket of its task, so that an outcome is never mistaken for that of another task.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from ocr_worker.errors import FAILURES
from ocr_worker.model import tasks
from ocr_worker.model.tasks import (
    Confine,
    FailedPage,
    Failure,
    Opened,
    Outcome,
    PageSettings,
    Source,
    Task,
)

NEEDS_COMMAND = "needs_command"
"""The code of a failure that the pool answers with a process that may start commands."""
REFUSED = "refused"
"""A detail of a failure for the pool alone: the system refused, or the rules of the process did."""
MOST_LINE_BYTES = 32 * 2**20
"""Of an answer; what `inspect` tells of a hundred thousand pages is less."""
MOST_PAGES = 10**6
MOST_INT = 2**64
_Kinds = dict[str, type[Any]]
_hints: dict[type[Any], Mapping[str, Any]] = {}
"""Of the fields of data classes, found once."""
_TASKS: _Kinds = {
    kind.__name__: kind
    for kind in (
        tasks.WarmTask, tasks.OpenTask, tasks.PageTask, tasks.ComposeTask, tasks.CorrectTask, tasks.InspectTask,
        tasks.OverlayTask, tasks.PictureTask, tasks.Confine,
    )
}  # fmt: skip
_OUTCOMES: _Kinds = {
    kind.__name__: kind
    for kind in (
        tasks.Warmed, tasks.Opened, tasks.PageDone, tasks.Composed, tasks.Inspected,
        tasks.Drawn, tasks.Failure,
    )
}  # fmt: skip


def dump(ticket: int, message: Task | Confine | Outcome) -> bytes:
    """One line. Surrogates of undecodable path bytes survive as JSON escapes."""
    fields = {"ticket": ticket, "kind": type(message).__name__, **_fields(message)}
    return json.dumps(fields, separators=(",", ":"), default=_fields).encode("ascii") + b"\n"


def _fields(message: Any) -> dict[str, object]:
    # Not `asdict`: it copies all that is within, which a page of a card would feel.
    return {name: getattr(message, name) for name in message.__slots__}


def load_task(line: bytes) -> tuple[int, Task | Confine]:
    """A task and its ticket."""
    ticket, task = _load(line, _TASKS)
    return ticket, cast("Task | Confine", task)


def load_outcome(line: bytes) -> tuple[int, Outcome]:
    """The ticket and its outcome; ValueError, KeyError, TypeError or RecursionError mean that the page process went astray.

    A hostile file may have taken the process over: nothing that it answers is to harm the worker.
    """
    ticket, outcome = _load(line, _OUTCOMES)
    if type(ticket) is not int or not has_its_types(outcome):
        raise ValueError("a field has a wrong type")
    _require_sound(outcome)
    return ticket, cast("Outcome", outcome)


def _require_sound(outcome: object) -> None:
    if isinstance(outcome, Opened):
        weights = len(outcome.page_weights)
        if not 0 < outcome.pages <= MOST_PAGES or weights not in (0, outcome.pages):
            raise ValueError("so many pages has no file")
        if not outcome.sha256.isascii():
            raise ValueError("that is no digest")
    if isinstance(outcome, Failure) and outcome.code not in FAILURES and outcome.code != NEEDS_COMMAND:
        raise ValueError("no such code")


def has_its_types(data: Any) -> bool:
    """Whether the fields of a data class hold what they are declared to hold."""
    kind = type(data)
    if kind not in _hints:
        _hints[kind] = get_type_hints(kind)
    return all(_is(getattr(data, name), hint) for name, hint in _hints[kind].items())


def _is(value: object, hint: Any) -> bool:
    """Whether a value is what the field of an outcome holds."""
    kind, parts = get_origin(hint), get_args(hint)
    if kind is None:
        return _is_plain(value, hint)
    if kind is Literal:
        return value in parts
    if kind is dict:
        return isinstance(value, dict) and all(_is(one, parts[1]) for one in value.values())
    if kind is tuple:
        hints = parts[:1] * len(value) if isinstance(value, tuple) and parts[-1] is ... else parts
        return isinstance(value, tuple) and len(value) == len(hints) and all(map(_is, value, hints))
    return any(_is(value, part) for part in parts)


def _is_plain(value: object, hint: Any) -> bool:
    if hint is int:
        return type(value) is int and abs(value) < MOST_INT
    if hint is float:
        return type(value) in (int, float)
    return hint is Any or (type(value) is hint and (not is_dataclass(hint) or has_its_types(value)))


def _load(line: bytes, kinds: _Kinds) -> tuple[int, Any]:
    fields = dict(json.loads(line, parse_constant=_refuse))
    ticket, kind = fields.pop("ticket"), kinds[fields.pop("kind")]
    return ticket, kind(**{name: _typed(name, value) for name, value in fields.items()})


def _refuse(constant: str) -> None:
    """Infinity, and what is no number: others' JSON has neither."""
    raise ValueError(constant)


def _typed(name: str, value: Any) -> Any:
    if name == "settings" and value is not None:
        return PageSettings(**{key: _typed(key, part) for key, part in value.items()})
    if name == "source":
        return Source(**{key: _typed(key, part) for key, part in value.items()})
    if name == "failed_pages":
        return tuple(FailedPage(**page) for page in value)
    return tuple(value) if isinstance(value, list) else value
