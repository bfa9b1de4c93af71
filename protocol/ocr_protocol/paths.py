"""Paths on the wire: plain text, or a `file:///` URI for bytes that are not UTF-8. Touches no file system."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

_URI_STARTS = ("file:///", "file://localhost/")


def path_from_wire(text: str) -> str:
    """Return the path as `os.fsdecode` would; ValueError if no file can have it (empty, or with a NUL)."""
    coded = _path_of_uri(text)
    path = text if coded is None else os.fsdecode(unquote_to_bytes(coded))
    if not path or "\0" in path:
        raise ValueError("a path is not empty and holds no NUL")
    # file:///C:/scans is C:/scans to Windows.
    return path[1:] if coded is not None and os.name == "nt" and path[2:3] == ":" else path


def path_to_wire(path: str) -> str:
    """Return text that is UTF-8: the path as it is, or an absolute URI where its bytes are not."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return Path(path).absolute().as_uri()
    return path


def _path_of_uri(text: str) -> str | None:
    # The start's last slash is the path's first.
    for start in _URI_STARTS:
        if text.startswith(start):
            return text[len(start) - 1 :]
    # To Windows file://server/scans is a share.
    return text[5:] if os.name == "nt" and text.startswith("file://") else None
