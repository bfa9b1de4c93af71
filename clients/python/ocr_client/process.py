"""One worker process: its pipes, each with a thread, and its end by steps. Knows nothing of the protocol but `shutdown`."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from ocr_client.settings import Settings
from ocr_client.wire import LineReader, encode

READ_BYTES = 65536
KEPT_LINES = 100
"""Of stderr."""
KILL_SECONDS = 5.0


@dataclass(frozen=True)
class Hearing:
    """What a worker process calls, from threads of its own."""

    line: Callable[[WorkerProcess, bytes], None]
    end: Callable[[WorkerProcess], None]
    """Stdout has ended, and with it the worker."""


class WorkerProcess:
    """Raises OSError if it can't be started."""

    def __init__(self, settings: Settings, hearing: Hearing) -> None:
        self._timing, self._hearing = settings.timing, hearing
        self._process = subprocess.Popen(
            settings.worker_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=settings.worker_environment(),
            # A Ctrl-C in our terminal is ours to act on.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self.pid = self._process.pid
        self._stderr: deque[str] = deque(maxlen=KEPT_LINES)
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._reader = LineReader(settings.max_line_bytes)
        self._drain = self._thread(self._keep_stderr)
        self._thread(self._write)
        self._reading = self._thread(self._read)

    def say(self, line: bytes) -> None:
        """Never waits: a thread writes, in order. What a dead worker does not read is lost, and its end is heard."""
        self._lines.put(line)

    @property
    def last_words(self) -> str:
        """The end of what it said on stderr."""
        return "\n".join(list(self._stderr)[-10:])

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def how_it_ended(self) -> str:
        code = self._process.returncode
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def stop(self) -> None:
        """End it: by `shutdown`, then SIGTERM, then by force. Returns when it is gone."""
        self.say(encode({"command": "shutdown", "mode": "now"}))
        self._lines.put(None)
        if not self._gone_within(self._timing.stop_seconds):
            with suppress(OSError):
                self._process.terminate()
            if not self._gone_within(self._timing.terminate_seconds):
                self.kill()

    def kill(self) -> None:
        """End it by force; its guard ends the page processes."""
        with suppress(OSError):
            if sys.platform == "win32":
                # With what it was started through. It is Windows' own, which may be forbidden.
                subprocess.run(
                    ["taskkill", "/T", "/F", "/PID", str(self.pid)], capture_output=True, check=False,
                    creationflags=subprocess.CREATE_NO_WINDOW,
                )  # fmt: skip
            else:
                os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()
        self._gone_within(KILL_SECONDS)

    def _gone_within(self, seconds: float) -> bool:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        # Not from its own thread: that of the reader hears of the end.
        if self.has_ended() and threading.current_thread() is not self._reading:
            self._reading.join(KILL_SECONDS)
        return self.has_ended()

    def _thread(self, run: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=run, name=f"ocr_client {self.pid}", daemon=True)
        thread.start()
        return thread

    def _read(self) -> None:
        with self._pipe(self._process.stdout) as stdout:
            while chunk := os.read(stdout.fileno(), READ_BYTES):
                for line in self._reader.feed(chunk):
                    self._hearing.line(self, line)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(KILL_SECONDS)
        self._drain.join(1.0)
        self._lines.put(None)
        self._hearing.end(self)

    def _write(self) -> None:
        with suppress(OSError), self._pipe(self._process.stdin) as stdin:
            while (line := self._lines.get()) is not None:
                stdin.write(line)
                stdin.flush()

    def _keep_stderr(self) -> None:
        with self._pipe(self._process.stderr) as stderr:
            while line := stderr.readline(2000):
                self._stderr.append(line.decode("utf-8", "replace").rstrip())

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe
