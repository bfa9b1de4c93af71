"""The program that `ocr-worker node` becomes, which holds no more than a node needs for as long as it lasts.

What reads command lines would make it half as large again, with NumPy.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ocr_worker.cluster.lean import lean_dask
from ocr_worker.cluster.node import PathMap
from ocr_worker.logs import Stderr, log_to
from ocr_worker.processes.slot import interpreter, own_command
from ocr_worker.settings import TlsFiles, log_level, settings_from_environment


@dataclass(frozen=True, slots=True)
class NodeOptions:
    address: str
    """Of the scheduler, with its scheme."""
    slots: int
    tls: TlsFiles | None = None
    maps: tuple[PathMap, ...] = ()
    name: str | None = None


def become_node(options: NodeOptions) -> int:
    """Go on as a node, by the same number of process, until it is told to end."""
    words = json.dumps(asdict(options), default=str)
    if sys.platform != "win32":
        program, _ = interpreter()
        os.execv(program, own_command(program, "node-process", words))  # noqa: S606  # ourselves
    # There a process can't become another program.
    return main(words)


def main(words: str) -> int:
    """Be a node until SIGTERM or Ctrl-C."""
    options, stderr = _options(json.loads(words)), Stderr(2)
    log_to(stderr, log_level("CRITICAL"))
    with lean_dask():
        from ocr_worker.cluster.node_plugin import serve_node

    settings = replace(settings_from_environment(), page_processes=options.slots, cluster=None)

    async def serve() -> None:
        leave = asyncio.Event()
        _hear_signals(leave.set)
        await serve_node(options, settings, leave, lambda said: stderr.say(f"{said}\n".encode()))

    asyncio.run(serve())
    stderr.finish()
    return 0


def _options(said: dict[str, Any]) -> NodeOptions:
    tls = said["tls"] and TlsFiles(**{name: Path(file) for name, file in said["tls"].items()})
    return NodeOptions(**{**said, "tls": tls, "maps": tuple(PathMap(**one) for one in said["maps"])})


def _hear_signals(leave: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(leave))
        else:
            loop.add_signal_handler(number, leave)
