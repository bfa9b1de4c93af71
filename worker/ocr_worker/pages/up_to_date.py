"""Whether outputs from before still hold: whole, of this very content, and made as they would be made now."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from ocr_worker.engines.ocr.loaded import Engines
from ocr_worker.errors import OcrError
from ocr_worker.files.regular import read_regular
from ocr_worker.model.tasks import OpenTask, PageSettings
from ocr_worker.outputs.results_file import SCHEMA, SCHEMA_VERSION
from ocr_worker.pages.source_file import Look

_FAILED = {"timeout", "failed", "crashed"}


def is_up_to_date(task: OpenTask, seen: Look, engines: Engines) -> bool:
    """By the JSON results and the hashes they hold; without a JSON nothing can be told, so: no."""
    record = _read(task.existing.get("json"))
    if record is None or record["source"]["sha256"] != seen.sha256:
        return False
    return (
        record["settings"] == settings_record(task.settings)
        and not any(page["status"] in _FAILED for page in record["pages"])
        and all(
            _is_whole(record, name, Path(place)) for name, place in task.existing.items() if name != "json"
        )
        and _same_reader(record, task.settings, engines)
    )


def settings_record(settings: PageSettings) -> dict[str, Any]:
    """The settings as the JSON results keep them."""
    record: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(settings)))
    # Where else data was looked for makes no other output: what was found is told by its hash.
    del record["tessdata_dirs"]
    from ocr_worker.engines.ocr import second_reader

    # Without a second reader it says nothing.
    if not second_reader.takes_part(settings):
        del record["second_reader"]
    return record


def _read(place: str | None) -> dict[str, Any] | None:
    if place is None:
        return None
    try:
        record = json.loads(read_regular(Path(place)))
        known = (record["schema"], record["schema_version"]) == (SCHEMA, SCHEMA_VERSION)
        shaped = (
            all(isinstance(record[key], kind) for key, kind in _SHAPE.items())
            and "sha256" in record["source"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if known and shaped else None


_SHAPE = {"source": dict, "settings": dict, "pages": list, "outputs": dict, "models": list}


def _is_whole(record: dict[str, Any], name: str, place: Path) -> bool:
    noted = record["outputs"].get(name)
    try:
        if noted is None or place.stat().st_size != noted["bytes"]:
            return False
        return bool(hashlib.sha256(read_regular(place)).hexdigest() == noted["sha256"])
    except OSError:
        return False


def _same_reader(record: dict[str, Any], settings: PageSettings, engines: Engines) -> bool:
    """Same engine, same version, same data; a file that was not recognised at all depends on none."""
    if record["engine"] is None:
        return True
    from ocr_worker.engines.ocr import registry

    try:
        engine = engines.engine(settings)
        same_models = record["models"] == registry.models(settings)
    except OcrError:
        return False
    return bool((record["engine"], record["engine_version"]) == (engine.name, engine.version) and same_models)
