"""Cut inputs into shards: in the order of their hashes, and never otherwise than an earlier plan of the same place did."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ocr_worker import __version__
from ocr_worker.errors import InvalidParamsError
from ocr_worker.model.option_table import make_options
from ocr_worker.model.sharding import PAGES_PER_SHARD, Planned, PlanOrder
from ocr_worker.shards.listing import Inputs
from ocr_worker.shards.places import Place, place
from ocr_worker.shards.plan import NO_PART, Addition, Plan, find_plan, hash_of_options, store_plan
from ocr_worker.shards.rows import (
    FOLDER_SHARDS,
    Row,
    hashes_key,
    line_of,
    packed,
    row_of,
    shard_hash,
    shard_key,
    unpacked,
)

log = logging.getLogger(__name__)

BUCKETS = 256
"""By the first byte of their hashes inputs are parted, on disk, so that only a part of them is in memory to be ordered."""
PUTS = 8
KNOWN, NEW = b"0", b"1"
"""What is known comes first among rows of one input."""


def make_plan(order: PlanOrder) -> Planned:
    """Plan inputs, or those of them that the plan does not have yet.

    Raises:
        InvalidParamsError: the plan has other options or sizes.
        NotFoundError: an argument names nothing.
    """
    where = place(order.plan)
    before = find_plan(where)
    draft = _draft(order, before)
    with tempfile.TemporaryDirectory(prefix="ocr-plan-") as folder, ExitStack() as stack:
        buckets = _Buckets(Path(folder), stack)
        known = sum(map(buckets.add_known, _rows_of(where, draft.shards)))
        inputs = Inputs()
        for given in order.inputs:
            for row in inputs.find(given):
                buckets.add(row)
        cutting = _Cutting(where, draft, known)
        cutting.cut(buckets)
    plan = cutting.plan(order.inputs)
    if cutting.added_files or before is None:
        store_plan(where, plan)
    return Planned(
        shards=plan.shards, files=plan.files, added_shards=plan.shards - draft.shards, added_files=cutting.added_files,
        known=buckets.known_again, changed=buckets.changed, hash=plan.hash,
    )  # fmt: skip


def _draft(order: PlanOrder, before: Plan | None) -> Plan:
    """The plan as it was, or a new one without shards."""
    options: dict[str, Any] = json.loads(json.dumps(dict(order.options), default=str))
    if unfit := [name for name in NO_PART if name in options]:
        raise InvalidParamsError(
            f"`{unfit[0]}` is no option of a plan: shards settle it themselves.", field=unfit[0]
        )
    make_options(options)
    if before is None:
        pages = order.pages or (None if order.bytes else PAGES_PER_SHARD)
        return Plan(
            planned=int(time.time()), versions={"ocr_sidecar": __version__}, options=options, pages_per_shard=pages, bytes_per_shard=order.bytes,
            shards=0, files=0, pages=0, bytes=0, hash=hash_of_options(options), additions=(),
        )  # fmt: skip
    if options and options != before.options:
        raise InvalidParamsError(
            f"The plan has other options ({json.dumps(before.options)}). Leave them out, or plan into another place."
        )
    if order.pages or order.bytes:
        # Shards that are added may be of another size: none of those that are there moves.
        return before.model_copy(update={"pages_per_shard": order.pages, "bytes_per_shard": order.bytes})
    return before


def _rows_of(where: Place, shards: int) -> Iterator[Row]:
    for number in range(shards):
        key = shard_key(number)
        yield from unpacked(where.read(key), f"{where.url}/{key}")[1]


class _Drawn(NamedTuple):
    """A row as it will stand in its shard, and how large it is."""

    line: bytes
    pages: int
    bytes: int


class _Buckets:
    """Rows on disk, by their hashes; a line each: hash, whether it is new, its pages and bytes, the row."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._files: list[BinaryIO] = [
            stack.enter_context((folder / f"{number:02x}").open("w+b")) for number in range(BUCKETS)
        ]
        self.known_again, self.changed = 0, 0

    def add(self, row: Row) -> None:
        self._write(row, NEW)

    def add_known(self, row: Row) -> int:
        self._write(row, KNOWN)
        return 1

    def new_rows(self) -> Iterator[_Drawn]:
        """Those that are not known, each once, in order."""
        for file in self._files:
            file.seek(0)
            for _, lines in groupby(sorted(file), key=lambda line: line[:64]):
                first, *others = lines
                if first[65:66] == NEW:
                    yield _drawn(first)
                elif others:
                    self.known_again += 1
                    self.changed += not _row(first).is_same(_row(others[-1]))

    def _write(self, row: Row, state: bytes) -> None:
        digest = row.digest
        self._files[int(digest[:2], 16)].write(
            b"%b %b %d %d %b\n" % (digest.encode("ascii"), state, row.pages, row.bytes, line_of(row))
        )


def _drawn(line: bytes) -> _Drawn:
    _, _, pages, size, row = line[:-1].split(b" ", 4)
    return _Drawn(row, int(pages), int(size))


def _row(line: bytes) -> Row:
    return row_of(json.loads(_drawn(line).line))


@dataclass(slots=True)
class _Cutting:
    """Puts full shards; the last is as large as it comes."""

    where: Place
    draft: Plan
    known: int
    lines: list[bytes] = field(default_factory=list)
    pages: int = 0
    bytes: int = 0
    added_files: int = 0
    hashes: list[str] = field(default_factory=list)
    _all_pages: int = 0
    _all_bytes: int = 0
    _puts: list[Future[None]] = field(default_factory=list)

    def cut(self, buckets: _Buckets) -> None:
        with ThreadPoolExecutor(PUTS) as pool:
            for row in buckets.new_rows():
                self._add(row, pool)
            self._put(pool)
            for put in self._puts:
                put.result()
        self._put_hashes()

    def plan(self, inputs: Iterable[str]) -> Plan:
        """The plan with what was added."""
        draft, added = self.draft, len(self.hashes)
        if not added:
            return draft
        chain = hashlib.sha256("\n".join([draft.hash, *self.hashes]).encode("ascii")).hexdigest()
        addition = Addition(
            inputs=tuple(inputs), first_shard=draft.shards, shards=added, files=self.added_files
        )
        return draft.model_copy(
            update={
                "shards": draft.shards + added, "files": draft.files + self.added_files,
                "pages": draft.pages + self._all_pages, "bytes": draft.bytes + self._all_bytes,
                "hash": chain, "additions": (*draft.additions, addition),
            }
        )  # fmt: skip

    def _add(self, row: _Drawn, pool: ThreadPoolExecutor) -> None:
        if self.lines and not self._fits(row):
            self._put(pool)
        self.lines.append(row.line)
        self.pages += row.pages
        self.bytes += row.bytes
        self.added_files += 1

    def _fits(self, row: _Drawn) -> bool:
        most_pages, most_bytes = self.draft.pages_per_shard, self.draft.bytes_per_shard
        return (most_pages is None or self.pages + row.pages <= most_pages) and (
            most_bytes is None or self.bytes + row.bytes <= most_bytes
        )

    def _put(self, pool: ThreadPoolExecutor) -> None:
        if not self.lines:
            return
        plain, content = packed(self.lines)
        key = shard_key(self.draft.shards + len(self.hashes))
        self.hashes.append(shard_hash(self.draft.options_hash, plain))
        self._puts.append(pool.submit(self.where.write, key, content))
        while len(self._puts) > 4 * PUTS:
            self._puts.pop(0).result()
        self._all_pages += self.pages
        self._all_bytes += self.bytes
        self.lines, self.pages, self.bytes = [], 0, 0

    def _put_hashes(self) -> None:
        first = self.draft.shards
        for folder in sorted({(first + n) // FOLDER_SHARDS for n in range(len(self.hashes))}):
            begin, end = folder * FOLDER_SHARDS, (folder + 1) * FOLDER_SHARDS
            kept = read_hashes(self.where, folder)[: first - begin] if begin < first else []
            added = self.hashes[max(0, begin - first) : end - first]
            self.where.write(hashes_key(folder), json.dumps([*kept, *added]).encode("ascii"))


def read_hashes(where: Place, folder: int) -> list[str]:
    """The hashes of a folder's shards, in order."""
    hashes: list[str] = json.loads(where.read(hashes_key(folder)))
    return hashes
