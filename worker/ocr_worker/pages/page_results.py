"""A page's result on disk, between its recognition and the composing of the file: compact, versioned, whole or absent."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

from ocr_worker.errors import InternalError
from ocr_worker.files.atomic import write_unsynced
from ocr_worker.model.page import Line, Page, Word

VERSION = 3
_FIELDS = (
    "number", "status", "width_px", "height_px", "dpi", "dpi_estimated", "width_points", "height_points", "turned",
    "engine", "engine_version", "seconds", "hidden_text", "repainted", "error_code", "error",
)  # fmt: skip


def write_page(path: Path, page: Page) -> None:
    record: dict[str, Any] = {"version": VERSION, **{name: getattr(page, name) for name in _FIELDS}}
    record["warnings"] = list(page.warnings)
    record["lines"] = [_pack(line) for line in page.lines]
    write_unsynced(path, zlib.compress(json.dumps(record, separators=(",", ":")).encode("ascii"), 1))


def read_page(path: Path) -> Page:
    """Raises InternalError for anything but a whole result of this version: the page has to be done again."""
    try:
        record = json.loads(zlib.decompress(path.read_bytes()))
        fields = {name: record[name] for name in _FIELDS} if record["version"] == VERSION else {}
        return Page(**fields, warnings=tuple(record["warnings"]), lines=tuple(map(_unpack, record["lines"])))
    except (OSError, ValueError, KeyError, TypeError, zlib.error) as error:
        raise InternalError(f"The stored result {path.name} can't be read: {error}") from error


def write_picture(result: Path, picture: bytes) -> None:
    """Beside the result of its page, which is written after it."""
    write_unsynced(_picture_place(result), picture)


def read_picture(result: Path) -> bytes:
    """Raises InternalError: the page has to be done again."""
    place = _picture_place(result)
    try:
        return place.read_bytes()
    except OSError as error:
        raise InternalError(f"The stored picture {place.name} can't be read: {error}") from error


def _picture_place(result: Path) -> Path:
    return result.with_suffix(".picture")


def _pack(line: Line) -> list[Any]:
    words = [[w.text, *w.box, w.confidence, int(w.space_before), w.reader] for w in line.words]
    return [line.block, line.paragraph, list(line.box), list(line.baseline), words]


def _unpack(packed: list[Any]) -> Line:
    block, paragraph, box, baseline, words = packed
    unpacked = tuple(Word(w[0], (w[1], w[2], w[3], w[4]), w[5], bool(w[6]), w[7]) for w in words)
    return Line(unpacked, tuple(box), tuple(baseline), block, paragraph)
