"""What is told of a batch's end: the hook, and the manifest in the output folder."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ocr_worker.cli.hooks import Patience, tell, windows_words
from ocr_worker.library.manifest import BatchManifest
from rigs.papers import write_papers
from tests.cli.command import Command
from tests.limits import HANG_SECONDS

DRIPS, DRIP_SECONDS = 100, 0.2
KEEP = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read()); print('kept')"


def test_at_the_end_a_command_gets_the_result_without_a_shell(ocr: Command) -> None:
    (paper,) = write_papers(ocr.home / "in", 1)
    done = ocr(
        "batch", paper, "-o", "out", "--json", "--on-finish", f'{sys.executable} -c "{KEEP}" "$HOME; told"'
    )

    told = json.loads((ocr.home / "$HOME; told").read_bytes())
    assert told == json.loads(done.stdout)
    assert told["successful"][0]["file"] == str(paper)


def test_at_the_end_a_webhook_gets_the_result(ocr: Command) -> None:
    (paper,) = write_papers(ocr.home / "in", 1)

    with listening() as (address, heard):
        done = ocr("batch", paper, "-o", "out", "--on-finish", f"{address}/hook")

    assert done.returncode == 0
    assert [(path, kind, body["status"]) for path, kind, body in heard] == [
        ("/hook", "application/json", "completed")
    ]


@pytest.mark.parametrize("target", ["http://127.0.0.1:9/", "no-such-program --now", "false"])
def test_a_hook_that_fails_is_told_and_changes_nothing(ocr: Command, target: str) -> None:
    (paper,) = write_papers(ocr.home / "in", 1)

    done = ocr("batch", paper, "-o", "out", "--on-finish", target)

    assert done.returncode == 0
    assert "--on-finish: " in done.stderr


def test_a_hook_that_does_not_end_is_ended_and_told(tmp_path: Path) -> None:
    endless = f'{sys.executable} -c "import threading; threading.Event().wait()"'

    trouble = tell(endless, b"{}", Patience(command=0.2))

    assert trouble is not None
    assert trouble.endswith("did not end within 0.2 seconds and was ended")


def test_a_webhook_that_does_not_answer_is_given_up_and_told() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:
        trouble = tell(f"http://127.0.0.1:{deaf.getsockname()[1]}/", b"{}", Patience(webhook=0.2))

    assert trouble is not None
    assert trouble.endswith("did not answer within 0.2 seconds")


def test_a_webhook_that_answers_a_letter_at_a_time_gets_no_more_time_than_one_that_says_nothing() -> None:
    over = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        dripping = threading.Thread(target=_drip, args=(server, over))
        dripping.start()
        begun = time.monotonic()
        trouble = tell(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", Patience(webhook=0.5))

        passed = time.monotonic() - begun
        over.set()
        dripping.join(HANG_SECONDS)

    assert trouble is not None
    assert "within 0.5 seconds" in trouble
    assert passed < DRIPS * DRIP_SECONDS / 2


def _drip(server: socket.socket, over: threading.Event) -> None:
    """Each letter comes well before the wait for it is over."""
    peer, _ = server.accept()
    with peer, suppress(OSError):
        for letter in b"HTTP/1.1 200 OK\r\nX-Endless: ".ljust(DRIPS, b"x"):
            peer.sendall(bytes([letter]))
            if over.wait(DRIP_SECONDS):
                return


def test_the_hook_hears_of_a_run_that_breaks(ocr: Command) -> None:
    write_papers(ocr.home / "in", 6)
    words = ("-v", "--pages-per-minute", "20", "--on-finish", f'{sys.executable} -c "{KEEP}" told')
    with ocr.start("batch", "in", "-o", "out", *words) as process:
        assert process.stderr is not None
        while "Finished" not in process.stderr.readline():
            assert process.poll() is None
        with closing(sqlite3.connect(ocr.home / "state" / "jobs.sqlite3", timeout=10)) as store:
            store.execute("DROP TABLE pages")
        process.communicate(timeout=HANG_SECONDS)

    told = json.loads((ocr.home / "told").read_bytes())
    assert process.returncode == 4
    assert told["status"] == "failed"
    assert told["error"]["code"] == "output_permission"
    assert f"ocr-worker resume {told['job_id']}" in told["error"]["message"]


@pytest.mark.long
@pytest.mark.slow
def test_the_manifest_says_the_end_before_the_command_ends_however_large_it_is(ocr: Command) -> None:
    # Long paths make a large manifest of files that cost nothing.
    (paper,) = write_papers(ocr.home.joinpath("in", *["d" * 250] * 14), 1)
    for number in range(12_000):
        os.link(paper, paper.with_name(f"same{number:05}.pdf"))

    done = ocr("batch", "in", "-o", "out", "--quiet")

    assert done.returncode == 0, done.stderr
    manifest = BatchManifest.load(ocr.home / "out")
    counts = {"total": 12_001, "pending": 0, "processing": 0, "complete": 1, "failed": 0, "skipped": 12_000}
    assert manifest.queue.counts() == counts
    assert (manifest.metadata["state"], manifest.end_time is None) == ("complete", False)
    assert not list((ocr.home / "out").glob(".*"))


@contextmanager
def listening() -> Iterator[tuple[str, list[tuple[str, str, dict[str, str]]]]]:
    heard: list[tuple[str, str, dict[str, str]]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, self.headers["Content-Type"], json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", heard
        server.shutdown()
        thread.join(HANG_SECONDS)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (r'"C:\Program Files\app.exe" --done C:\out', [r"C:\Program Files\app.exe", "--done", r"C:\out"]),
        (r"tell.exe 'it is'  #done", ["tell.exe", "'it", "is'", "#done"]),
        (r'tell.exe "" \\server\share', ["tell.exe", "", r"\\server\share"]),
    ],
)
def test_a_command_is_parted_as_people_write_it_on_windows(target: str, words: list[str]) -> None:
    assert windows_words(target) == words
