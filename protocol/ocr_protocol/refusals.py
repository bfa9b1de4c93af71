"""Why a line is refused: one code, one plain sentence that names the field and never shows a value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from ocr_protocol.codes import CommandCode
from ocr_protocol.events import Error, ErrorData

_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Origin:
    """What could be read of the command that a refusal answers."""

    id: str | int | None = None
    command: str | None = None


UNKNOWN = Origin()


class WireError(Exception):
    """A line that is no command; `event()` is the one answer it gets."""

    def __init__(self, code: CommandCode, message: str, origin: Origin = UNKNOWN, **details: str) -> None:
        super().__init__(message)
        self.code, self.message, self.details = code, message, details
        self.id, self.command = origin.id, origin.command

    def event(self) -> Error:
        """Return the error to send, with the id that could be read."""
        data = ErrorData(message=self.message, code=self.code, retryable=False, details=dict(self.details))
        return Error(id=self.id, command=self.command, data=data)


def shorten(name: str) -> str:
    """Return a name of the host's as short, quoted ASCII."""
    return json.dumps(name if len(name) <= _SHOWN_CHARACTERS else name[:_SHOWN_CHARACTERS] + "...")


def explain(error: ValidationError, model: type[BaseModel]) -> tuple[str, str]:
    """Return the dotted place of the first fault in a `model`, and the sentence about it."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    location = first["loc"]
    if first["type"] == "extra_forbidden":
        name = _dotted(location)
        return name, f"Unknown field {shorten(name)}"
    name, item, expected = _describe(location, model)
    if first["type"] == "missing":
        return name, f"Field {name} is missing: it must be {expected}"
    if item:
        return f"{name}{item}", f"Field {name}{item} is refused: {name} must be {expected}"
    return name, f"Field {name} must be {expected}"


def unknown_field(error: ValidationError) -> str | None:
    """Return the dotted place of the first field that there is no such."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return next((_dotted(fault["loc"]) for fault in faults if fault["type"] == "extra_forbidden"), None)


def _dotted(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)[:_SHOWN_CHARACTERS]


def _describe(location: tuple[int | str, ...], model: type[BaseModel]) -> tuple[str, str, str]:
    """Return the field's dotted name, the item's index after a dot, and what is expected of the field."""
    names: list[str] = []
    item = ""
    expected = "an object"
    inner: type[BaseModel] | None = model
    for part in location:
        field = inner.model_fields.get(part) if inner and isinstance(part, str) else None
        if field is None:
            # Beyond the fields lie indices, but also the host's own keys and pydantic's tags.
            item = f".{part}" if isinstance(part, int) else ""
            break
        names.append(str(part))
        expected = field.description or expected
        inner = _model_of(field.annotation)
    return ".".join(names), item, expected


def _model_of(annotation: Any) -> type[BaseModel] | None:
    candidates = [annotation, *getattr(annotation, "__args__", ())]
    return next((a for a in candidates if isinstance(a, type) and issubclass(a, BaseModel)), None)
