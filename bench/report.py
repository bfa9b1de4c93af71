"""Where raw figures go, with the machine, the versions and the settings they came from."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import platform
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

_LIBRARIES = (
    "ocr-sidecar",
    "tesserocr",
    "pypdfium2",
    "pikepdf",
    "pillow",
    "ocrmypdf",
    "pytesseract",
    "pdf2image",
)


def circumstances() -> dict[str, object]:
    """What a figure depends on, apart from the code."""
    versions = {name: version for name in _LIBRARIES if (version := _version(name))}
    return {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
    }


def save(folder: Path, name: str, figures: Any, **settings: object) -> Path:
    """Write the raw figures of a row as JSON and return where."""
    path = folder / f"{name}.json"
    content = {**circumstances(), "settings": settings, "figures": figures}
    path.write_text(json.dumps(content, indent=1, default=_plain) + "\n", encoding="utf-8")
    return path


def _plain(value: Any) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        rates = {
            name: round(getattr(value, name), 4) for name in ("cer", "wer", "f1") if hasattr(value, name)
        }
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)} | rates
    return str(value)


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
