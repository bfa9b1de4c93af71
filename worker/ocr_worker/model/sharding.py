"""What the commands of shards are asked for, and what they tell: plain data, known without the packages that shards take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from ocr_worker.settings import Settings

PAGES_PER_SHARD = 500
ExportFormat = Literal["jsonl.zst", "parquet"]
DONE, OURS, AGAIN = 0, 1, 75
"""Exit codes of a shard: done, a fault that another try does not mend, and what another try may mend (EX_TEMPFAIL)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOrder:
    inputs: tuple[str, ...]
    """URLs or paths of files and folders; `@URL` is a list of them."""
    plan: str
    """Where the plan is, or will be."""
    options: Mapping[str, object]
    """Of the batch, by name; those that were given."""
    pages: int | None = None
    bytes: int | None = None
    """A shard's size by pages, as they are estimated, or by bytes. With neither, 500 pages, or what the plan has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    shards: int
    """Of the whole plan."""
    files: int
    added_shards: int
    added_files: int
    known: int
    """Inputs that an earlier plan has, which stay where they are."""
    changed: int
    """Those of them that are not any more what was planned: they will fail as `changed`."""
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardOrder:
    plan: str
    out: str
    index: int
    scratch: Path
    """Where inputs and outputs are while they are in work."""
    settings: Settings
    stopped_by: Callable[[], int | None]
    """The signal that orders an end, once there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardEnd:
    code: int
    """0, 75 or 1."""
    message: str
    shard: int
    files: Mapping[str, int] = field(default_factory=dict)
    """How many are completed, failed, kept from an earlier try."""
    failed: Mapping[str, int] = field(default_factory=dict)
    """Failed files by code."""
    pages: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a plan is; read from markers and notes alone."""

    shards: int
    done: int
    running: int
    """Not done, and a try was seen at work lately."""
    waiting: int
    files: int
    """Of the whole plan."""
    files_done: int
    failed: Mapping[str, int]
    """Failed files by code."""
    pages: int
    oldest_try_seconds: float | None
    """Age of the running try that began first."""
    pages_per_second: float
    """Of the last hour, or of all that was done where that is less."""
    eta_seconds: float | None
    core_hours: float
    cost: float | None
    missing: tuple[int, ...]
    """Shards that are not done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
    plan: str
    out: str
    target: str
    format: ExportFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    shards: int
    rows: int
    kept: int
    """Shards that were exported before."""


class Shards(Protocol):
    """What the face does that reads and writes by URL."""

    def plan(self, order: PlanOrder) -> Planned: ...

    def run(self, order: ShardOrder) -> ShardEnd: ...

    def status(self, plan: str, out: str, price: float | None) -> Standing: ...

    def export(self, order: ExportOrder) -> Exported: ...


OpenShards = Callable[[], Shards]
