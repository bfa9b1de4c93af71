"""`overlay`: find the results of a file, or make them, and have a page process draw them."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from ocr_protocol.paths import path_from_wire
from ocr_worker.cli.exit_codes import UsageError
from ocr_worker.engines.ocr import registry
from ocr_worker.errors import NotFoundError
from ocr_worker.files.regular import open_regular, read_regular
from ocr_worker.jobs.one_off import Question, failed
from ocr_worker.jobs.output_names import SUFFIXES
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.model.tasks import (
    Drawn,
    Inspected,
    InspectTask,
    Outcome,
    OverlayTask,
    PageDone,
    PageSettings,
    PageTask,
    Source,
)
from ocr_worker.outputs.json_results import page_record
from ocr_worker.pages.page_results import read_page
from ocr_worker.settings import Settings

LIMIT_SECONDS = 120.0
Wanting = TypeVar("Wanting", bound=Outcome)


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
            raise NotFoundError(f"{source} does not exist, or is not a regular file.")
        picture = _absolute(output or Path(f"{source.stem}_overlay_{wanted.page}.png"))
        opened = Source(str(_absolute(source)), wanted.password)
        own = replace(settings, state_dir=Path(scratch))
        own.jobs_dir.mkdir()
        with Runtime(own) as runtime:
            results = _absolute(results or _recognise(runtime, opened, wanted, own.jobs_dir))
            task = OverlayTask(opened, str(results), wanted.page, str(picture))
            words = _ask(runtime, task, Drawn, opened.name).words
        return {"file": str(source), "page": wanted.page, "picture": str(picture), "words": words}


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
    with open_regular(source) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return bool(_record(results)["source"]["sha256"] == digest.hexdigest())


def _record(results: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(read_regular(results))
        path_from_wire(record["source"]["path"])
        record["source"]["sha256"], record["pages"]  # they are there
    except OSError as error:
        raise NotFoundError(f"{results} can't be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{results} has no OCR results of this program.") from error
    return record


def _recognise(runtime: Runtime, source: Source, wanted: Wanted, scratch: Path) -> Path:
    """Results of the one page that is wanted."""
    settings = registry.with_own_codes(PageSettings(languages=wanted.languages))
    registry.require(settings)
    stored = scratch / "page"
    report = _ask(runtime, InspectTask(source), Inspected, source.name).report
    if wanted.page > report["pages"]:
        raise NotFoundError(f"{source.name} has no page {wanted.page}, only {report['pages']}.")
    page = PageTask(source, settings, wanted.page, str(stored))
    _ask(runtime, page, PageDone, source.name)
    results = scratch / "results.json"
    described = {"path": source.path, "type": report["type"], "sha256": ""}
    results.write_text(
        json.dumps({"source": described, "pages": [page_record(read_page(stored))]}), encoding="ascii"
    )
    return results


def _ask(runtime: Runtime, question: Question, wanted: type[Wanting], name: str) -> Wanting:
    """The outcome, which is of the wanted class. Raises OcrError, which names the file."""
    outcome = runtime.ask(question, LIMIT_SECONDS).result()
    if not isinstance(outcome, wanted):
        raise failed(outcome, name, LIMIT_SECONDS)
    return outcome


def _absolute(file: Path) -> Path:
    """The same name from any folder; links stay as they are."""
    return Path.cwd() / file
