"""INPUTS.md, line 74: lines that are none, a stdout that takes nothing. The worker answers, or ends with the right code."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.faults.host import Spawn, Worker, descendants, running, wait_gone
from tests.limits import HANG_SECONDS

BAD_LINES = (
    b"", b"not json", b"{", b"[1]", b"null", b'"ocr_batch"', b'{"command": "dance"}', b'{"command": 7}', b"\xff\xfe{}",
    b'{"command": "ping", "id": 1.5}', b'{"command": "ping", "extra": 1}', b'{"command": "ping", "id": "\\ud800"}',
    b'{"command": "ping", "id": ' + b"9" * 5000 + b"}", b"[" * 100_000, b'{"command": "ocr_batch", "files": []}',
    b'{"command": "cancel", "job_id": 3}', b'{"command": "ping", "id": true}', b"\0\0\0",
)  # fmt: skip


def test_bad_lines_long_lines_and_the_end_of_input_cost_an_error_each_and_no_more(tmp_path: Path) -> None:
    with running(tmp_path) as worker:
        assert worker.process.stdin
        for line in (*BAD_LINES, b"x" * 10_000_000):
            worker.process.stdin.write(line + b"\n")
        worker.process.stdin.flush()

        assert worker.ask("ping")["type"] == "result"

        errors = [e for e in worker.events if e["type"] == "error"]
        assert len(errors) == len([line for line in BAD_LINES if line]) + 1
        assert {e["data"]["code"] for e in errors} == {
            "parse_error", "invalid_params", "unknown_command", "line_too_long",
        }  # fmt: skip
        worker.process.stdin.close()
        assert worker.exit_code() == 0


@pytest.mark.parametrize("files", [0, 3])
def test_a_stdout_that_is_full_for_good_ends_the_worker_cleanly(
    files: int, tmp_path: Path, page: Path
) -> None:
    with (
        Path("/dev/full").open("wb") as full,
        running(tmp_path / "home", Spawn(stdout=full.fileno())) as worker,
    ):
        worker.send("ocr_batch", files=[str(page)] * files, output_dir=str(tmp_path / "out"))
        family = descendants(worker.process.pid)

        assert worker.exit_code() == 0
        wait_gone(family)


def test_a_stdout_that_is_closed_at_start_is_exit_code_2(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {Spawn().command[0]} -m ocr_worker >&-"], stdin=subprocess.DEVNULL, capture_output=True,
        timeout=HANG_SECONDS, check=False, cwd=tmp_path,
    )  # fmt: skip

    assert done.returncode == 2
    assert b"can't start" in done.stderr


def test_a_reader_that_goes_away_in_mid_batch_leaves_nothing_behind(tmp_path: Path, page: Path) -> None:
    with running(tmp_path / "home") as worker:
        worker.start_batch([page], tmp_path / "out")
        family = descendants(worker.process.pid)
        assert worker.process.stdout

        # Only the last reader's end counts, so the thread that reads must let go as well.
        _close_reader(worker)

        assert worker.exit_code() == 0
        wait_gone(family)


def _close_reader(worker: Worker) -> None:
    assert worker.process.stdout
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, worker.process.stdout.fileno())
    os.close(null)
    worker.send("ping")
