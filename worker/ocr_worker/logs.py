"""Logs to the host's stderr through a bounded queue. A full or closed stderr loses lines; nobody waits."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable
from contextlib import suppress

from ocr_worker.descriptors import write_all

BACKLOG = 1000
PRINT_BYTES = 4096
LAST_WORDS_SECONDS = 0.2


class Stderr:
    """What is said here is written by a thread, as the host takes it; what finds the queue full is dropped."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._words: queue.Queue[bytes] = queue.Queue(BACKLOG)
        self._prints: threading.Thread | None = None
        threading.Thread(target=self._write, name="stderr", daemon=True).start()

    def say(self, words: bytes) -> None:
        with suppress(queue.Full):
            self._words.put_nowait(words)

    def take_prints(self) -> None:
        """Let fd 1 and 2 end here, so that no print, C library or child can wait for the host to read."""
        read, write = os.pipe()
        os.dup2(write, 1)
        os.dup2(write, 2)
        os.close(write)
        self._prints = threading.Thread(target=self._read, args=(read,), name="prints", daemon=True)
        self._prints.start()

    def finish(self) -> None:
        """Give the host a moment for the last words. What is printed after this is lost."""
        if self._prints is not None:
            # Where no descriptor is left, they end with us.
            with suppress(OSError):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, 1)
                os.dup2(null, 2)
            # A child may still hold the pipe: then its end never comes.
            self._prints.join(LAST_WORDS_SECONDS)
        with self._words.all_tasks_done:
            self._words.all_tasks_done.wait_for(lambda: not self._words.unfinished_tasks, LAST_WORDS_SECONDS)

    def _read(self, prints: int) -> None:
        while words := os.read(prints, PRINT_BYTES):
            self.say(words)

    def _write(self) -> None:
        while True:
            words = self._words.get()
            with suppress(OSError):
                write_all(self._fd, words)
            self._words.task_done()


class _Lines(logging.Handler):
    def __init__(self, say: Callable[[bytes], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        self._say(self.format(record).encode("utf-8", "backslashreplace") + b"\n")


def log_to(stderr: Stderr, level: str) -> None:
    """Send the log of the whole process there, from this level on."""
    handler = _Lines(stderr.say)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
