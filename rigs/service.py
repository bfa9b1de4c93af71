"""The service in a process of its own, and what its clients hear."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from rigs import HANG_SECONDS


@dataclass(frozen=True, slots=True)
class Running:
    """A service that runs."""

    address: str
    process: subprocess.Popen[str]
    state_dir: Path
    log: Path

    @property
    def port(self) -> int:
        return int(self.address.rstrip("/").rpartition(":")[2])

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=HANG_SECONDS, **options)


def serve_command(*words: str | Path) -> list[str]:
    """The command of a service on a free port."""
    return [sys.executable, "-m", "ocr_worker", "serve", "--port", "0", "--json", *map(str, words)]


def environment(home: Path) -> dict[str, str]:
    """Surroundings of a worker whose state is below a folder of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OCR_WORKER_")}
    own = {
        "OCR_WORKER_STATE_DIR": str(home / "state"),
        "XDG_CONFIG_HOME": str(home / "config"),
        # None may find the queue full of another's jobs.
        "OCR_WORKER_QUEUE_LIMIT": "100000",
    }
    return {**kept, **own}


@contextmanager
def serving(home: Path, command: Sequence[str], surroundings: Mapping[str, str]) -> Iterator[Running]:
    """A service, ended in order.

    Args:
        home: for its log; its state is below it.
        command: that starts it.
        surroundings: variables of its environment.
    """
    log = home / "service.log"
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            command,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    alarm = threading.Timer(HANG_SECONDS, process.kill)
    alarm.start()
    try:
        address = _address(process, log)
        # It is for a start that hangs: what is shared by a session may live longer.
        alarm.cancel()
        yield Running(address, process, home / "state", log)
    finally:
        alarm.cancel()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(HANG_SECONDS)
        assert process.stdout
        process.stdout.close()


def _address(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if found := re.search(r'"address": "(.*?)"', said):
            return found.group(1)
    raise AssertionError(f"the service did not start: {log.read_text(encoding='utf-8')}")


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
