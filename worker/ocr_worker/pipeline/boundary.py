"""Tasks and outcomes as lines of ASCII JSON: the process boundary, from both sides. Never pickle."""

from __future__ import annotations

import json
from typing import Any, cast

from ocr_worker.pipeline import tasks
from ocr_worker.pipeline.tasks import FailedPage, Outcome, PageSettings, Source, Task

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        tasks.WarmTask, tasks.OpenTask, tasks.PageTask, tasks.ComposeTask, tasks.InspectTask,
        tasks.OverlayTask,
        tasks.Warmed, tasks.Opened, tasks.PageDone, tasks.Composed, tasks.Inspected,
        tasks.Drawn, tasks.Failure,
    )
}  # fmt: skip


def dump(message: Task | Outcome) -> bytes:
    """One line. Surrogates of undecodable path bytes survive as JSON escapes."""
    fields = {"kind": type(message).__name__, **_fields(message)}
    return json.dumps(fields, separators=(",", ":"), default=_fields).encode("ascii") + b"\n"


def _fields(message: Any) -> dict[str, Any]:
    # Not `asdict`: it copies all that is within, which a page of a card would feel.
    return {name: getattr(message, name) for name in message.__slots__}


def load_task(line: bytes) -> Task:
    return cast("Task", _load(line))


def load_outcome(line: bytes) -> Outcome:
    """Read an outcome; ValueError, KeyError or TypeError mean that the page process went astray."""
    return cast("Outcome", _load(line))


def _load(line: bytes) -> object:
    fields = json.loads(line)
    kind = _KINDS[fields.pop("kind")]
    return kind(**{name: _typed(name, value) for name, value in fields.items()})


def _typed(name: str, value: Any) -> Any:
    if name == "settings" and value is not None:
        return PageSettings(**{key: _typed(key, part) for key, part in value.items()})
    if name == "source":
        return Source(**{key: _typed(key, part) for key, part in value.items()})
    if name == "failed_pages":
        return tuple(FailedPage(**page) for page in value)
    return tuple(value) if isinstance(value, list) else value
