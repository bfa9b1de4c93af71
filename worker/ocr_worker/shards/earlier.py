"""Outputs that earlier tries of a shard have put: fetched beside the input's copy, so that the batch itself says whether they hold.

It goes by fingerprint: content of the source, settings, engine, model, and the hashes of the outputs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ocr_worker.files.paths import written
from ocr_worker.shards.places import Place
from ocr_worker.shards.rows import UNKNOWN, Row, files_key, output_names


class Earlier:
    """What is there when a try begins."""

    def __init__(self, where: Place, number: int, kinds: Sequence[str], folder: Path) -> None:
        self._where, self._key, self._kinds, self._folder = where, files_key(number), kinds, folder
        self._there: Mapping[str, int] = where.names(self._key)

    def fetch(self, row: Row, source: Path) -> None:
        """Bring a whole set of outputs here; without one nothing, and the file is read."""
        names = output_names(row, self._kinds)
        if not all(name in self._there for name in names.values()):
            return
        record = self._where.read(f"{self._key}/{names['json']}")
        head = head_of(record)
        if head is None or not _is_of(row, head):
            return
        try:
            for kind, name in names.items():
                if kind != "json":
                    self._where.fetch(f"{self._key}/{name}", self._folder / name)
            # The batch knows a source by where it lies here.
            here = {**head["source"], "path": written(source)}
            (self._folder / names["json"]).write_bytes(with_source(record, here))
        except BaseException:
            # What is there without its record is somebody else's to the batch, which would take other names.
            for name in names.values():
                (self._folder / name).unlink(missing_ok=True)
            raise


def _is_of(row: Row, head: dict[str, Any]) -> bool:
    size = {} if row.bytes == UNKNOWN else {"bytes": row.bytes}
    said: dict[str, Any] = {"path": row.url, **size, **row.version}
    source: dict[str, Any] = head["source"]
    return said.items() <= source.items()


def head_of(record: bytes) -> dict[str, Any] | None:
    """The first line of JSON results, which says of what they are; None where it is no such line."""
    try:
        head = json.loads(record.partition(b"\n")[0].rstrip(b",") + b"}")
    except ValueError:
        return None
    return head if isinstance(head, dict) and isinstance(head.get("source"), dict) else None


def with_source(record: bytes, source: Mapping[str, object]) -> bytes:
    """JSON results with another source in their first line, which is theirs alone."""
    first, _, rest = record.partition(b"\n")
    head = {**json.loads(first.rstrip(b",") + b"}"), "source": dict(source)}
    return json.dumps(head, separators=(",", ":")).encode("ascii")[:-1] + b",\n" + rest
