"""The service as tests run it: with limits of their own, and pages that are held; and what its clients send."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from rigs.service import Running, environment, serve_command, serving
from tests.hold import Hold

TUS = {"Tus-Resumable": "1.0.0"}
WITH_LIMITS = """
import json, sys
from pathlib import Path
from ocr_worker.model.serving import ServiceLimits, ServiceOptions
from ocr_worker.server.run import serve
from ocr_worker.settings import settings_from_environment
limits, token, hosts, *roots = map(json.loads, sys.argv[1:])
options = ServiceOptions(
    port=0, token=token, allowed_hosts=tuple(hosts), roots=tuple(map(Path, roots)), limits=ServiceLimits(**limits)
)
ready = lambda address: print(json.dumps({"address": address}), flush=True)
sys.exit(serve(options, settings_from_environment(), ready))
"""


@dataclass(frozen=True, slots=True)
class Limited:
    """A service with limits that no option sets."""

    limits: dict[str, Any]
    token: str | None = None
    roots: tuple[Path, ...] = ()
    hosts: tuple[str, ...] = ()

    def command(self) -> list[str]:
        given = [self.limits, self.token, self.hosts, *map(str, self.roots)]
        return [sys.executable, "-c", WITH_LIMITS, *map(json.dumps, given)]


class Service(Running):
    __slots__ = ()

    @property
    def hold(self) -> Hold:
        return Hold(self.state_dir.parent)


@contextmanager
def service(home: Path, *words: str | Path, limited: Limited | None = None) -> Iterator[Service]:
    """A service on a free port, ended in order.

    Args:
        home: for its state and its log.
        words: of the command line.
        limited: in their place.
    """
    command = serve_command(*words) if limited is None else limited.command()
    # To start a second page process would cost more than it does here.
    own = {**environment(home), "OCR_WORKER_PAGE_PROCESSES": "1"}
    with serving(home, command, Hold(home).environment(own)) as running:
        yield Service(running.address, running.process, running.state_dir, running.log)


def upload(client: httpx.Client, name: str, content: bytes) -> str:
    """Upload a file in two parts; its id."""
    told = f"filename {base64.b64encode(name.encode()).decode()}"
    made = client.post(
        "/api/v1/uploads", headers={**TUS, "Upload-Length": str(len(content)), "Upload-Metadata": told}
    )
    assert made.status_code == 201, made.text
    half = len(content) // 2
    for offset, part in ((0, content[:half]), (half, content[half:])):
        sent = append(client, made.headers["location"], offset, part)
        assert sent.status_code == 204, sent.text
    return str(made.json()["upload"])


def append(client: httpx.Client, place: str, offset: int, content: bytes) -> httpx.Response:
    headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return client.patch(place, headers=headers, content=content)


def start(client: httpx.Client, *files: Path, **options: Any) -> str:
    """Upload files and start a job; its id."""
    uploads = [{"upload": upload(client, file.name, file.read_bytes())} for file in files]
    made = client.post("/api/v1/jobs", json={"files": uploads, "options": options})
    assert made.status_code == 201, made.text
    return str(made.json()["job_id"])


def watchers(client: httpx.Client) -> int:
    """How many clients watch events."""
    found = re.search(r"^ocr_watchers (\d+)$", client.get("/api/v1/metrics").text, re.MULTILINE)
    assert found
    return int(found.group(1))
