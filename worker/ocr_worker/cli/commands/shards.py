"""`shards`: plan inputs as shards, do one of them under a batch scheduler, see how far all are, and export their text."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from ocr_worker.cli.display import answer, say
from ocr_worker.cli.exit_codes import GOOD, UsageError
from ocr_worker.cli.options import JsonOption, answer_json, worker_settings
from ocr_worker.cli.runner import SIGNAL_SECONDS, Signals
from ocr_worker.cli.terminal_text import count, shown
from ocr_worker.cli.typer_options import BatchOptions, as_flag, options_from
from ocr_worker.model.option_table import check
from ocr_worker.model.sharding import (
    ExportFormat,
    ExportOrder,
    OpenShards,
    PlanOrder,
    ShardEnd,
    ShardOrder,
    Standing,
)

INDEX_VARIABLES = ("SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "AWS_BATCH_JOB_ARRAY_INDEX")
WATCH_SECONDS = 30.0
PlanUrl = Annotated[str, Argument(metavar="PLAN_URL", help="Where the plan is.")]
OutUrl = Annotated[str, Argument(metavar="OUT_URL", help="Where outputs and markers are.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCommand(JsonOption):
    inputs: Annotated[
        list[str],
        Argument(
            metavar="INPUT_URL...", help="Files and folders by URL or path; @URL is a list, a URL a line."
        ),
    ]
    plan: Annotated[str, Option(metavar="PLAN_URL", help="Where the plan is, or is to be.")]
    pages_per_shard: Annotated[
        int | None,
        Option(min=1, metavar="N", help="Pages of a shard, as sizes let them be estimated; default 500."),
    ] = None
    bytes_per_shard: Annotated[
        int | None,
        Option("--bytes", min=1, metavar="N", help="Bytes of a shard, instead of pages or beside them."),
    ] = None
    given: Annotated[Mapping[str, object], BatchOptions()] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCommand(JsonOption):
    plan: PlanUrl
    out: OutUrl
    index: Annotated[
        int | None,
        Option(min=0, metavar="N", help=f"Which shard; by default from {', '.join(INDEX_VARIABLES)}."),
    ] = None
    offset: Annotated[
        int, Option(min=0, metavar="N", help="Added to the index, for arrays with a limit.")
    ] = 0
    scratch: Annotated[
        Path | None,
        Option(metavar="DIR", help="A folder on the local disk, instead of the system's temporary one."),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCommand(JsonOption):
    plan: PlanUrl
    out: OutUrl
    price: Annotated[float | None, Option(min=0, metavar="P", help="Price of a core-hour.")] = None
    watch: Annotated[bool, Option("--watch", help="Show it every 30 s until all is done, or Ctrl-C.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryCommand(JsonOption):
    plan: PlanUrl
    out: OutUrl
    offset: Annotated[
        int, Option(min=0, metavar="N", help="Only shards from here on, counted from here.")
    ] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCommand(JsonOption):
    plan: PlanUrl
    out: OutUrl
    target: Annotated[
        str, Argument(metavar="EXPORT_URL", help="Where the text goes, a file for each done shard.")
    ]
    form: Annotated[ExportFormat, Option("--format", help="Lines of JSON, or a table.")] = "jsonl.zst"


def add_to(app: typer.Typer, open_shards: OpenShards) -> None:
    """Register the commands."""
    shards = typer.Typer(
        help="Shards for batch schedulers: plan inputs once, do each shard anywhere (docs/shards.md).",
        no_args_is_help=True, rich_markup_mode=None,
    )  # fmt: skip
    for name, make in (
        ("plan", _plan),
        ("run", _run),
        ("status", _status),
        ("retry", _retry),
        ("export", _export),
    ):
        shards.command(name)(make(open_shards))
    app.add_typer(shards, name="shards")


def _plan(open_shards: OpenShards) -> Callable[..., None]:
    @options_from(PlanCommand)
    def plan(options: PlanCommand) -> int:
        """List inputs once and cut them into shards, or add new inputs to a plan."""
        chosen = {name: check(name, value, as_flag) for name, value in options.given.items()}
        planned = open_shards().plan(
            PlanOrder(
                inputs=tuple(options.inputs), plan=options.plan, options=chosen,
                pages=options.pages_per_shard, bytes=options.bytes_per_shard,
            )
        )  # fmt: skip
        if options.as_json:
            answer_json(dataclasses.asdict(planned))
            return GOOD
        answer(
            f"{count(planned.added_files, 'file')} in {count(planned.added_shards, 'new shard')}; the plan has "
            f"{count(planned.files, 'file')} in {count(planned.shards, 'shard')}, 0 to {planned.shards - 1}."
        )
        if planned.changed:
            say(
                f"{count(planned.changed, 'planned file')} changed since, and will fail as `changed`: plan into another place."
            )
        return GOOD

    return plan


def _run(open_shards: OpenShards) -> Callable[..., None]:
    @options_from(RunCommand)
    def run(options: RunCommand) -> int:
        """Do one shard: exit code 0 when it is done, 75 to try again, 1 where that would not help."""
        index = index_of(options)
        with Signals() as signals:
            end = open_shards().run(
                ShardOrder(
                    plan=options.plan, out=options.out, index=index, scratch=options.scratch or _scratch(),
                    settings=worker_settings(), stopped_by=lambda: signals.heard,
                )
            )  # fmt: skip
        if options.as_json:
            answer_json(dataclasses.asdict(end))
        else:
            say(_told(end))
        return end.code

    return run


def _status(open_shards: OpenShards) -> Callable[..., None]:
    @options_from(StatusCommand)
    def status(options: StatusCommand) -> int:
        """Show how far a plan is: shards done, running and failed, pages a second, time left and cost."""
        shards = open_shards()
        with Signals() as signals:
            while True:
                found = shards.status(options.plan, options.out, options.price)
                _show(found, options)
                if not options.watch or found.done == found.shards or _waits_in_vain(signals):
                    return GOOD

    return status


def _retry(open_shards: OpenShards) -> Callable[..., None]:
    @options_from(RetryCommand)
    def retry(options: RetryCommand) -> int:
        """Print the shards that are not done, in the form that arrays of schedulers take: 3,17-19."""
        found = open_shards().status(options.plan, options.out, None)
        left = [number - options.offset for number in found.missing if number >= options.offset]
        if options.as_json:
            answer_json({"array": array_of(left), "count": len(left), "running": found.running})
            return GOOD
        if before := len(found.missing) - len(left):
            say(f"{count(before, 'shard')} before {options.offset} left out.")
        if found.running:
            say(f"{found.running:,} of them are at work now; to do them twice does no harm.")
        answer(array_of(left))
        return GOOD

    return retry


def _export(open_shards: OpenShards) -> Callable[..., None]:
    @options_from(ExportCommand)
    def export(options: ExportCommand) -> int:
        """Write the text of each finished shard to a file; existing files stay."""
        done = open_shards().export(
            ExportOrder(plan=options.plan, out=options.out, target=options.target, format=options.form)
        )
        if options.as_json:
            answer_json(dataclasses.asdict(done))
        else:
            answer(
                f"{count(done.rows, 'file')} of {count(done.shards, 'shard')} exported; {count(done.kept, 'shard')} kept."
            )
        return GOOD

    return export


def array_of(numbers: Iterable[int]) -> str:
    """Numbers in order as ranges: 3,17-19."""
    runs = groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    ranges = ([number for _, number in run] for _, run in runs)
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in ranges)


def index_of(options: RunCommand) -> int:
    """Which shard. Raises UsageError."""
    if options.index is not None:
        return options.index + options.offset
    for name in INDEX_VARIABLES:
        if text := os.environ.get(name):
            if not text.isascii() or not text.isdigit():
                raise UsageError(f"{name} must be a whole number, not {text[:40]!r}.")
            return int(text) + options.offset
    raise UsageError(
        f"Which shard? Give --index, or run it under a scheduler that sets {', '.join(INDEX_VARIABLES)}."
    )


def _scratch() -> Path:
    """One folder for all shards of this user, so that the next finds what a killed one has left."""
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    place = Path(tempfile.gettempdir()) / f"ocr-shards-{owner}"
    place.mkdir(mode=0o700, exist_ok=True)
    # On machines that many share, anybody may have made it, and could put other folders in the place of ours.
    if hasattr(os, "getuid") and place.lstat().st_uid != owner:
        raise UsageError(f"{place} is somebody else's: name a folder on the local disk with --scratch.")
    return place


def _told(end: ShardEnd) -> str:
    counts = ", ".join(f"{files} {name}" for name, files in sorted(end.files.items())) or "no file"
    codes = ", ".join(f"{files} {code}" for code, files in end.failed.items())
    return shown(
        f"Shard {end.shard}: {end.message.rstrip('.')}. {counts}{f' ({codes})' * bool(codes)}, {count(end.pages, 'page')}."
    )


def _waits_in_vain(signals: Signals) -> bool:
    """Wait for the next look; whether an end was ordered meanwhile."""
    import time

    until = time.monotonic() + WATCH_SECONDS
    while signals.heard is None and time.monotonic() < until:
        time.sleep(SIGNAL_SECONDS)
    return signals.heard is not None


def _show(found: Standing, options: StatusCommand) -> None:
    if options.as_json:
        answer_json({**dataclasses.asdict(found), "missing": array_of(found.missing)})
        return
    failed = ", ".join(f"{count:,} {code}" for code, count in found.failed.items()) or "none"
    lines = [
        f"Shards   {found.done:,} of {found.shards:,} done, {found.running:,} running, {found.waiting:,} waiting",
        f"Files    {found.files_done:,} of {found.files:,} done; failed: {failed}",
        f"Pages    {found.pages:,}; {found.pages_per_second:.1f} a second; {_left(found)}",
        f"Cores    {found.core_hours:.2f} core-hours"
        + ("" if found.cost is None else f", cost {found.cost:.2f}"),
    ]
    if found.oldest_try_seconds is not None:
        lines.append(
            f"Oldest   the running try that began first has been at work for {_span(found.oldest_try_seconds)}"
        )
    answer("\n".join(lines))


def _left(found: Standing) -> str:
    if found.done == found.shards:
        return "all is done"
    return "time left is not known yet" if found.eta_seconds is None else f"{_span(found.eta_seconds)} left"


def _span(seconds: float) -> str:
    hours, minutes = int(seconds) // 3600, int(seconds) % 3600 // 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{int(seconds)} s"
