"""The wire: commands, events, and the codec between them and bytes.

What is imported here is loaded when it is first used: who needs paths alone does not load pydantic.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocr_protocol._schema_hash import SCHEMA_SHA256
    from ocr_protocol.answers import ANSWERS, Answer
    from ocr_protocol.codec import decode, encode
    from ocr_protocol.codes import RETRYABLE, ErrorCode
    from ocr_protocol.commands import COMMANDS, Command, CommandName
    from ocr_protocol.events import Error, Event, Info, Progress, Result
    from ocr_protocol.lines import MAX_LINE_BYTES, Line, LineSplitter, TooLong
    from ocr_protocol.options import BatchOptions
    from ocr_protocol.paths import path_from_wire, path_to_wire
    from ocr_protocol.refusals import WireError

PROTOCOL = 1
"""The version of the wire that this package writes and reads."""

__all__ = [
    "ANSWERS",
    "COMMANDS",
    "MAX_LINE_BYTES",
    "PROTOCOL",
    "RETRYABLE",
    "SCHEMA_SHA256",
    "Answer",
    "BatchOptions",
    "Command",
    "CommandName",
    "Error",
    "ErrorCode",
    "Event",
    "Info",
    "Line",
    "LineSplitter",
    "Progress",
    "Result",
    "TooLong",
    "WireError",
    "decode",
    "encode",
    "path_from_wire",
    "path_to_wire",
]

_PLACES = {
    "ocr_protocol._schema_hash": ("SCHEMA_SHA256",),
    "ocr_protocol.answers": (
        "ANSWERS",
        "Answer",
    ),
    "ocr_protocol.codec": (
        "decode",
        "encode",
    ),
    "ocr_protocol.codes": (
        "RETRYABLE",
        "ErrorCode",
    ),
    "ocr_protocol.commands": (
        "COMMANDS",
        "Command",
        "CommandName",
    ),
    "ocr_protocol.events": (
        "Error",
        "Event",
        "Info",
        "Progress",
        "Result",
    ),
    "ocr_protocol.lines": (
        "MAX_LINE_BYTES",
        "Line",
        "LineSplitter",
        "TooLong",
    ),
    "ocr_protocol.options": ("BatchOptions",),
    "ocr_protocol.paths": (
        "path_from_wire",
        "path_to_wire",
    ),
    "ocr_protocol.refusals": ("WireError",),
}
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _PLACE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
