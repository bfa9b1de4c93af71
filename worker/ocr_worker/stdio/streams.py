"""Read lines from the host and write events to it. Knows nothing about OCR."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Union

from ocr_protocol.commands import DEFAULT_EVENT_BYTES
from ocr_protocol.events import Event
from ocr_protocol.lines import Line, LineSplitter
from ocr_worker.descriptors import read_some, write_all
from ocr_worker.processes.claim import Channel
from ocr_worker.stdio.event_size import encode_within

READ_BYTES = 65536
WINDOW = 64
"""Most commands whose answers are not written yet."""


Draft = Union[Event, Callable[[], Event | None]]
"""An event, or a function that makes one, or none, once the host has read all before it: so a slow host costs no memory."""


class Reader:
    """A thread that posts each line of stdin, and stops reading while WINDOW answers wait for the host."""

    def __init__(
        self,
        channel: Channel,
        on_line: Callable[[Line], None],
        on_end: Callable[[], None],
        max_line_bytes: int,
        heard: bytes = b"",
    ) -> None:
        """`heard` was already read from stdin. Both functions run in the reader's thread."""
        self._fd, self._on_line, self._on_end, self._heard = channel.stdin, on_line, on_end, heard
        self._splitter = LineSplitter(max_line_bytes)
        self._room = threading.Semaphore(WINDOW)

    def start(self) -> None:
        threading.Thread(target=self._run, name="stdin", daemon=True).start()

    def answered(self) -> None:
        """Report, from any thread, that the host has read the answer to one line."""
        self._room.release()

    def _run(self) -> None:
        chunk = self._heard or self._read()
        while chunk:
            for line in self._splitter.feed(chunk):
                self._post_line(line)
            chunk = self._read()
        for line in self._splitter.finish():
            self._post_line(line)
        self._on_end()

    def _post_line(self, line: Line) -> None:
        self._room.acquire()
        self._on_line(line)

    def _read(self) -> bytes:
        try:
            return read_some(self._fd, READ_BYTES)
        except OSError:
            return b""


class Writer:
    """A thread that writes events in order. Only the newest progress and heartbeat wait; nothing else is dropped."""

    def __init__(self, channel: Channel, on_drained: Callable[[], None], on_lost: Callable[[], None]) -> None:
        """Both functions run in the writer's thread: when all is written, and when nobody reads any more."""
        self._fd, self._on_drained, self._on_lost = channel.stdout, on_drained, on_lost
        self.max_event_bytes = DEFAULT_EVENT_BYTES
        """Lists that would make a longer line are left out."""
        self._news = threading.Condition()
        self._waiting: OrderedDict[object, Draft] = OrderedDict()
        self._number, self._seq, self._closed, self._writing = 0, 0, False, False

    def start(self) -> None:
        threading.Thread(target=self._run, name="stdout", daemon=True).start()

    def put(self, draft: Draft) -> None:
        with self._news:
            self._number += 1
            self._waiting[self._number] = draft
            self._news.notify_all()

    def put_latest(self, subject: str, draft: Draft) -> None:
        """Queue an event in place of an earlier one of its subject that the host has not read yet."""
        with self._news:
            self._waiting.pop(subject, None)
            self._waiting[subject] = draft
            self._news.notify_all()

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be written."""
        with self._news:
            return not (self._waiting or self._writing)

    def flush(self, seconds: float) -> bool:
        """Wait until all is written; False if the host did not read it in time."""
        with self._news:
            return self._news.wait_for(lambda: self._closed or not (self._waiting or self._writing), seconds)

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting)
                _, draft = self._waiting.popitem(last=False)
                self._writing = True
            delivered = self._write(draft)
            with self._news:
                self._writing = False
                self._closed = self._closed or not delivered
                self._news.notify_all()
                drained = not self._waiting
            if drained:
                self._on_drained()

    def _write(self, draft: Draft) -> bool:
        event = draft() if callable(draft) else draft
        if event is None:
            return True
        self._seq += 1
        try:
            write_all(self._fd, encode_within(event, self._seq, self.max_event_bytes))
        except OSError:
            self._on_lost()
            return False
        return True
