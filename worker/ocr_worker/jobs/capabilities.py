"""What this worker is: versions, engines, languages, limits. Imports no engine."""

from __future__ import annotations

import os
import sys
from typing import Any

from ocr_worker import __version__
from ocr_worker.engines.ocr.tessdata import engine_versions, installed_engines, installed_languages
from ocr_worker.settings import Settings

PROTOCOL = 1


def hello_data(settings: Settings, schema_sha256: str, commands: tuple[str, ...]) -> dict[str, Any]:
    """The `data` of the answer to `hello`."""
    versions = engine_versions()
    return {
        "kind": "hello",
        "protocol": PROTOCOL,
        "versions": {"ocr-sidecar": __version__, "python": sys.version.split()[0], **versions},
        "pid": os.getpid(),
        "commands": commands,
        "engines": [{"name": name, "version": _package(name, versions)} for name in installed_engines()],
        "languages": installed_languages(None),
        "limits": {
            "max_line_bytes": settings.max_line_bytes,
            "max_pixels": 250_000_000,
            "max_workers": settings.page_processes,
            "progress_hz": 10,
        },
        "schema_sha256": schema_sha256,
    }


def _package(engine: str, versions: dict[str, str]) -> str:
    """What the engine comes through, and its version; the results say which Tesseract read."""
    name = "pytesseract" if engine == "tesseract" else engine
    return f"{name} {versions.get(name, '')}".strip()


def rss_bytes() -> int:
    """Resident memory of this process."""
    # Late: hello does without it.
    import psutil

    return int(psutil.Process().memory_info().rss)
