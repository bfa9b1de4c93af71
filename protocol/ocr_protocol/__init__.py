"""The wire: commands, events, and the codec between them and bytes."""

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
