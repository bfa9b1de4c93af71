"""Logs on stderr that never block and never fail: a full or closed stderr costs lines, not the worker."""

from __future__ import annotations

import logging
import os
import queue
import threading

BACKLOG = 1000


class _Bounded(logging.Handler):
    """Queues formatted lines for a thread that writes them; when the queue is full they are dropped."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: queue.Queue[bytes] = queue.Queue(BACKLOG)
        threading.Thread(target=self._run, name="stderr", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record).encode("utf-8", "backslashreplace") + b"\n"
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            return

    def _run(self) -> None:
        while True:
            line = self._lines.get()
            try:
                os.write(2, line)
            except OSError:
                continue


def log_to_stderr(level: str = "") -> None:
    """Send the log of the whole process to stderr; OCR_WORKER_LOG sets the level (default WARNING)."""
    handler = _Bounded()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(
        level=level or os.environ.get("OCR_WORKER_LOG", "WARNING").upper(), handlers=[handler], force=True
    )
