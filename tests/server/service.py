"""The service in a process of its own, and what clients do with it."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.hold import Hold
from tests.limits import HANG_SECONDS

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


@dataclass(frozen=True, slots=True)
class Service:
    address: str
    process: subprocess.Popen[str]
    state_dir: Path
    log: Path

    @property
    def port(self) -> int:
        return int(self.address.rstrip("/").rpartition(":")[2])

    @property
    def hold(self) -> Hold:
        return Hold(self.state_dir.parent)

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=HANG_SECONDS, **options)


@contextmanager
def service(
    home: Path,
    *words: str | Path,
    limited: Limited | None = None,
    surroundings: dict[str, str] | None = None,
) -> Iterator[Service]:
    """A service on a free port, ended in order.

    Args:
        home: for its state and its log.
        words: of the command line.
        limited: in their place.
        surroundings: variables of its environment, in place of those for tests.
    """
    command = [sys.executable, "-m", "ocr_worker", "serve", "--port", "0", "--json", *map(str, words)]
    if limited is not None:
        command = limited.command()
    log = home / "service.log"
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            command, env=surroundings or environment(home), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=stderr, text=True,
        )  # fmt: skip
    alarm = threading.Timer(HANG_SECONDS, process.kill)
    alarm.start()
    try:
        address = _address(process, log)
        # It is for a start that hangs: what is shared by a session may live longer.
        alarm.cancel()
        yield Service(address, process, home / "state", log)
    finally:
        alarm.cancel()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(HANG_SECONDS)
        assert process.stdout
        process.stdout.close()


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OCR_WORKER_")}
    own = {
        "OCR_WORKER_STATE_DIR": str(home / "state"),
        "XDG_CONFIG_HOME": str(home / "config"),
        # No test may find the queue full of another's jobs.
        "OCR_WORKER_QUEUE_LIMIT": "100000",
        # To start a second would cost more than it does here.
        "OCR_WORKER_PAGE_PROCESSES": "1",
    }
    return {**kept, **Hold(home).environment(own)}


def _address(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if found := re.search(r'"address": "(.*?)"', said):
            return found.group(1)
    raise AssertionError(f"the service did not start: {log.read_text(encoding='utf-8')}")


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


@dataclass(frozen=True, slots=True)
class Event:
    kind: str
    data: dict[str, Any]
    id: str | None


def events(client: httpx.Client, path: str, last: str | None = None) -> Iterator[Event]:
    """Events of a stream, to its end."""
    with client.stream("GET", path, headers={"Last-Event-ID": last} if last else {}) as answer:
        assert answer.status_code in (200, 204), answer.read()
        yield from parsed(answer.iter_lines())


def parsed(lines: Iterator[str]) -> Iterator[Event]:
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield Event(fields["event"], json.loads(fields["data"]), fields.get("id"))
            fields = {}
        else:
            fields = {}


def ended(client: httpx.Client, job_id: str) -> list[Event]:
    """All events of a job."""
    return list(events(client, f"/api/v1/jobs/{job_id}/events"))


def ended_files(client: httpx.Client, job_id: str) -> list[dict[str, Any]]:
    """What is told of the files of a job, as they ended."""
    return [event.data for event in ended(client, job_id) if event.kind == "file"]


def until(call: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """Ask again and again, until the answer is as wanted."""
    limit = time.monotonic() + HANG_SECONDS
    while not wanted(answer := call()):
        assert time.monotonic() < limit, answer
        threading.Event().wait(0.05)
    return answer
