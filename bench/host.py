"""A host of the worker, as a desktop app is one: spawns it, sends command lines, reads event lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
from typing_extensions import Self

from bench.meter import tree_cpu_seconds

Event = dict[str, Any]


class WorkerHost:
    """A running worker with a state folder and a log of its own under `folder`; killed when `limit_seconds` have passed."""

    def __init__(self, folder: Path, limit_seconds: float = 3600) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log = (folder / "worker.log").open("ab")
        self.process = subprocess.Popen(
            [str(Path(sys.executable).with_name("ocr-worker"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, "OCR_WORKER_STATE_DIR": str(folder / "state")},
        )
        self._limit = threading.Timer(limit_seconds, self.process.kill)
        self._limit.daemon = True
        self._limit.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limit.cancel()
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        if kind is not None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self._log.close()

    def send(self, command: str, **fields: object) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"command": command, **fields}).encode("ascii") + b"\n")
        self.process.stdin.flush()

    def cpu_seconds(self) -> float:
        """What the worker and all below it have used so far."""
        return tree_cpu_seconds(psutil.Process(self.process.pid))

    def events(self) -> Iterator[Event]:
        """Every event until the worker closes its stdout."""
        assert self.process.stdout
        for line in self.process.stdout:
            yield json.loads(line)

    def ask(self, command: str, **fields: object) -> Event:
        """Send a command and return the event that ends it."""
        self.send(command, id=command, **fields)
        for event in self.events():
            if event["type"] in {"result", "error"} and event.get("id") == command:
                return event
        raise RuntimeError(f"the worker ended before it answered {command}: see {self._log.name}")

    def batch(self, files: list[Path], output_dir: Path, **options: object) -> Event:
        """Run a batch to its terminal event. Raises RuntimeError unless it completed."""
        names = [str(file) for file in files]
        event = self.ask("ocr_batch", files=names, output_dir=str(output_dir), options=options)
        if event["type"] == "error" or event["data"]["status"] != "completed":
            raise RuntimeError(f"the batch did not complete: {json.dumps(event['data'])[:500]}")
        return event
