"""The text of done shards as a few large files: a line, or a row, for each input."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ocr_worker.errors import CorruptError, InvalidParamsError, UnsupportedError
from ocr_worker.model.sharding import Exported, ExportFormat, ExportOrder
from ocr_worker.shards.marker import Marker
from ocr_worker.shards.places import Place, place, read_all, read_if_there
from ocr_worker.shards.plan import Plan, load_plan, load_shard
from ocr_worker.shards.planning import read_hashes
from ocr_worker.shards.rows import FOLDER_SHARDS, Row, files_key, folder_key, output_names
from ocr_worker.shards.standing import done_markers

EXPORT = "export.json"
"""Says of which plan the texts are."""
AT_A_TIME = 8
"""Results that are in memory: those of a long document take many megabytes."""
GROUP_ROWS = 100


def export(order: ExportOrder) -> Exported:
    """Write one file for each done shard that has none yet.

    Raises:
        UnsupportedError: the package of the format is not installed.
        InvalidParamsError: what is there is of another plan.
    """
    require_format(order.format)
    plans, out, target = place(order.plan), place(order.out), place(order.target)
    plan, shards, rows, kept = load_plan(plans), 0, 0, 0
    _claim(target, read_hashes(plans, 0)[0])
    for folder in range(-(-plan.shards // FOLDER_SHARDS)):
        there = target.names(f"{folder:04}")
        for number, marker in done_markers(plans, out, plan, folder):
            name = f"{number:07}.{order.format}"
            if marker is None:
                continue
            if name in there:
                kept += 1
                continue
            shards += 1
            rows += _export(_Source(plans, out, plan, number, marker), order.format, target)
    return Exported(shards=shards, rows=rows, kept=kept)


def _claim(target: Place, first_shard: str) -> None:
    """For this plan, which keeps its first shard however it grows: names alone would take another's texts for its own."""
    content = json.dumps({"kind": "ocr-sidecar/export", "first_shard": first_shard}).encode("ascii")
    there = read_if_there(target, EXPORT)
    if there is None:
        target.write(EXPORT, content)
    elif there != content:
        raise InvalidParamsError(f"{target.url} has the texts of another plan: export to another place.")


def require_format(form: ExportFormat) -> None:
    from importlib.util import find_spec

    package = "zstandard" if form == "jsonl.zst" else "pyarrow"
    if find_spec(package) is None:
        extra = "shards" if package == "zstandard" else "shards-parquet"
        raise UnsupportedError(
            f"{form} takes {package}, which is not installed: pip install 'ocr-sidecar[{extra}]'."
        )


class _Source:
    """The results of a done shard."""

    def __init__(self, plans: Place, out: Place, plan: Plan, number: int, marker: Marker) -> None:
        self.number = number
        self._out = out
        failed = {one.url for one in marker.failed}
        self._rows = [row for row in load_shard(plans, plan, number)[1] if row.url not in failed]

    def records(self) -> Iterator[dict[str, Any]]:
        for first in range(0, len(self._rows), AT_A_TIME):
            rows = self._rows[first : first + AT_A_TIME]
            keys = [f"{files_key(self.number)}/{output_names(row, ('json',))['json']}" for row in rows]
            for row, content in zip(rows, read_all(self._out, keys), strict=True):
                if content is None:
                    raise CorruptError(
                        f"The results of {row.url} are gone from {self._out.url}, though its shard is done."
                    )
                yield _record(row, json.loads(content))


def _record(row: Row, results: dict[str, Any]) -> dict[str, Any]:
    return {
        "url": row.url, "sha256": results["source"]["sha256"], "type": results["source"]["type"],
        "pages": results["page_count"], "languages": results["languages"], "engine": results["engine"],
        "engine_version": results["engine_version"], "confidence": results["confidence"], "text": results["text"],
    }  # fmt: skip


def _export(source: _Source, form: ExportFormat, target: Place) -> int:
    with tempfile.TemporaryDirectory(prefix="ocr-export-") as folder:
        file = Path(folder) / "shard"
        write = _write_lines if form == "jsonl.zst" else _write_table
        count = write(source.records(), file)
        target.put(f"{folder_key(source.number)}/{source.number:07}.{form}", file)
    return count


def _write_lines(records: Iterator[dict[str, Any]], file: Path) -> int:
    import zstandard

    count = 0
    with file.open("wb") as stream, zstandard.ZstdCompressor(level=6).stream_writer(stream) as packed:
        for record in records:
            packed.write(json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
            count += 1
    return count


def _write_table(records: Iterator[dict[str, Any]], file: Path) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    text = pa.string()
    schema = pa.schema(
        [("url", text), ("sha256", text), ("type", text), ("pages", pa.int32()), ("languages", pa.list_(text)),
         ("engine", text), ("engine_version", text), ("confidence", pa.float64()), ("text", text)]
    )  # fmt: skip
    count, group = 0, list[dict[str, Any]]()
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for record in records:
            group.append(record)
            count += 1
            if len(group) >= GROUP_ROWS:
                _flush(writer, pa.Table.from_pylist(group, schema))
                group = []
        _flush(writer, pa.Table.from_pylist(group, schema))
    return count


def _flush(writer: Any, table: Any) -> None:
    writer.write_table(table)
