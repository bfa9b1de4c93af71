"""What this worker is: versions, engines, languages, limits. Imports no engine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from ocr_worker.engines.ocr.registry import Found, all_engines, installed_languages
from ocr_worker.settings import Settings

PROTOCOL = 1
VERSION = "0.1.0"
_LIBRARIES = ("pypdfium2", "pikepdf", "pypdf", "pdf2image", "pillow", "img2pdf")


def hello_data(settings: Settings, schema_sha256: str, commands: tuple[str, ...]) -> dict[str, Any]:
    """The `data` of the answer to `hello`."""
    engines = all_engines()
    versions = library_versions(engines)
    return {
        "kind": "hello",
        "protocol": PROTOCOL,
        "versions": {"ocr-sidecar": VERSION, "python": sys.version.split()[0], **versions},
        "pid": os.getpid(),
        "commands": commands,
        "engines": [
            {"name": found.name, "version": package_version(found, versions)}
            for found in engines
            if found.usable
        ],
        "languages": installed_languages(None),
        "limits": {
            "max_line_bytes": settings.max_line_bytes,
            "max_pixels": 250_000_000,
            "max_workers": settings.page_processes,
            "progress_hz": 10,
        },
        "schema_sha256": schema_sha256,
    }


def package_version(found: Found, versions: Mapping[str, str]) -> str:
    """What an engine comes through, and its version."""
    package = found.probe.package
    return f"{package} {versions.get(package, '')}".strip()


def library_versions(engines: Iterable[Found]) -> dict[str, str]:
    """The installed packages of page work by their names. Which library an engine's package holds only the engine tells, once it is loaded."""
    packages = dict.fromkeys([*(found.probe.package for found in engines), *_LIBRARIES])
    return {name: version for name in packages if (version := _version(name))}


def _version(package: str) -> str | None:
    # Late: it is half of what this module takes to import.
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None


def rss_bytes() -> int:
    """Resident memory of this process."""
    # Late: hello does without it.
    import psutil

    return int(psutil.Process().memory_info().rss)
