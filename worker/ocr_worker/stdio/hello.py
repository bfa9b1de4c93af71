"""What a host asks for with `hello`, and what it is told."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any

from ocr_protocol import PROTOCOL, SCHEMA_SHA256, Result
from ocr_protocol.commands import COMMANDS, Hello
from ocr_worker.errors import UnsupportedError
from ocr_worker.jobs.capabilities import capabilities
from ocr_worker.settings import Settings

PROGRESS_HZ = 10
"""Most progress events of a job per second."""


@dataclass(slots=True)
class Session:
    """What the host asked of this process, and whether it is ending."""

    on_stdin_end: str = "finish"
    parent_pid: int | None = None
    client: str | None = None
    """The name of the host's program."""
    summary_result: bool = False
    """Whether results count files instead of listing them."""
    is_met: bool = False
    """Whether the host has said hello."""
    draining: bool = False
    started: float = field(default_factory=time.monotonic)

    def meet(self, hello: Hello) -> None:
        """Take in what the host asks for."""
        self.on_stdin_end, self.parent_pid = hello.on_stdin_end, hello.parent_pid
        self.client = hello.client.name if hello.client else None
        self.summary_result, self.is_met = hello.summary_result, True


def answer(hello: Hello, settings: Settings) -> Result:
    """What this worker is and can do; it takes a moment the first time.

    Raises:
        UnsupportedError: the host speaks no protocol of ours.
    """
    if 1 not in hello.protocol:
        message = f"This worker speaks protocol 1, the host {', '.join(map(str, hello.protocol))}. Update one of them."
        raise UnsupportedError(message, protocol=[1])
    return Result(id=hello.id, command=hello.command, job_id=None, data=_data(settings))


def _data(settings: Settings) -> dict[str, Any]:
    own = capabilities(settings)
    limits = {
        "max_line_bytes": own.max_line_bytes, "max_pixels": own.max_pixels, "max_workers": own.max_workers,
        "progress_hz": PROGRESS_HZ,
    }  # fmt: skip
    return {
        "kind": "hello",
        "protocol": PROTOCOL,
        "versions": own.versions,
        "pid": os.getpid(),
        "state_dir": str(settings.state_dir),
        "commands": tuple(COMMANDS),
        "engines": [{"name": name, "version": version} for name, version in own.engines],
        "languages": own.languages,
        "limits": limits,
        "schema_sha256": SCHEMA_SHA256,
        **_cluster(settings),
    }


def _cluster(settings: Settings) -> dict[str, Any]:
    """Left out without one."""
    cluster = settings.cluster
    if cluster is None:
        return {}
    told = {
        "address": cluster.address,
        "secure": cluster.tls is not None,
        "on_no_nodes": cluster.on_no_nodes,
    }
    return {"cluster": told}
