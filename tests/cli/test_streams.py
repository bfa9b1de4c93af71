"""What a script is given: JSON whatever happens, and an answer whatever stderr is."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sqlite3
import subprocess
from contextlib import closing

import pytest

from rigs.papers import write_papers
from tests.cli.command import Command
from tests.limits import HANG_SECONDS
from tests.long_rows import first

MISTYPED = (
    ("show",),
    ("batch", "--bogus"),
    ("batch", "in"),
    ("jobs", "--state", "nah"),
    ("cleanup", "--max-age-days", "-1"),
    ("schema", "nah"),
    ("completion", "nah"),
    ("frobnicate",),
)


@pytest.mark.parametrize("words", MISTYPED, ids=" ".join)
def test_with_json_a_mistyped_command_line_is_told_in_json(ocr: Command, words: tuple[str, ...]) -> None:
    done = ocr(*words, "--json")

    error = json.loads(done.stdout)["error"]
    assert done.returncode == 2
    assert error["code"] == "invalid_params"
    assert error["message"] in " ".join(done.stderr.split())


def test_with_json_a_fault_of_ours_is_told_in_json(ocr: Command) -> None:
    ocr("batch", *write_papers(ocr.home / "in", 1), "-o", "out")
    with closing(sqlite3.connect(ocr.home / "state" / "jobs.sqlite3", isolation_level=None)) as store:
        store.execute("UPDATE jobs SET options = '{'")

    done = ocr("jobs", "--json")

    assert done.returncode == 70
    assert json.loads(done.stdout)["error"]["code"] == "internal"
    assert "Traceback" not in done.stderr


def test_with_json_the_second_ctrl_c_leaves_json_too(ocr: Command) -> None:
    write_papers(ocr.home / "in", 6)
    with ocr.start("batch", "in", "-o", "out", "-v", "--pages-per-minute", "60", "--json") as process:
        assert process.stderr is not None
        while "Finished" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        while "Cancelling" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=HANG_SECONDS)

    told = json.loads(stdout)
    assert process.returncode == 130
    # The batch may have been cancelled before the second one came.
    assert "cancelled" in (told.get("status"), told.get("error", {}).get("code"))


def test_after_two_dashes_json_is_a_name(ocr: Command) -> None:
    done = ocr("batch", "-o", "out", "--on-finish", "", "--", "--json")

    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.slow
@pytest.mark.parametrize("stderr", first(1, ["2>&-", "2>/dev/full"]))
@pytest.mark.parametrize("stdin", first(1, ["<&-", "</dev/null"]))
def test_a_stderr_that_is_closed_or_full_changes_nothing(ocr: Command, stderr: str, stdin: str) -> None:
    write_papers(ocr.home / "in", 2)
    (ocr.home / "in" / "bad.pdf").write_bytes(b"no pdf")

    batch = redirected(ocr, f"{stderr} {stdin}", "batch", "in", "-o", "out", "-v", "--on-finish", "echo told")
    listed = redirected(ocr, f"{stderr} {stdin}", "jobs", "--json")
    refused = redirected(ocr, f"{stderr} {stdin}", "jobs", "--json", "--bogus")

    assert batch.returncode == 1
    assert "Done: 3 files (2 ok, 1 failed, 0 skipped)" in batch.stdout
    assert [job["stats"]["completed"] for job in json.loads(listed.stdout)] == [2]
    assert (refused.returncode, json.loads(refused.stdout)["error"]["code"]) == (2, "invalid_params")


@pytest.mark.parametrize("words", [("jobs", "--json"), ("--help",), ("batch", "--help")])
@pytest.mark.parametrize("unbuffered", first(1, ["", "1"]))
def test_a_full_stdout_is_told_in_one_sentence(ocr: Command, unbuffered: str, words: tuple[str, ...]) -> None:
    command = Command(ocr.home, {"PYTHONUNBUFFERED": unbuffered})

    done = redirected(command, ">/dev/full", *words)

    assert done.returncode == 3
    assert done.stderr == "ocr-worker: Can't write to stdout: No space left on device.\n"


def redirected(ocr: Command, redirection: str, *words: str) -> subprocess.CompletedProcess[str]:
    line = ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", *ocr.words(*words)]
    return subprocess.run(
        line, env=ocr.environment(), cwd=ocr.home, capture_output=True, encoding="utf-8",
        timeout=HANG_SECONDS, check=False,
    )  # fmt: skip


def test_a_stdout_that_somebody_made_non_blocking_gets_all_of_a_long_answer(ocr: Command) -> None:
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(write, False)
    with subprocess.Popen(
        ocr.words("schema", "events"), env=ocr.environment(), stdin=subprocess.DEVNULL, stdout=write, stderr=write
    ) as process:  # fmt: skip
        os.close(write)
        with os.fdopen(read, "rb") as stream:
            answer = stream.read()

    assert process.returncode == 0, answer[-500:]
    assert json.loads(answer)
    assert len(answer) > 4 * 4096
