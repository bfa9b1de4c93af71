"""Paths as they are written: plain text, or a `file:///` URI for bytes that are not UTF-8. Touches no file.

The worker's half of `ocr_protocol.paths`, which hosts in Python use: the core does not know the wire.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Union
from urllib.parse import unquote_to_bytes

AnyPath = Union[str, "os.PathLike[str]"]
"""A path as Python's callers have it."""
_URI_STARTS = ("file:///", "file://localhost/")


def written(path: AnyPath) -> str:
    """A path as text that is UTF-8: as it is, or an absolute URI where its bytes are not."""
    text = os.fsdecode(path)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return Path(text).absolute().as_uri()
    return text


def absolute_path(text: str) -> str:
    """A path as it was written, as one of this system that holds from any working directory. Links stay as they are.

    Raises:
        ValueError: no file can have it: it is empty, or holds a NUL.
    """
    start = next((start for start in _URI_STARTS if text.startswith(start)), None)
    # The start's last slash is the path's first.
    path = os.fsdecode(unquote_to_bytes(text[len(start) - 1 :])) if start else text
    if not path or "\0" in path:
        raise ValueError("a path is not empty and holds no NUL")
    if start and os.name == "nt" and path[2:3] == ":":
        # file:///C:/scans is C:/scans to Windows.
        path = path[1:]
    return os.path.abspath(path)  # noqa: PTH100  # resolve() would follow links
