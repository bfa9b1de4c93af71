"""Keeps the document that was worked on last open, since the next page is mostly of the same one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ocr_worker.engines.pdf.pdf_file import PdfFile, open_pdf, open_structure
from ocr_worker.pages.source_file import Stamp

MOST_READ_BYTES = 4 << 20
"""Of a document, until it is opened afresh to be drawn (0.2 ms, in a book of 2,000 pages up to 17)."""
_Key = tuple[Path, "str | None", "Stamp | None"]


class Documents:
    def __init__(self) -> None:
        self._key: _Key | None = None
        self._pdf: PdfFile | None = None
        self._read_bytes = 0
        """About so much of it is held in memory: a page's share of the file each time."""

    def pdf(self, path: Path, password: str | None, stamp: Stamp | None) -> PdfFile:
        """The opened document; without a stamp it is opened anew."""
        key = (path, password, stamp)
        if self._pdf is None or key != self._key or stamp is None:
            self.close()
            self._pdf, self._key, self._read_bytes = open_pdf(path, password), key, 0
        elif self._read_bytes > MOST_READ_BYTES:
            self._pdf, self._read_bytes = self._pdf.afresh(path, password), 0
        if stamp is not None:
            self._read_bytes += stamp[0] // self._pdf.pages
        return self._pdf

    @contextmanager
    def structure(self, path: Path, password: str | None) -> Iterator[Any]:
        """A fresh opening for whoever is going to change the document in memory."""
        structure, _ = open_structure(path, password)
        with structure:
            yield structure

    def close(self) -> None:
        if self._pdf is not None:
            self._pdf.close()
        self._pdf = self._key = None
