"""What all generators share: write files that are generated, or say which are stale."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def keep(files: Mapping[Path, str], tool: str) -> int:
    """Write those that differ; with `--check` write nothing, name them, and return 1 if there are any."""
    stale = [path for path, text in files.items() if not _says(path, text)]
    check = "--check" in sys.argv[1:]
    for path in stale:
        if check:
            sys.stderr.write(f"{path.relative_to(ROOT)} is stale: run .venv/bin/python -m tools.{tool}\n")
        else:
            path.write_text(files[path], encoding="utf-8", newline="\n")
    return 1 if stale and check else 0


def _says(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text
