"""`node` and `cluster`: be a machine that reads pages, see who is there, make certificates."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from ocr_worker.cli.display import answer
from ocr_worker.cli.exit_codes import GOOD, SOME_FAILED, UsageError
from ocr_worker.cli.options import TlsOptions, answer_json, chosen_tls, worker_settings
from ocr_worker.cli.terminal_text import count, shown
from ocr_worker.cli.typer_options import options_from
from ocr_worker.cluster.entry import require_cluster
from ocr_worker.cluster.lean import lean_dask
from ocr_worker.cluster.security import checked_address
from ocr_worker.errors import UnreachableError
from ocr_worker.settings import MIB, ClusterSettings

if TYPE_CHECKING:
    from ocr_worker.cluster.engine import NodeFacts
    from ocr_worker.cluster.node import PathMap

CERTIFICATES = "certificates"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCommand(TlsOptions):
    address: Annotated[str, Argument(metavar="ADDRESS", help="Of the Dask scheduler: tls://HOST:8786.")]
    slots: Annotated[
        int | None, Option(min=1, max=1024, help="Pages at once; by default, one a processor.")
    ] = None
    map: Annotated[
        list[str] | None,
        Option(metavar="THEIRS=HERE", help="Where a folder of the coordinator lies here; may be repeated."),
    ] = None
    name: Annotated[str | None, Option(help="By which others see this node.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterCommand(TlsOptions):
    address: Annotated[
        str, Argument(metavar=f"ADDRESS|{CERTIFICATES}", help="Of a Dask scheduler; or what is to be made.")
    ]
    folder: Annotated[
        Path | None, Argument(metavar="FOLDER", help=f"With {CERTIFICATES}: where they go.")
    ] = None


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("node")(node)
    app.command("cluster")(cluster)


@options_from(NodeCommand)
def node(options: NodeCommand) -> int:
    """Read pages for other machines, until Ctrl-C or SIGTERM."""
    require_cluster()
    from ocr_worker.cluster.node_process import NodeOptions, become_node

    tls = chosen_tls(options)
    chosen = NodeOptions(
        checked_address(options.address, tls, insecure=options.insecure),
        options.slots or worker_settings().page_processes,
        tls,
        tuple(map(_path_map, options.map or ())),
        options.name,
    )
    return become_node(chosen)


def _path_map(said: str) -> PathMap:
    from ocr_worker.cluster.node import PathMap

    try:
        return PathMap.of(said)
    except ValueError as error:
        raise UsageError(f"--map {said} is no map: write THEIRS=HERE, two folders.") from error


@options_from(ClusterCommand)
def cluster(options: ClusterCommand) -> int:
    """Show the nodes of a cluster, or make certificates for one."""
    if options.address == CERTIFICATES:
        return _make_certificates(options.folder)
    if options.folder is not None:
        raise UsageError(f"A folder goes with {CERTIFICATES}.")
    settings = ClusterSettings(options.address, chosen_tls(options), options.insecure)
    nodes = nodes_of(settings)
    if options.as_json:
        answer_json({"nodes": [asdict(one) for one in nodes]})
    else:
        _show(nodes)
    return GOOD if any(not one.refused for one in nodes) else SOME_FAILED


def nodes_of(settings: ClusterSettings) -> list[NodeFacts]:
    """The nodes that the scheduler knows now. Raises OcrError."""
    require_cluster()
    with lean_dask():
        from ocr_worker.cluster.dask_engine import look_at

    try:
        return look_at(settings)
    except (OSError, asyncio.TimeoutError) as error:
        said = str(error) or type(error).__name__
        raise UnreachableError(f"The scheduler {settings.address} does not answer: {said}") from error


def _show(nodes: list[NodeFacts]) -> None:
    for one in nodes:
        languages = "+".join(one.reader.languages)
        engines = ", ".join(one.reader.engines.values())
        answer(f"{shown(one.name)}  {one.address}")
        if one.refused:
            answer(f"    gets no pages: {shown(one.refused)}")
        if one.reader.version:
            memory = f"{one.memory_bytes // MIB:,} MiB"
            pace = f"{count(one.pages_per_minute, 'page')} in the last minute"
            answer(f"    {count(one.slots, 'slot')}, {memory}, {pace}")
            answer(
                f"    ocr-sidecar {one.reader.version}, Python {one.python}, {shown(engines)}; {shown(languages)}"
            )
    reading = [one for one in nodes if not one.refused]
    total = sum(one.slots for one in reading)
    pages = sum(one.pages_per_minute for one in reading)
    answer(f"{count(len(reading), 'node')}, {count(total, 'slot')}, {count(pages, 'page')} a minute")


def _make_certificates(folder: Path | None) -> int:
    if folder is None:
        raise UsageError(f"Say where they go: ocr-worker cluster {CERTIFICATES} FOLDER.")
    require_cluster()
    from ocr_worker.cluster.certificates import make_certificates

    with suppress(FileExistsError):
        for place in make_certificates(folder):
            answer(str(place))
        return GOOD
    raise UsageError(f"{folder} has certificates already; name another folder, or remove them.")
