"""`plan.json`: what is to be done, in how many shards. Written last, so what it tells of is there."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ocr_worker.errors import CorruptError, NotFoundError
from ocr_worker.model.option_table import make_options
from ocr_worker.model.options import JobOptions
from ocr_worker.shards.places import Place
from ocr_worker.shards.rows import Row, shard_hash, shard_key, unpacked

PLAN = "plan.json"
NO_PART = ("dry_run", "on_existing", "stop_on_error_threshold", "passwords")
"""Options that a shard settles itself."""


class Addition(BaseModel):
    """What one `plan` added."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    inputs: tuple[str, ...]
    first_shard: int
    shards: int
    files: int


class Plan(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    kind: Literal["ocr-sidecar/plan"] = "ocr-sidecar/plan"
    version: Literal[1] = 1
    planned: int
    """When it was first made, in seconds since 1970. PDFs bear this time, so that all tries of a file make the same."""
    versions: dict[str, str]
    """Of what planned it; what reads the pages stands in each result."""
    options: dict[str, Any]
    pages_per_shard: int | None
    bytes_per_shard: int | None
    shards: int
    files: int
    pages: int
    """As they are estimated."""
    bytes: int
    hash: str
    """Of options and shards, in order."""
    additions: tuple[Addition, ...]

    @property
    def options_hash(self) -> str:
        return hash_of_options(self.options)

    def job_options(self, processes: int | None) -> JobOptions:
        """Of each shard's batch."""
        options = make_options(self.options)
        outputs = tuple(dict.fromkeys([*options.page.outputs, "json"]))
        return replace(
            options,
            page=replace(options.page, outputs=outputs),
            # Of an earlier try's outputs those stay that still hold; a failed file is no failed shard.
            on_existing="skip", stop_on_error_threshold=1.0, dry_run=False,
            max_workers=processes or options.max_workers,
        )  # fmt: skip


def hash_of_options(options: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(options, sort_keys=True).encode("ascii")).hexdigest()


def load_plan(where: Place) -> Plan:
    """Raises NotFoundError, CorruptError."""
    plan = find_plan(where)
    if plan is None:
        raise NotFoundError(f"There is no plan in {where.url}: make one with `ocr-worker shards plan`.")
    return plan


def find_plan(where: Place) -> Plan | None:
    try:
        content = where.read(PLAN)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return Plan.model_validate_json(content)
    except ValidationError as error:
        raise CorruptError(f"{where.url}/{PLAN} is no plan of version 1.") from error


def store_plan(where: Place, plan: Plan) -> None:
    where.write(PLAN, plan.model_dump_json(indent=2).encode("utf-8"))


def load_shard(where: Place, plan: Plan, number: int) -> tuple[str, tuple[Row, ...]]:
    """The hash of a shard, and its rows."""
    key = shard_key(number)
    plain, rows = unpacked(where.read(key), f"{where.url}/{key}")
    return shard_hash(plan.options_hash, plain), rows
