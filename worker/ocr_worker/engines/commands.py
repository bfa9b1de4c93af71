"""The commands that page work may start."""

from __future__ import annotations

from ocr_worker.engines.ocr.tessdata import tesseract_command
from ocr_worker.files.commands import find_command

POPPLER = ("pdftoppm", "pdfinfo")


def page_commands() -> tuple[str, ...]:
    """Those that this machine has, by their paths."""
    found = (tesseract_command(), *map(find_command, POPPLER))
    return tuple(str(command) for command in found if command)
