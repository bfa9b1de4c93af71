"""What many clients do to a service at once, from a process of its own: `python -m bench.server.load ADDRESS JOB ROOM`.

Ends with its job, and prints what it saw as JSON. Clients have the same two cores as the server, and are to cost as
little as clients elsewhere would: requests are bytes made before, one loop waits for all connections, and an answer is
looked at no closer than it takes to know that it is right.
"""

from __future__ import annotations

import gc
import json
import re
import select
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

WATCHERS = 50
UPLOADERS, UPLOADS = 10, 300
POLLS_PER_SECOND, POLLERS = 1000, 25
BLOCK_BYTES = 2**16
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_PLACE = re.compile(rb"\r\nlocation: (\S+)\r\n", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_END = b"\r\n\r\n"
_FILE, _ENDS = b"\nevent: file\n", (b"\nevent: end\n", b"\nevent: broken\n")
_LONGEST = max(map(len, (_FILE, *_ENDS)))


@dataclass(slots=True)
class Seen:
    """What came of it. Times in seconds."""

    polls: list[float] = field(default_factory=list)
    """How long each answer took."""
    seconds: float = 0.0
    refused: int = 0
    heard: list[list[float]] = field(default_factory=list)
    """When each watcher heard of the end of each file, in seconds since the epoch."""
    ends: int = 0
    """Watchers that heard the end."""
    uploads: list[str] = field(default_factory=list)


class Connection:
    """One of many that are waited for together."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.socket = socket.create_connection((parts.hostname or "", parts.port or 80))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._come = b""
        self.is_at_rest = False
        """Whether no answer is awaited."""

    def block(self) -> bytes:
        """Something has come."""
        block = self.socket.recv(BLOCK_BYTES)
        if not block:
            raise ConnectionError("the service has closed a connection before its time")
        return block

    def answers(self) -> Iterator[tuple[bytes, bytes]]:
        """Head and body of each answer that has come whole with what is there now."""
        block = self.block()
        self._come = self._come + block if self._come else block
        while (answer := self._answer()) is not None:
            yield answer

    def _answer(self) -> tuple[bytes, bytes] | None:
        if (end := self._come.find(_END)) < 0:
            return None
        head, begin = self._come[: end + 2], end + len(_END)
        length = _LENGTH.search(head)
        if len(self._come) < (upto := begin + (int(length[1]) if length else 0)):
            return None
        body, self._come = self._come[begin:upto], self._come[upto:]
        return head, body


class Watcher(Connection):
    """Notes when it hears of the end of a file."""

    def __init__(self, address: str, job_id: str) -> None:
        super().__init__(address)
        self.heard, self._status = list[float](), b""
        self.socket.sendall(request("GET", f"/api/v1/jobs/{job_id}/events"))

    def take(self) -> None:
        block = self.block()
        if len(self._status) < len(b"HTTP/1.1 200"):
            self._status += block
            assert b"HTTP/1.1 200 OK".startswith(self._status[:15]), self._status
        # What tells of an event may come in two parts.
        heard = self._come + block
        self.heard += [time.time()] * (heard.count(_FILE) - self._come.count(_FILE))
        self.is_at_rest = any(end in heard for end in _ENDS)
        self._come = heard[1 - _LONGEST :]


class Poller(Connection):
    """Asks at fixed times, whatever came of the question before: a slow answer makes the next ones late, and counts."""

    def __init__(self, address: str, job_id: str, seen: Seen) -> None:
        super().__init__(address)
        self._asked = request("GET", f"/api/v1/jobs/{job_id}")
        self._begins = b'{"job_id":"%s",' % job_id.encode()
        self._seen = seen
        self._due = list[float]()

    def ask(self, due: float) -> None:
        self._due.append(due)
        self.is_at_rest = False
        if len(self._due) == 1:
            self.socket.sendall(self._asked)

    def take(self) -> None:
        for head, body in self.answers():
            self._seen.polls.append(time.perf_counter() - self._due.pop(0))
            is_whole = body.startswith(self._begins) and body.endswith(b"}")
            self._seen.refused += not (is_whole and head.startswith(b"HTTP/1.1 200 "))
            self.is_at_rest = not self._due
            if self._due:
                self.socket.sendall(self._asked)


class Uploader(Connection):
    """Sends one file after the other by tus, each announced and then sent."""

    def __init__(self, address: str, paper: bytes, seen: Seen) -> None:
        super().__init__(address)
        self._paper, self._seen, self._left = paper, seen, UPLOADS // UPLOADERS
        self._announced = request(
            "POST", "/api/v1/uploads", Tus_Resumable="1.0.0", Upload_Length=str(len(paper))
        )
        self.socket.sendall(self._announced)

    def take(self) -> None:
        for head, body in self.answers():
            self._go_on(head, body)

    def _go_on(self, head: bytes, body: bytes) -> None:
        status, place = _STATUS.match(head), _PLACE.search(head)
        assert status, head
        if place is None:
            assert status[1] == b"204", head + body
            self._left -= 1
            self.is_at_rest = self._left == 0
            if self._left:
                self.socket.sendall(self._announced)
            return
        assert status[1] == b"201", head + body
        self._seen.uploads.append(json.loads(body)["upload"])
        sent = {
            "Upload_Offset": "0",
            "Content_Type": "application/offset+octet-stream",
            "Tus_Resumable": "1.0.0",
        }
        self.socket.sendall(request("PATCH", place[1].decode(), self._paper, **sent))


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of a request."""
    named = {"Host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if method != "GET":
        named["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def load(address: str, job_id: str, paper: bytes) -> Seen:
    """All of it until the job ends."""
    seen, begun = Seen(), time.perf_counter()
    watchers = [Watcher(address, job_id) for _ in range(WATCHERS)]
    pollers = [Poller(address, job_id, seen) for _ in range(POLLERS)]
    uploaders = [Uploader(address, paper, seen) for _ in range(UPLOADERS)]
    clients: list[Watcher | Poller | Uploader] = [*watchers, *pollers, *uploaders]
    crowd = {client.socket.fileno(): client for client in clients}
    ready = select.epoll(len(crowd))
    for number in crowd:
        ready.register(number, select.EPOLLIN)
    asked, first, watching = 0, time.perf_counter(), WATCHERS
    while watching or not all(client.is_at_rest for client in clients):
        now = time.perf_counter()
        while watching and (due := first + asked / POLLS_PER_SECOND) <= now:
            pollers[asked % POLLERS].ask(due)
            asked += 1
        for number, _ in ready.poll(max(0.0, due - now) if watching else None):
            client = crowd[number]
            client.take()
            if client.is_at_rest and not isinstance(client, Poller):
                ready.unregister(number)
                watching -= isinstance(client, Watcher)
    seen.seconds = time.perf_counter() - begun
    seen.heard = [watcher.heard for watcher in watchers]
    seen.ends = sum(watcher.is_at_rest for watcher in watchers)
    return seen


def main() -> None:
    address, job_id, paper = sys.argv[1:]
    gc.disable()
    print(json.dumps(asdict(load(address, job_id, Path(paper).read_bytes()))))


if __name__ == "__main__":
    main()
