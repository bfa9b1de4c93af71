"""Bytes to commands, events to bytes. Every line that is no command raises WireError, and nothing else."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, cast

from pydantic import ValidationError

from ocr_protocol.commands import COMMANDS, Command, CommandName
from ocr_protocol.events import MAX_NAME_CHARACTERS, Event
from ocr_protocol.lines import Line, TooLong
from ocr_protocol.refusals import Origin, WireError, explain, shorten, unknown_field

_MAX_NUMBER_CHARACTERS = 1000
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
# An escaped pair, a lone half (the group), or any other escape, so that none is read from its middle.
_ESCAPE = re.compile(r"\\(?:ud[89ab]..\\ud[c-f]..|(ud[89a-f]..)|.)")

NO_FILES = "No files provided for OCR batch processing"
NO_OUTPUT_DIR = "No output directory provided"


def decode(line: Line) -> Command:
    """Read one line as LineSplitter gives it; WireError says what is wrong with it."""
    if isinstance(line, TooLong):
        raise WireError("line_too_long", f"The line is longer than {line.limit_bytes} bytes")
    message, repeated = _parse(line)
    if not isinstance(message, dict):
        raise WireError("invalid_params", "A command must be a JSON object")
    if repeated:
        origin = Origin(None if "id" in repeated else _read_id(message))
        text = f"Field {shorten(repeated[0])} is given more than once"
        raise WireError("invalid_params", text, origin, field=repeated[0][:60])
    return _build(message, Origin(_read_id(message)))


def encode(event: Event, seq: int | None = None) -> bytes:
    """Write an event as one line of ASCII; `seq`, where given, takes the place of the event's own."""
    fields = event.model_dump(mode="json", exclude_none=True, fallback=str)
    data = fields.pop("data")
    if seq is not None:
        fields["seq"] = seq
    text = json.dumps({**fields, "data": data}, allow_nan=False, separators=(",", ":"))
    return _ESCAPE.sub(_replace_lone_half, text).encode("ascii") + b"\n"


def _parse(line: bytes) -> tuple[Any, list[str]]:
    """Return what the line says and the names that an object of it holds twice."""
    try:
        return _load(line.decode("utf-8"))
    except UnicodeDecodeError:
        fault = "The line is not UTF-8"
    except UnicodeEncodeError:
        fault = "A string of the line holds half a surrogate pair"
    except json.JSONDecodeError as error:
        fault = f"The line is not JSON: {error.msg} (character {error.pos})"
    except ValueError as error:
        fault = f"The line is not JSON: {error}"
    except RecursionError:
        fault = "The line is nested too deep"
    raise WireError("parse_error", fault)


def _load(text: str) -> tuple[Any, list[str]]:
    repeated: list[str] = []

    def gather(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for name, value in pairs:
            if name in fields:
                repeated.append(name)
            fields[name] = value
        return fields

    message = json.loads(
        text,
        object_pairs_hook=gather,
        parse_int=_read_int,
        parse_float=_read_float,
        parse_constant=_refuse_constant,
    )
    if _SURROGATE_ESCAPE.search(text):
        json.dumps(message, ensure_ascii=False).encode("utf-8")
    return message, repeated


def _read_int(digits: str) -> int:
    _check_length(digits)
    return int(digits)


def _read_float(digits: str) -> float:
    _check_length(digits)
    return float(digits)


def _check_length(digits: str) -> None:
    if len(digits) > _MAX_NUMBER_CHARACTERS:
        raise ValueError("a number is too long")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _read_id(message: dict[str, Any]) -> str | int | None:
    match message.get("id"):
        case None | str() as name:
            return name
        case int(number) if not isinstance(number, bool) and -(2**63) <= number < 2**63:
            return number
    raise WireError("invalid_params", "Field id must be a string or a 64-bit integer", field="id")


def _build(message: dict[str, Any], origin: Origin) -> Command:
    name = message.get("command")
    if not isinstance(name, str):
        raise WireError(
            "invalid_params", "Field command must be the name of a command", origin, field="command"
        )
    known = cast("CommandName", name)
    model = COMMANDS.get(known)
    if model is None:
        raise WireError("unknown_command", f"Unknown command {shorten(name)}", Origin(origin.id, _echo(name)))
    try:
        return model.model_validate(message)
    except ValidationError as error:
        field, text = _absence(message) or explain(error, model)
        unknown = unknown_field(error)
    if unknown is None or unknown == field:
        raise WireError("invalid_params", text, Origin(origin.id, known), field=field)
    # Both are said: the one is often the other, misspelled.
    both = f"Unknown field {shorten(unknown)}. {text}"
    raise WireError("invalid_params", both, Origin(origin.id, known), field=unknown, also=field)


def _echo(name: str) -> str | None:
    """Return an unknown name as the host is told it again, or None if that is no name at all."""
    return name if name.isprintable() and 0 < len(name) <= MAX_NAME_CHARACTERS else None


def _absence(message: dict[str, Any]) -> tuple[str, str] | None:
    """Return the field and sentence that hosts of the first design note compare word for word."""
    if message["command"] != "ocr_batch":
        return None
    if message.get("files") in (None, []):
        return "files", NO_FILES
    if message.get("output_dir") in (None, ""):
        return "output_dir", NO_OUTPUT_DIR
    return None


def _replace_lone_half(escape: re.Match[str]) -> str:
    return r"\ufffd" if escape.group(1) else escape.group(0)
