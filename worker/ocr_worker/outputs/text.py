"""Plain text: UTF-8, lines as on paper, an empty line between paragraphs, a form feed between pages."""

from __future__ import annotations

from typing import BinaryIO

from ocr_worker.model.page import Page


class TextWriter:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._begun = False

    def add(self, page: Page) -> None:
        parted = "\f" if self._begun else ""
        self._stream.write((parted + page.text).encode("utf-8", "replace"))
        self._begun = True

    def finish(self) -> None:
        """Nothing follows the last page."""
