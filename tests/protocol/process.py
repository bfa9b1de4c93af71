"""A worker process as a Session for `replay`: real pipes, an end that is bounded, nothing left behind."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

from ocr_protocol.schema import event_adapter
from tests.limits import HANG_SECONDS


class WorkerProcess:
    """Speaks to one process; all it says must be events of the protocol, counted 1, 2, 3 by `seq`."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self._process, self._stdin, self._stdout = process, stdin, stdout
        self._seq = 0
        self._events = event_adapter()

    def send(self, line: bytes) -> None:
        self._stdin.write(line)
        self._stdin.flush()

    def receive(self) -> dict[str, Any] | None:
        line = self._stdout.readline()
        if not line:
            return None
        assert line.isascii()
        self._events.validate_json(line)
        event: dict[str, Any] = json.loads(line)
        self._seq += 1
        assert event["seq"] == self._seq
        return event

    def end(self) -> None:
        self._stdin.close()

    def exit_code(self) -> int:
        return self._process.wait()


@contextmanager
def start_worker(command: list[str], environment: Mapping[str, str]) -> Iterator[WorkerProcess]:
    """Run a worker, and kill it when it hangs, so that no read waits for ever."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=dict(environment)) as process:
        assert process.stdin
        assert process.stdout
        alarm = threading.Timer(HANG_SECONDS, process.kill)
        alarm.start()
        try:
            yield WorkerProcess(process, process.stdin, process.stdout)
        finally:
            alarm.cancel()
            process.kill()
