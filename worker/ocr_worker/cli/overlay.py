"""`overlay`: finds the results that belong to a file, or makes them, and has a child process draw them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocr_protocol.paths import path_from_wire
from ocr_worker.cli.asking import Asker, absolute
from ocr_worker.cli.exits import UsageError
from ocr_worker.engines.catalogue import require_languages
from ocr_worker.errors import EngineError, InternalError, NotFoundError, OcrError, PageTimeoutError
from ocr_worker.outputs.json_results import page_record
from ocr_worker.pipeline.page_file import read_page
from ocr_worker.pipeline.tasks import Inspected, InspectTask, PageDone, PageSettings, PageTask, Source
from ocr_worker.plan import SUFFIXES
from ocr_worker.settings import Settings

DRAW_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page of a file, drawn. `results` is None where they are to be found."""

    file: Path
    page: int
    results: Path | None
    languages: tuple[str, ...]
    password: str | None


def make_overlay(settings: Settings, wanted: Wanted, output: Path | None) -> dict[str, Any]:
    """Draw the words of a page over it; what was drawn, and where it is. Raises OcrError."""
    with tempfile.TemporaryDirectory(prefix="ocr-worker-") as scratch:
        source, results = _find(wanted)
        if not source.is_file():
            raise NotFoundError(f"{source} does not exist, or is no regular file.")
        results = results or _recognise(settings, wanted, Path(scratch))
        picture = absolute(output or Path(f"{source.stem}_overlay_{wanted.page}.png"))
        _draw(source, results, wanted.page, picture)
        return {
            "file": str(source),
            "page": wanted.page,
            "picture": str(picture),
            "words": _words(results, wanted.page),
        }


def draw_in_child(order: str) -> int:
    """The child's side: one order as JSON, one answer on stdout, empty when all went well."""
    from ocr_worker.claim import claim
    from ocr_worker.pipeline.overlay import draw_overlay

    channel, fields = claim(), json.loads(order)
    try:
        draw_overlay(Path(fields["source"]), Path(fields["results"]), fields["page"], Path(fields["picture"]))
    except OcrError as error:
        os.write(channel.stdout, error.message.encode("utf-8", "replace"))
        return 1
    return 0


def _find(wanted: Wanted) -> tuple[Path, Path | None]:
    """The source, and its results where there are any that are of its content."""
    if wanted.results is None and wanted.file.name.endswith(".json"):
        record = _record(wanted.file)
        return Path(path_from_wire(record["source"]["path"])), wanted.file
    if not wanted.file.is_file():
        return wanted.file, None
    if wanted.results is not None:
        if not _is_of(wanted.results, wanted.file):
            raise UsageError(
                f"{wanted.results} holds the results of another file, or of {wanted.file} before it changed."
            )
        return wanted.file, wanted.results
    beside = wanted.file.with_name(wanted.file.stem + SUFFIXES["json"])
    return wanted.file, beside if beside.is_file() and _is_of(beside, wanted.file) else None


def _is_of(results: Path, source: Path) -> bool:
    digest = hashlib.sha256()
    with source.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return bool(_record(results)["source"]["sha256"] == digest.hexdigest())


def _record(results: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(results.read_bytes())
        path_from_wire(record["source"]["path"])
        record["source"]["sha256"], record["pages"]  # they are there
    except OSError as error:
        raise NotFoundError(f"{results} can't be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{results} holds no OCR results of this program.") from error
    return record


def _recognise(settings: Settings, wanted: Wanted, scratch: Path) -> Path:
    """Results of the one page that is wanted."""
    require_languages(wanted.languages)
    source, stored = Source(str(absolute(wanted.file)), wanted.password), scratch / "page"
    with Asker(settings) as asker:
        report = asker.ask(InspectTask(source), Inspected, source.name).report
        if wanted.page > report["pages"]:
            raise NotFoundError(f"{source.name} has no page {wanted.page}, only {report['pages']}.")
        page = PageTask(source, PageSettings(languages=wanted.languages), wanted.page, str(stored))
        asker.ask(page, PageDone, source.name)
    results = scratch / "results.json"
    described = {"path": source.path, "type": report["type"], "sha256": ""}
    results.write_text(
        json.dumps({"source": described, "pages": [page_record(read_page(stored))]}), encoding="ascii"
    )
    return results


def _draw(source: Path, results: Path, page: int, picture: Path) -> None:
    fields = {
        "source": str(absolute(source)),
        "results": str(absolute(results)),
        "page": page,
        "picture": str(picture),
    }
    start = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "ocr_worker"]
    try:
        done = subprocess.run(
            [*start, "draw-overlay", json.dumps(fields)],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=DRAW_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise PageTimeoutError(
            f"{source.name}: page {page} was not drawn within {DRAW_SECONDS} seconds."
        ) from error
    if done.returncode and done.stdout:
        raise EngineError(done.stdout.decode("utf-8", "replace"))
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise InternalError(
            f"{source.name}: page {page} could not be drawn: {' '.join(last) or 'the process died'}"
        )


def _words(results: Path, page: int) -> int:
    found = next(record for record in _record(results)["pages"] if record["page"] == page)
    return sum(len(line["words"]) for line in found["lines"])
