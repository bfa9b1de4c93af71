"""Read the vectors of protocol/vectors; their README says how a file is made up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "protocol" / "vectors"


@dataclass(frozen=True, slots=True)
class Vector:
    name: str
    stream: bytes
    outcomes: list[dict[str, Any]]


def read_vectors(folder: str) -> list[Vector]:
    """Return the vectors of `valid` or `invalid`, by name."""
    return [_read(path) for path in sorted((FOLDER / folder).glob("*.vector"))]


def _read(path: Path) -> Vector:
    header, _, stream = path.read_bytes().partition(b"\n")
    told = json.loads(header)
    parts = [text.encode("utf-8") * times for text, times in told.get("generate", [])]
    return Vector(path.stem, b"".join(parts) or stream, told["outcomes"])
