"""Tasks and outcomes as lines of ASCII JSON, for both sides of the process boundary. Never pickle.

Each line has the ticket of its task, so that an outcome is never mistaken for that of another task.
"""

from __future__ import annotations

import json
from typing import Any, cast

from ocr_worker.model import tasks
from ocr_worker.model.tasks import Confine, FailedPage, Outcome, PageSettings, Source, Task

_Kinds = dict[str, type[Any]]
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
    """The ticket and its outcome; ValueError, KeyError, TypeError or RecursionError mean that the page process went astray."""
    ticket, outcome = _load(line, _OUTCOMES)
    return ticket, cast("Outcome", outcome)


def _load(line: bytes, kinds: _Kinds) -> tuple[int, object]:
    fields = dict(json.loads(line))
    ticket, kind = fields.pop("ticket"), kinds[fields.pop("kind")]
    return ticket, kind(**{name: _typed(name, value) for name, value in fields.items()})


def _typed(name: str, value: Any) -> Any:
    if name == "settings" and value is not None:
        return PageSettings(**{key: _typed(key, part) for key, part in value.items()})
    if name == "source":
        return Source(**{key: _typed(key, part) for key, part in value.items()})
    if name == "failed_pages":
        return tuple(FailedPage(**page) for page in value)
    return tuple(value) if isinstance(value, list) else value
