"""Paths as users and hosts write them: plain text, or a `file:///` URI for bytes that are not UTF-8. Touches no file.

The worker's half of `ocr_protocol.paths`, which hosts in Python use: the core does not know the wire.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Union
from urllib.parse import unquote_to_bytes

AnyPath = Union[str, "os.PathLike[str]"]
"""A path as Python's callers have it."""
_URI_STARTS = ("file:///", "file://localhost/")
_SHORT = 180
"""Characters of a path that leave room for a temporary name beside it: Windows takes 260 of them."""
_VERBATIM, _DEVICE, _SHARE = "\\\\?\\", "\\\\.\\", "\\\\"
"""How paths begin that may be of any length, those of devices, drives among them, and those of shares."""


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
    coded = _path_of_uri(text)
    path = text if coded is None else os.fsdecode(unquote_to_bytes(coded))
    if not path or "\0" in path:
        raise ValueError("a path is not empty and holds no NUL")
    if coded is not None and os.name == "nt" and path[2:3] == ":":
        # file:///C:/scans is C:/scans to Windows.
        path = path[1:]
    if os.name == "nt" and path.startswith(_VERBATIM):
        # Its dots and spaces are part of it.
        return path
    return usable(os.path.abspath(path))  # noqa: PTH100  # resolve() would follow links


def _path_of_uri(text: str) -> str | None:
    # The start's last slash is the path's first.
    for start in _URI_STARTS:
        if text.startswith(start):
            return text[len(start) - 1 :]
    # To Windows file://server/scans is a share.
    return text[5:] if os.name == "nt" and text.startswith("file://") else None


def folder_above(path: str, folders: Iterable[str]) -> str | None:
    """The outermost of absolute folders that a path lies below, by their letters alone, in the form that the path has."""
    alike = (verbatim(folder) if path.startswith(_VERBATIM) else folder for folder in folders)
    above = (folder for folder in alike if path != folder and Path(path).is_relative_to(folder))
    return min(above, key=len, default=None)


def usable(path: str) -> str:
    """An absolute path as this system can use it: Windows takes a long one only in a form of its own."""
    return verbatim(path) if os.name == "nt" and len(path) > _SHORT else path


def verbatim(path: str) -> str:
    """A path of Windows in the form that may be of any length, and is taken as it stands."""
    if path.startswith((_VERBATIM, _DEVICE)):
        return _VERBATIM + path[len(_VERBATIM) :]
    return f"{_VERBATIM}UNC\\{path[2:]}" if path.startswith(_SHARE) else f"{_VERBATIM}{path}"
