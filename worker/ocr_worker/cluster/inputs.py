"""The coordinator's own look at an input, to send it or to judge what a node says of it. Follows no link that a page process would not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from ocr_worker.errors import FAILURES
from ocr_worker.files.held import open_below
from ocr_worker.files.regular import open_regular
from ocr_worker.model.tasks import Source

_NOT_SEEN = "it does not see {}: share its folder with the node, or map it"
SEEN_OTHERWISE = {
    "not_found": _NOT_SEEN,
    "permission": _NOT_SEEN,
    "unreachable": _NOT_SEEN,
    "not_regular": "to it {} is no file, or lies behind a link: share the folder itself with the node",
    "changed": "its {} has another size or time: share the folder with the node rather than a copy of it",
}
"""What a node says of a file, and what that says of the node where this machine sees the file otherwise."""


def is_of_the_node(code: str) -> bool:
    """Whether it is its machine that has to change: its disk is full, its languages are gone."""
    return code in FAILURES and FAILURES[code].blame == "machine"


def is_seen_otherwise(source: Source, code: str) -> bool:
    """Whether this machine sees a file otherwise than a node that says this of it. Raises OSError, LinkedError."""
    if SEEN_OTHERWISE[code] is _NOT_SEEN:
        return Path(source.path).is_file()
    with open_input(source) as stream:
        found = os.fstat(stream.fileno())
    return source.stamp is None or (found.st_size, found.st_mtime_ns, found.st_ino) == source.stamp


def open_input(source: Source) -> BinaryIO:
    """The regular file. Raises OSError, LinkedError."""
    path, folder = Path(source.path), source.no_links_below
    return open_regular(path) if folder is None else open_below(path, Path(folder))


def content_of(source: Source, most_bytes: int) -> bytes | None:
    """All of a small file; None where it is larger, or not what it was. Raises OSError, LinkedError."""
    if source.stamp is None or source.stamp[0] > most_bytes:
        return None
    with open_input(source) as stream:
        content = stream.read(most_bytes + 1)
    return content if len(content) == source.stamp[0] else None
