"""A request that comes again in the same bytes has the answer that it would have had, and nothing else has it."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from ocr_worker.server.again import ASKED, LONGEST_ANSWER, MOST_KEPT, STANDS, Again
from ocr_worker.server.moment import Moment
from rigs.service import ended, until
from tests.cli.command import Command
from tests.e2e.material import Material
from tests.limits import HANG_SECONDS
from tests.server.service import Limited, Service, service, start

LIST = b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Wire:
    """A kept connection that sends bytes as they are."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._stream = connection, connection.makefile("rb")

    def send(self, asked: bytes) -> None:
        self._connection.sendall(asked)

    def answer(self) -> tuple[bytes, bytes]:
        """The next one: its head, and its body."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self._stream.readline()
            assert line, head
            head += line
        found = re.search(rb"content-length: (\d+)", head)
        assert found, head
        return head, self._stream.read(int(found.group(1)))

    def ask(self, asked: bytes) -> tuple[bytes, bytes]:
        self.send(asked)
        return self.answer()


@contextmanager
def wire(served: Service) -> Iterator[Wire]:
    with socket.create_connection(("127.0.0.1", served.port), timeout=HANG_SECONDS) as connection:
        yield Wire(connection)


def undated(head: bytes) -> list[bytes]:
    return sorted(line for line in head.splitlines() if not line.startswith(b"date:"))


def show(job_id: str) -> bytes:
    return b"GET /api/v1/jobs/%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % job_id.encode()


def test_the_answer_is_the_same_to_its_last_header_on_this_connection_and_on_others(served: Service) -> None:
    with wire(served) as one, wire(served) as other:
        answers = [one.ask(LIST) for _ in range(5)] + [other.ask(LIST) for _ in range(2)]

    heads, bodies = zip(*answers, strict=True)
    assert len({tuple(undated(head)) for head in heads}) == 1
    assert len(set(bodies)) == 1
    assert all(re.search(rb"^date: \w{3}, ", head, re.MULTILINE) for head in heads)
    assert b"HTTP/1.1 200 OK\r\n" in heads[-1]


def test_no_answer_is_older_than_its_question(
    served: Service, client: httpx.Client, material: Material
) -> None:
    job_id = start(client, material.pdf(material.folder / "again.pdf", "hq"))
    served.hold.wait()
    states = []
    with wire(served) as one:
        for order in ("pause", "resume", "pause", "cancel"):
            one.ask(show(job_id))
            client.post(f"/api/v1/jobs/{job_id}/{order}")
            states.append(json.loads(one.ask(show(job_id))[1])["state"])

    assert states == ["paused", "running", "paused", "cancelled"]


def test_what_comes_behind_a_request_or_in_parts_is_heard_as_well(served: Service) -> None:
    health = b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with wire(served) as one:
        whole = one.ask(LIST)[1]
        bodies = []
        for _ in range(2):
            one.send(LIST + health + LIST)
            bodies += [one.answer()[1] for _ in range(3)]
        one.send(LIST[:20])
        one.send(LIST[20:] + LIST[:9])
        bodies.append(one.answer()[1])
        bodies.append(one.ask(LIST[9:])[1])

    assert [body == whole for body in bodies] == [True, False, True] * 2 + [True, True]


def test_who_repeats_a_request_keeps_to_the_limit_of_an_address_and_has_its_token(tmp_path: Path) -> None:
    token = "a-token-of-some-length"
    named = LIST.replace(b"\r\n\r\n", b"\r\nAuthorization: Bearer %s\r\n\r\n" % token.encode())
    limited = Limited({"requests_per_second": 1, "wrong_tokens_per_minute": 100}, token)
    with service(tmp_path, limited=limited) as served, wire(served) as one, wire(served) as other:
        heads = [one.ask(named)[0] for _ in range(8)]
        refused = [other.ask(LIST)[0].split(b" ")[1] for _ in range(3)]

    said = [head.split(b" ")[1] for head in heads]
    assert said[:2] == [b"200", b"200"]
    assert b"429" in said
    assert set(refused) <= {b"401", b"429"}


@pytest.mark.parametrize("more", [b"Content-Length: 2\r\n\r\n{}", b"Connection: close\r\n\r\n"])
def test_a_request_with_a_body_or_the_last_one_is_answered_as_ever(served: Service, more: bytes) -> None:
    asked = LIST[:-2] + more
    for _ in range(2):
        with wire(served) as one:
            head, _ = one.ask(asked)
        assert head.startswith(b"HTTP/1.1 200 ")


ODD = {
    "of HTTP/1.0": b"GET /api/v1/jobs HTTP/1.0\r\nHost: localhost\r\n\r\n",
    "of HTTP/1.0, kept": b"GET /api/v1/jobs HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n",
    "without a host": b"GET /api/v1/jobs HTTP/1.1\r\n\r\n",
    "of two hosts": b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n",
    "of another host": b"GET /api/v1/jobs HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "of another origin": b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil\r\n\r\n",
    "in parts": b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "in parts and of a length": b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "of no length": b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
    "of two lengths": b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 9\r\n\r\n",
    "the last of its connection": b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: Close, x\r\n\r\n",
    "for another protocol": b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    "that waits": b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\r\n",
    "for a whole address": b"GET http://localhost/api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "in small letters": b"get /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "behind an empty line": b"\r\nGET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "with a folded header": b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
    "with a bare line end": b"GET /api/v1/jobs HTTP/1.1\nHost: localhost\n\n",
    "of the head alone": b"HEAD /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "with what comes behind it": LIST + b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


LAST = b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def all_of(served: Service, asked: bytes) -> list[bytes]:
    """All that a service says to these bytes, and to a last request if it has not closed the connection before."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=HANG_SECONDS) as connection:
        connection.sendall(asked)
        said = connection.recv(2**16)
        with suppress(ConnectionError):
            connection.sendall(LAST)
            while block := connection.recv(2**16):
                said += block
    return undated(said)


@pytest.mark.parametrize("asked", ODD.values(), ids=ODD)
def test_an_odd_request_is_answered_as_it_was_at_first_however_often_it_comes(
    served: Service, asked: bytes
) -> None:
    """Without what is kept, it would be: a comment has bytes of its own."""
    marked = asked.replace(b"Host:", b"X-First: 1\r\nHost:", 1)
    first = all_of(served, marked)
    for _ in range(3):
        assert all_of(served, asked) == first
        # What is known meanwhile is no help to it.
        all_of(served, LIST)


def test_a_body_that_looks_like_a_known_request_is_a_body(served: Service, client: httpx.Client) -> None:
    with wire(served) as one:
        one.ask(LIST)
        known = one.ask(LIST)
        order = b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        one.send(order + b"Content-Length: %d\r\n\r\n" % (2 * len(LIST)))
        # Alone and at once, as a request that is known would come.
        one.send(LIST)
        one.send(LIST)
        refused, body = one.answer()
        after = one.ask(LIST)

    assert refused.startswith(b"HTTP/1.1 422 "), body
    assert after[1] == known[1]


def test_a_kept_answer_is_for_its_token_alone(tmp_path: Path) -> None:
    words = ["a-token-of-some-length", "another-of-some-length"]
    asked = [
        LIST.replace(b"\r\n\r\n", b"\r\nAuthorization: Bearer %s\r\n\r\n" % word.encode()) for word in words
    ]
    said = list[list[bytes]]()
    for word in words:
        # The same state, and another token after its restart.
        with (
            service(tmp_path, limited=Limited({"wrong_tokens_per_minute": 1000}, word)) as served,
            wire(served) as one,
        ):
            said.append([one.ask(each)[0].split(b" ")[1] for each in (*asked, *asked, *asked)])

    assert said == [[b"200", b"401"] * 3, [b"401", b"200"] * 3]


def test_what_another_process_does_is_seen(client: httpx.Client, served: Service, material: Material) -> None:
    [picture] = material.quick_files(material.folder / "others", 1)
    job_id = start(client, picture)
    ended(client, job_id)
    ocr = Command(served.state_dir.parent)
    with wire(served) as one:
        before = [one.ask(show(job_id))[0] for _ in range(3)]
        done = ocr("delete", job_id)
        # An answer stands for a moment.
        until(lambda: one.ask(show(job_id))[0][9:12], lambda status: status == b"404")

    assert done.returncode == 0, done.stderr
    assert [head[9:12] for head in before] == [b"200"] * 3


def answered(again: Again, asked: bytes, body: bytes = b"[]", *, stands: bool = True) -> bytes | None:
    """What is kept of a request, after it was answered."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if stands:
            scope[STANDS] = 1
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": body})

    again._app = app
    scope: Scope = {"type": "http", "client": ("10.0.0.1", 1), ASKED: ("127.0.0.1", asked)}
    asyncio.run(again(scope, None, _nowhere))  # type: ignore[arg-type]  # nothing is received
    return again.answer("127.0.0.1", asked)


async def _nowhere(_: object) -> None:
    pass


def test_an_answer_is_kept_for_its_bytes_and_address_until_the_version_changes_or_too_much_is_asked() -> None:
    version, allowed, asking = [1], [True], list[str]()

    def may_ask(address: str) -> bool:
        asking.append(address)
        return allowed[0]

    again = Again(_nowhere, Moment(lambda: version[0], 0), may_ask)  # type: ignore[arg-type]  # replaced
    kept = answered(again, b"one")
    others = [again.answer("127.0.0.1", b"other"), again.answer("10.0.0.1", b"one")]
    allowed[0] = False
    too_often = again.answer("127.0.0.1", b"one")
    allowed[0], version[0] = True, 2
    later = again.answer("127.0.0.1", b"one")

    assert kept == b"a: b\r\n\r\n[]"
    assert [*others, too_often, later] == [None] * 4
    # Behind a proxy it is the client's that counts.
    assert asking == ["10.0.0.1"] * 2


class _Message(dict[str, Any]):
    """One that can be seen to go away."""


def test_nothing_is_held_of_what_is_sent_for_long() -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send(_Message(type="http.response.start", status=200, headers=[]))
        for _part in range(3):
            message = _Message(type="http.response.body", body=b"a part of a download", more_body=True)
            there.append(weakref.ref(message))
            await send(message)
            del message
            left.append(sum(each() is not None for each in there))

    there, left = list[Any](), list[int]()
    scope: Scope = {"type": "http", "client": ("127.0.0.1", 1), ASKED: ("127.0.0.1", b"GET")}
    asyncio.run(Again(app, Moment(lambda: 1, 0), lambda _: True)(scope, None, _nowhere))  # type: ignore[arg-type]  # as above

    assert left == [0, 0, 0]


def test_what_does_not_stand_is_large_or_was_asked_long_ago_is_not_kept() -> None:
    again = Again(_nowhere, Moment(lambda: 1, 0), lambda _: True)  # type: ignore[arg-type]  # replaced

    assert answered(again, b"changing", stands=False) is None
    assert answered(again, b"large", b"x" * LONGEST_ANSWER) is None
    for number in range(MOST_KEPT + 1):
        assert answered(again, b"%d" % number) is not None
    assert again.answer("127.0.0.1", b"0") is None
    assert again.answer("127.0.0.1", b"1") is not None
