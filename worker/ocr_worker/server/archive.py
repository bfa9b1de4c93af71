"""A zip that is made while it is sent: it never lies on disk or in memory as a whole."""

from __future__ import annotations

import os
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

BLOCK_BYTES = 2**18
_TEXT = {".txt", ".json", ".hocr", ".xml"}


class _Wire:
    """A file object that can only be written, and that gives away what was written."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, block: bytes, /) -> int:
        self._held += block
        return len(block)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """There is nothing to close."""

    def take(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken


def zipped(files: Iterable[tuple[str, IO[bytes]]]) -> Iterator[bytes]:
    """The bytes of a zip of these open files under their names; closes them."""
    wire = _Wire()
    with zipfile.ZipFile(wire, "w", allowZip64=True) as archive:
        for name, stream in files:
            with stream, archive.open(_entry(name, stream), "w", force_zip64=True) as entry:
                while block := stream.read(BLOCK_BYTES):
                    entry.write(block)
                    yield wire.take()
    yield wire.take()


def _entry(name: str, stream: IO[bytes]) -> zipfile.ZipInfo:
    written = time.localtime(os.fstat(stream.fileno()).st_mtime)
    # A zip knows no time before 1980.
    entry = zipfile.ZipInfo(name, max(written[:6], (1980, 1, 1, 0, 0, 0)))
    # PDFs are compressed already.
    entry.compress_type = zipfile.ZIP_DEFLATED if Path(name).suffix in _TEXT else zipfile.ZIP_STORED
    return entry
