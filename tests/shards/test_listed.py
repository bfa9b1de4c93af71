"""Inputs by lists and over HTTP: what is no file, and servers that tell little of one."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.limits import HANG_SECONDS
from tests.long_rows import first
from tests.shards.material import Shards, write_cards


def a_folder(place: Path) -> None:
    place.mkdir()


def a_pipe(place: Path) -> None:
    os.mkfifo(place)


def a_socket(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        # The name of a socket is short.
        os.chdir(place.parent)
        bound.bind(place.name)


def a_link_to_itself(place: Path) -> None:
    place.symlink_to(place)


NO_FILES = pytest.mark.parametrize("make", first(2, [a_folder, a_pipe, a_socket, a_link_to_itself]))


def write_list(shards: Shards, *urls: str | Path) -> Path:
    place = shards.home / "list"
    place.write_text("\n".join(map(str, urls)), encoding="utf-8")
    return place


@NO_FILES
def test_a_list_that_names_no_file_is_refused(
    shards: Shards, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shards.home)
    (card,) = write_cards(shards.inputs, 1)
    make(shards.inputs / "none.png")
    listed = write_list(shards, card, shards.inputs / "none.png")

    done = shards.ocr("shards", "plan", f"@{listed}", "--plan", shards.plan_folder)

    assert done.returncode == 3
    assert "none.png" in done.stderr
    assert not shards.plan_folder.exists()


@NO_FILES
def test_what_is_no_file_any_more_fails_and_all_others_are_done(
    shards: Shards, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shards.home)
    cards = write_cards(shards.inputs, 2)
    listed = write_list(shards, *cards)
    shards.ocr.answer("shards", "plan", f"@{listed}", "--plan", shards.plan_folder)
    cards[0].unlink()
    make(cards[0])

    said = shards.run()

    assert said["files"] == {"completed": 1, "failed": 1}
    assert said["failed"] == {"changed": 1}


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, content: bytes, *rest: object) -> None:
        self.content = content
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self._begin()

    def do_GET(self) -> None:
        self._begin()
        self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(self.content), self.content))

    def _begin(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def url(shards: Shards) -> Iterator[str]:
    """Of a card, whose server says neither how large it is nor how old."""
    (card,) = write_cards(shards.inputs, 1)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Answering, card.read_bytes())) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        shards.ocr.variables["NO_PROXY"] = "*"
        yield f"http://127.0.0.1:{server.server_port}/card.png"
        server.shutdown()
        thread.join(HANG_SECONDS)


def test_a_file_of_unknown_size_is_read_and_kept(shards: Shards, url: str) -> None:
    listed = write_list(shards, url)
    shards.ocr.answer("shards", "plan", f"@{listed}", "--plan", shards.plan_folder)

    first = shards.run()
    (shards.out / "done/0000/0000000.json").unlink()
    again = shards.run()

    assert first["files"] == {"completed": 1}
    assert again["files"] == {"kept": 1}
