"""What many clients do to a service at once, from a process of its own: `python -m bench.server.load ADDRESS JOB ROOM`.

Ends with its job, and prints what it saw as JSON. Requests are bytes made before, so that the clients cost little: they
have the same two cores.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

WATCHERS = 50
UPLOADERS, UPLOADS = 10, 300
POLLS_PER_SECOND, POLLERS = 1000, 25


@dataclass(slots=True)
class Seen:
    """What came of it. Times in seconds."""

    polls: list[float] = field(default_factory=list)
    """How long each answer took."""
    seconds: float = 0.0
    refused: int = 0
    watched: list[int] = field(default_factory=list)
    """Files whose end each watcher heard of."""
    ends: int = 0
    """Watchers that heard the end."""
    uploads: list[str] = field(default_factory=list)


class Connection:
    """A kept connection, for one request after the other."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer."""
        reader, _writer = await self.send(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return int(head[0].split(" ")[1]), headers, body

    async def send(self, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Send a request; its answer can be read."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        self._streams[1].write(request)
        return self._streams

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of a request."""
    named = {"Host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if method != "GET":
        named["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def load(address: str, job_id: str, paper: bytes) -> Seen:
    """All of it until the job ends."""
    seen, over = Seen(), asyncio.Event()
    begun = time.perf_counter()
    watchers = [asyncio.create_task(watch(address, job_id, seen)) for _ in range(WATCHERS)]
    pollers = [asyncio.create_task(poll(address, job_id, (number, over), seen)) for number in range(POLLERS)]
    uploaders = [asyncio.create_task(upload(address, paper, seen)) for _ in range(UPLOADERS)]
    await asyncio.gather(*watchers)
    over.set()
    await asyncio.gather(*pollers, *uploaders)
    seen.seconds = time.perf_counter() - begun
    return seen


async def watch(address: str, job_id: str, seen: Seen) -> None:
    connection, files = Connection(address), 0
    reader, _writer = await connection.send(request("GET", f"/api/v1/jobs/{job_id}/events"))
    while line := await reader.readline():
        files += line.rstrip() == b"event: file"
        if line.rstrip() in (b"event: end", b"event: broken"):
            seen.ends += 1
            break
    seen.watched.append(files)
    connection.close()


async def poll(address: str, job_id: str, turn: tuple[int, asyncio.Event], seen: Seen) -> None:
    """Ask at fixed times, whatever came of the question before: a slow answer makes the next ones late, and counts."""
    number, over = turn
    connection, asked = Connection(address), request("GET", f"/api/v1/jobs/{job_id}")
    due = time.perf_counter() + number / POLLS_PER_SECOND
    while not over.is_set():
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        status, _, _ = await connection.ask(asked)
        seen.polls.append(time.perf_counter() - due)
        seen.refused += status != 200
        due += POLLERS / POLLS_PER_SECOND
    connection.close()


async def upload(address: str, paper: bytes, seen: Seen) -> None:
    connection = Connection(address)
    tus = {"Tus_Resumable": "1.0.0"}
    for _ in range(UPLOADS // UPLOADERS):
        _, headers, body = await connection.ask(
            request("POST", "/api/v1/uploads", b"", Upload_Length=str(len(paper)), **tus)
        )
        sent = {"Upload_Offset": "0", "Content_Type": "application/offset+octet-stream", **tus}
        status, _, _ = await connection.ask(request("PATCH", headers["location"], paper, **sent))
        assert status == 204, status
        seen.uploads.append(json.loads(body)["upload"])
    connection.close()


def main() -> None:
    address, job_id, paper = sys.argv[1:]
    print(json.dumps(asdict(asyncio.run(load(address, job_id, Path(paper).read_bytes())))))


if __name__ == "__main__":
    main()
