"""The done marker of a shard: put last, so what it tells of is there."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ocr_worker.shards.places import Place
from ocr_worker.shards.rows import done_key


class FailedFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    code: str
    message: str


class Marker(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: Literal["ocr-sidecar/shard"] = "ocr-sidecar/shard"
    version: Literal[1] = 1
    shard: int
    hash: str
    """Of the shard as it was done: inputs and options."""
    files: dict[str, int]
    """completed, failed, and kept from an earlier try."""
    failed: tuple[FailedFile, ...]
    pages: int
    failed_pages: int
    tries: int
    begun: float
    """In seconds since 1970."""
    ended: float
    core_seconds: float
    """Of all tries, as far as their notes tell."""
    versions: dict[str, str]


def read_marker(where: Place, number: int, shard_hash: str) -> Marker | None:
    """The marker of this very shard; None where there is none, or one of another plan."""
    try:
        marker = parse_marker(where.read(done_key(number)))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return marker if marker is not None and marker.hash == shard_hash else None


def parse_marker(content: bytes | None) -> Marker | None:
    try:
        return None if content is None else Marker.model_validate_json(content)
    except ValidationError:
        return None


def put_marker(where: Place, marker: Marker) -> None:
    where.write(done_key(marker.shard), marker.model_dump_json().encode("utf-8"))
