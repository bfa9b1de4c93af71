"""The commands that page work may start."""

from __future__ import annotations

from ocr_worker.engines.ocr.registry import all_engines
from ocr_worker.files.commands import find_command

POPPLER = ("pdftoppm", "pdfinfo")


def page_commands() -> tuple[str, ...]:
    """Those that this machine has, by their paths."""
    engines = [found.probe.place for found in all_engines()]
    return tuple(str(command) for command in (*engines, *map(find_command, POPPLER)) if command)
