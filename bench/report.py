"""Where raw figures go, with the machine, the versions and the settings they came from."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bench import tesseract
from ocr_worker.engines.ocr.tessdata import models

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
_SIMPLE_LIST = re.compile(r"\[([^\[\]{}\"]+)\]")


def circumstances() -> dict[str, object]:
    """What a figure depends on, apart from the settings."""
    versions = {name: version for name in _LIBRARIES if (version := _version(name))}
    return {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "code": _commit(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "libtesseract of tesserocr": tesseract.library_version(),
        "libtesseract of the command": tesseract.command_version(),
        "model": models(["eng"])[0].sha256[:16],
        "versions": versions,
    }


def save(folder: Path, name: str, figures: Any, found: dict[str, object], settings: object) -> Path:
    """Write the raw figures of a row as JSON, to four digits after the point, and return where."""
    path = folder / f"{name}.json"
    content = _rounded({**found, "settings": settings, "figures": figures})
    # A list of numbers is one line: a sample of memory each is easier to read so.
    text = _SIMPLE_LIST.sub(lambda match: f"[{' '.join(match[1].split())}]", json.dumps(content, indent=1))
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(part) for part in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        rates = {name: getattr(value, name) for name in ("cer", "wer", "f1") if hasattr(value, name)}
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return _rounded(fields | rates)
    return value if value is None or isinstance(value, (int, str)) else str(value)


def _commit() -> str:
    if shutil.which("git") is None:
        return "unknown"
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


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
