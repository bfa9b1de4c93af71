"""Commands to bytes, bytes to lines. The reader has a limit of its own, and lives on after a longer line."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Union

from ocr_client.errors import UnsendableError

MAX_COMMAND_BYTES = 8 * 2**20
"""What the worker reads at most."""
URIS = ("file:///", "file://localhost/")
AnyPath = Union[str, "os.PathLike[str]"]


def encode(command: Mapping[str, Any], most_bytes: int = MAX_COMMAND_BYTES) -> bytes:
    """One line of ASCII.

    Raises:
        UnsendableError: it holds half a surrogate pair or what is no JSON, or is longer than the worker reads.
    """
    try:
        json.dumps(command, ensure_ascii=False).encode("utf-8")
        line = json.dumps(command, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"
    except UnicodeEncodeError as error:
        raise UnsendableError(
            "A string of the command is not Unicode: it holds half a surrogate pair"
        ) from error
    except (TypeError, ValueError) as error:
        raise UnsendableError(f"The command is no JSON: {error}") from error
    if len(line) > most_bytes:
        raise UnsendableError(
            f"The command has {len(line):,} bytes, and the worker reads {most_bytes:,}. Send fewer files at a time"
        )
    return line


def wire_path(path: AnyPath) -> str:
    """The path as the worker reads it: absolute, and a URI where its bytes are not UTF-8. Raises UnsendableError."""
    given = os.fsdecode(path)
    # As the worker itself names such a file.
    if isinstance(path, str) and path.startswith(URIS):
        return path
    # An empty name is the worker's to refuse: it costs that file and not the batch.
    absolute = Path(given).absolute() if given else ""
    try:
        str(absolute).encode("utf-8")
    except UnicodeEncodeError:
        return _uri(Path(absolute))
    return str(absolute)


def _uri(path: Path) -> str:
    try:
        return path.as_uri()
    except UnicodeEncodeError as error:
        raise UnsendableError(f"{str(path)!r} is no path: it holds half a surrogate pair") from error


class LineReader:
    """Cuts a stream at LF. Of a line over the limit nothing is kept; `too_long` counts them."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = bytearray()
        self._dropping = False
        self.too_long = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that this chunk ends, without their LF."""
        *ends, rest = chunk.split(b"\n")
        lines = []
        for end in ends:
            self._hold(end)
            if not self._dropping:
                lines.append(bytes(self._held))
            self._held, self._dropping = bytearray(), False
        self._hold(rest)
        return lines

    def _hold(self, part: bytes) -> None:
        if self._dropping:
            return
        if len(self._held) + len(part) > self._most:
            self._held, self._dropping = bytearray(), True
            self.too_long += 1
        else:
            self._held += part
