"""Readers of lines that apps use beside our clients: each reads a whole session of the worker, as docs/hosts.md says it must
be set up. The session has names that break careless readers, and a last line of 300 KB. Tauri's shell plugin and
serde_json are tested in apps/tauri and clients/rust. Skipped by name without node or jq."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.conftest import REPOSITORY, need_command
from tests.limits import HANG_SECONDS

READERS = Path(__file__).with_name("readers")
WORKER = [sys.executable, "-m", "ocr_worker"]
COUNT = 120
ASYNCIO_LIMIT = 65536
"""What asyncio's streams take by themselves."""


class Session:
    """What is sent, and what must be understood."""

    def __init__(self, folder: Path) -> None:
        hard = "a\r\nb\u2028c\x85d ÿ 😀 \\u0022 "
        deep = f"{'long' * 60}/" * 10
        self.names = [f"{folder}/{deep}{hard}{n}.png" for n in range(COUNT)]
        self.folder = folder

    def commands(self, **hello: object) -> str:
        batch = {"files": self.names, "output_dir": str(self.folder / "out")}
        lines = [
            {"command": "hello", "protocol": [1], **hello},
            {"command": "ocr_batch", **batch, "options": {"stop_on_error_threshold": 1}},
        ]
        return "".join(json.dumps(line) + "\n" for line in lines)

    def kept(self) -> Path:
        path = self.folder / "commands"
        path.write_text(self.commands(), encoding="ascii")
        return path

    def digest(self) -> str:
        """As JavaScript makes it: no escapes beyond those that JSON needs."""
        text = json.dumps(sorted(self.names), ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setenv("OCR_WORKER_STATE_DIR", str(tmp_path / "state"))
    return Session(tmp_path)


@pytest.fixture(scope="module")
def packages() -> None:
    for command in ("node", "npm"):
        need_command(command)
    lock, installed = READERS / "package-lock.json", READERS / "node_modules" / ".package-lock.json"
    (REPOSITORY / "build").mkdir(exist_ok=True)
    with FileLock(REPOSITORY / "build" / "npm-readers.lock"):
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            run("npm", "ci", "--no-audit", "--no-fund", "--silent")


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=READERS, env={**os.environ, **environment}, capture_output=True,
        encoding="utf-8", timeout=HANG_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("reader", ["readline", "execa", "python-shell"])
def test_a_reader_of_node_understands_the_whole_session(reader: str, session: Session) -> None:
    worker = json.dumps(WORKER)

    told = json.loads(
        run("node", f"{reader}.mjs", OCR_READ_WORKER=worker, OCR_READ_COMMANDS=str(session.kept()))
    )

    assert told["names"] == session.digest()
    assert told["events"] > COUNT
    assert told["gaps"] == 0


@pytest.mark.usefixtures("packages")
def test_with_windows_line_ends_python_shell_takes_all_for_one_line_unless_it_is_given_a_splitter() -> None:
    three = [sys.executable, "-c", "print(1); print(2); print(3)"]

    counts = json.loads(run("node", "python-shell-windows.mjs", OCR_READ_WORKER=json.dumps(three)))

    assert counts == [1, 3]


def test_asyncio_with_a_limit_of_its_own_reads_the_whole_session(session: Session) -> None:
    events = asyncio.run(read(session.commands(), limit=2**21))

    assert sorted(one["file"] for one in events[-1]["data"]["failed"]) == sorted(session.names)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_asyncio_as_it_is_fails_at_a_long_line_and_reads_all_where_the_worker_was_told_its_limit(
    session: Session,
) -> None:
    with pytest.raises(ValueError, match="limit"):
        asyncio.run(read(session.commands(), limit=ASYNCIO_LIMIT))

    events = asyncio.run(read(session.commands(max_event_bytes=ASYNCIO_LIMIT), limit=ASYNCIO_LIMIT))

    assert events[-1]["data"]["counts"]["failed"] == COUNT
    done = [event["data"]["file"] for event in events if event["data"].get("kind") == "file_done"]
    assert sorted(done) == sorted(session.names)


async def read(commands: str, limit: int) -> list[dict[str, Any]]:
    worker = await asyncio.create_subprocess_exec(
        *WORKER, limit=limit, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert worker.stdin
    assert worker.stdout
    try:
        worker.stdin.write(commands.encode("ascii"))
        worker.stdin.close()
        return [json.loads(line) async for line in worker.stdout]
    finally:
        if worker.returncode is None:
            worker.kill()
        # Of a stream at whose limit it has paused, asyncio sees no end, and without that none of the process.
        while await worker.stdout.read(limit):
            pass
        await worker.wait()


@pytest.mark.needs("jq")
def test_jq_reads_the_whole_session(session: Session) -> None:
    with session.kept().open("rb") as commands:
        worker = subprocess.Popen(WORKER, stdin=commands, stdout=subprocess.PIPE)
    wanted = 'select(.type == "result" and .data.kind == "batch") | .data.failed[].file'

    told = subprocess.run(
        ["jq", "--unbuffered", "--compact-output", wanted], stdin=worker.stdout, capture_output=True,
        encoding="utf-8", timeout=HANG_SECONDS,
    )  # fmt: skip

    assert worker.wait(HANG_SECONDS) == 0
    assert told.returncode == 0, told.stderr
    assert sorted(map(json.loads, told.stdout.rstrip().split("\n"))) == sorted(session.names)
