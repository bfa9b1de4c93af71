"""What a failure must say, whatever it is: the code's own matter, the file, what to do, and whether to try again."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from ocr_protocol.codes import RETRYABLE

Event = dict[str, Any]
SAYS = {
    "not_found": "does not exist|deleted|no longer", "not_regular": "regular file|folder|pipe|device", "permission": "permission|read",
    "locked": "another program|in use", "unreachable": "reached", "empty": "empty", "corrupt": "damaged|read|circles|pixels", "encrypted": "encrypted|password", "bad_password": "password",
    "too_large": "pixels|large|more than", "timeout": "within|seconds|took", "engine": "engine|language|data", "engine_missing": "install",
    "language_missing": "nstall|tessdata_dir", "output_permission": "writ|created|folder", "output_exists": "there|exists",
    "output_conflict": "own output", "no_space": "space", "changed": "changed", "bad_name": "name|path", "crashed": "process|memory|ended",
}  # fmt: skip
"""What a message of each code speaks of."""
WAY_OUT = re.compile(r"\w{2,}\W{0,2}[;.:] \w+\b.* \w{2,}", re.DOTALL)
"""What happened, and then what to do."""


def check(event: Event) -> None:
    """Each failure that an event tells: its code, whether to try again, its file, and a way out."""
    for file, code, message, retryable in _failures(event):
        assert retryable is (code in RETRYABLE), (code, message)
        if file is not None and code in SAYS:
            assert any(name in message for name in _names(file)), message
            assert re.search(SAYS[code], message), (code, message)
            assert WAY_OUT.search(message), message


def _failures(event: Event) -> Iterator[tuple[str | None, str, str, bool]]:
    data = event["data"]
    if event["type"] == "error":
        yield None, data["code"], data["message"], data["retryable"]
    elif data.get("kind") == "file_done" and data.get("error"):
        yield data["file"], data["error"]["code"], data["error"]["message"], data["error"]["retryable"]
    for entry in data.get("failed") or () if data.get("kind") == "batch" else ():
        yield entry["file"], entry["code"], entry["error"], entry["retryable"]


def path_of(file: str) -> Path:
    """Of a path as events have it: one that is not UTF-8 is a URI."""
    return Path(unquote(urlparse(file).path, errors="surrogateescape") if file.startswith("file:") else file)


def _names(file: str) -> tuple[str, ...]:
    """As messages print it: plain, quoted for what can't be printed, or as it was sent where it is no path."""
    name = os.path.basename(os.path.normpath(path_of(file)))  # noqa: PTH119  # no Path holds a NUL
    return os.fsencode(name).decode("utf-8", "replace"), repr(name)[1:-1], file
