"""What must hold after any fault: failures are well said, outputs are whole, nothing temporary is left, the worker answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pikepdf

from tests.faults import sayings
from tests.faults.host import Event, Worker, left_behind, nothing_is_left


def check(worker: Worker, since: int, folder: Path) -> None:
    """After a test that has told a worker to do something in `folder`."""
    for event in worker.events[since:]:
        sayings.check(event)
    check_outputs(worker.events[since:])
    assert worker.ask("ping")["type"] == "result"
    nothing_is_left(folder)
    assert list(worker.temp.iterdir()) == []


def what_a_kill_left(state: Path, out: Path) -> list[str]:
    """Of a worker that has been killed, and of those after it that no longer run a job."""
    jobs = state / "jobs"
    stale = [
        path.name for kind in (".lock", ".softlock", ".cancel", ".due") for path in jobs.glob(f"*{kind}")
    ]
    running = [path.name for path in out.glob("*_manifest.json") if '"state": "running"' in _text(path)]
    return [*stale, *running, *left_behind(out)]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def check_outputs(events: Iterable[Event]) -> None:
    """What the last word of each path calls done is whole, where it is still there."""
    last = {path: entry for entry in _successes(events) for path in entry.get("outputs", {}).values()}
    for name, entry in last.items():
        path = sayings.path_of(name)
        if path.is_file() and path.suffix == ".pdf":
            with path.open("rb") as stream, pikepdf.open(stream) as pdf:
                assert len(pdf.pages) == entry["pages"]
        elif path.is_file() and path.suffix == ".json":
            json.loads(path.read_bytes())


def _successes(events: Iterable[Event]) -> Iterator[Event]:
    for event in events:
        if event["data"].get("kind") == "batch":
            yield from event["data"].get("successful") or ()
