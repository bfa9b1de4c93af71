"""`NAME_ocr_results.json`: all that is known about the text of a file, written page by page. See results.schema.json."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any, BinaryIO

from ocr_worker.model.page import Box, Line, Page, Word
from ocr_worker.outputs.document import Document, Summary
from ocr_worker.outputs.results_file import SCHEMA, SCHEMA_VERSION


class JsonWriter:
    """The file's `outputs` say what stands beside it; so a reader can tell whether a set of outputs is whole."""

    def __init__(self, stream: BinaryIO, document: Document) -> None:
        self._stream = stream
        self._summary = Summary()
        self._texts: list[str] = []
        self._outputs: dict[str, dict[str, Any]] = {}
        self._models: list[dict[str, Any]] = []
        self._write(_dump(_head(document))[:-1] + ',\n"pages": [')

    def add(self, page: Page) -> None:
        self._write(("," if self._texts else "") + "\n" + _dump(page_record(page)))
        self._summary.add(page)
        self._texts.append(page.text)

    def list_output(self, kind: str, name: str, size: int, sha256: str) -> None:
        self._outputs[kind] = {"name": name, "bytes": size, "sha256": sha256}

    def list_models(self, models: list[dict[str, Any]]) -> None:
        """The language data that pages were read with."""
        self._models = models

    def finish(self) -> None:
        tail = {
            "engine": ", ".join(dict.fromkeys(name for name, _ in self._summary.engines)) or None,
            "engine_version": ", ".join(version for _, version in self._summary.engines) or None,
            "models": self._models,
            "confidence": self._summary.confidence,
            "characters": self._summary.characters,
            "text": "\f".join(self._texts),
            "outputs": self._outputs,
            "finished": timestamp(),
        }
        self._write("\n],\n" + _dump(tail)[1:] + "\n")

    def _write(self, text: str) -> None:
        self._stream.write(text.encode("ascii"))


def timestamp() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def page_record(page: Page) -> dict[str, Any]:
    scale = (
        (page.width_points / page.width_px, page.height_points / page.height_px)
        if page.width_px and page.height_px
        else (0.0, 0.0)
    )
    record = {
        "page": page.number,
        "status": page.status,
        "width_px": page.width_px,
        "height_px": page.height_px,
        "width_points": page.width_points,
        "height_points": page.height_points,
        "dpi": page.dpi,
        "dpi_estimated": page.dpi_estimated,
        "rotation": page.turned,
        "confidence": page.confidence,
        "seconds": page.seconds,
        "warnings": list(page.warnings),
        "text": page.text,
        "lines": [_line_record(line, scale) for line in page.lines],
    }
    return record | ({"error": {"code": page.error_code, "message": page.error}} if page.error_code else {})


def _head(document: Document) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "source": {
            "path": document.path,
            "type": document.kind,
            "bytes": document.bytes,
            "sha256": document.sha256,
        },
        "page_count": document.pages,
        "languages": list(document.languages),
        "settings": document.settings,
        "warnings": list(document.warnings),
        "created": document.created,
    }


def _line_record(line: Line, scale: tuple[float, float]) -> dict[str, Any]:
    return {
        "text": line.text,
        "block": line.block,
        "paragraph": line.paragraph,
        "box_px": list(line.box),
        "box_points": _points(line.box, scale),
        "baseline_px": [round(value, 1) for value in line.baseline],
        "words": [_word_record(word, scale) for word in line.words],
    }


def _word_record(word: Word, scale: tuple[float, float]) -> dict[str, Any]:
    record = {
        "text": word.text,
        "box_px": list(word.box),
        "box_points": _points(word.box, scale),
        "confidence": word.confidence,
    }
    return record | ({"reader": word.reader} if word.reader else {})


def _points(box: Box, scale: tuple[float, float]) -> list[float]:
    return [round(side * scale[number % 2], 2) for number, side in enumerate(box)]


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
