"""Nothing but protocol on stdout, whoever prints; a host that does not read and a stderr that nobody empties cost nothing."""

from __future__ import annotations

import fcntl
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ocr_worker.jobs.one_off import MOST_WAITING
from tests.e2e import tree
from tests.e2e.host import Host, Launch, StartWorker
from tests.e2e.material import Material

POLLUTER = Path(__file__).with_name("polluter")
SMALLEST_PIPE_BYTES = 4096


def test_prints_of_python_c_and_children_in_both_kinds_of_process_stay_off_stdout(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    host = start_worker(Launch({"PYTHONPATH": str(POLLUTER), "POLLUTED": str(out)}))

    job = host.batch([material.quick], out)
    ended = host.wait_end(job)
    host.stdin.close()

    assert host.exit_code() == 0
    assert ended["status"] == "completed"
    assert {file.name for file in out.glob("*-*")} >= {"main-import", "page-import", "main-exit"}
    # The ledger has held every line to the schema; that the words went elsewhere:
    log = host.log.read_text(encoding="utf-8")
    assert all(words in log for words in ("python import", "descriptor", "C library", "child", "python exit"))


def test_a_child_that_reads_its_stdin_steals_no_commands(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    host = start_worker(Launch({"PYTHONPATH": str(POLLUTER), "POLLUTED": str(tmp_path)}))

    # Sent before the children of the start read what they take for their stdin.
    host.send_bytes(b"".join(b'{"command": "ping", "id": %d}\n' % number for number in range(20)))

    host.wait(lambda event: event.get("id") == 19, "the last answer")
    assert [event["id"] for event in host.events] == list(range(20))


def test_a_host_that_reads_nothing_loses_no_outcome_and_delays_no_page(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    files = material.quick_files(tmp_path / "in", 100)
    fcntl.fcntl(worker.stdout, fcntl.F_SETPIPE_SZ, SMALLEST_PIPE_BYTES)
    worker.reading.clear()

    worker.send(
        "ocr_batch",
        files=[str(file) for file in files],
        output_dir=str(tmp_path / "out"),
        options={"outputs": ["txt"]},
    )
    tree.wait_until(lambda: worker.store.jobs("completed", 0, 1), "the job is done unread")
    worker.reading.set()
    job = worker.store.jobs(None, 0, 1)[0].job_id
    ended = worker.wait_end(job)

    assert len(ended["successful"]) == 100
    told = [event["data"]["file"] for event in worker.of(job, "file_done")]
    assert sorted(told) == sorted(str(file) for file in files)
    assert len(worker.of(job, "progress")) < 20
    assert worker.of(job, "progress")[-1]["data"]["percent"] == 100


@contextmanager
def unread_pipe() -> Iterator[int]:
    """The writing end of a pipe that is full and that nobody reads."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while os.write(write, b"x" * SMALLEST_PIPE_BYTES):
            continue
    except BlockingIOError:
        os.set_blocking(write, True)
    yield write
    os.close(read)
    os.close(write)


@pytest.fixture(params=["full", "unread", "closed"])
def stingy(request: pytest.FixtureRequest) -> Iterator[Launch]:
    """A worker whose stderr takes nothing."""
    worker = (sys.executable, "-m", "ocr_worker")
    with unread_pipe() as pipe, Path("/dev/full").open("wb") as full:
        yield {
            "full": Launch(stderr=full),
            "unread": Launch(stderr=pipe),
            "closed": Launch(command=("/bin/sh", "-c", 'exec "$@" 2>&-', "sh", *worker)),
        }[request.param]


def test_a_stderr_that_takes_nothing_costs_log_lines_only(
    start_worker: StartWorker, material: Material, tmp_path: Path, stingy: Launch
) -> None:
    host = start_worker(replace(stingy, environment={"OCR_WORKER_LOG": "DEBUG"}))
    job = host.batch([material.held], tmp_path / "out")

    # Its death is logged with its last words.
    host.hold.wait().kill()
    host.hold.let_go()
    ended = host.wait_end(job)
    host.stdin.close()

    assert ended["status"] == "completed"
    assert ended["statistics"]["retries"] >= 1
    assert host.exit_code() == 0


def test_prints_to_a_stderr_that_takes_nothing_hold_up_neither_the_work_nor_the_exit(
    start_worker: StartWorker, material: Material, tmp_path: Path, stingy: Launch
) -> None:
    host = start_worker(replace(stingy, environment={"PYTHONPATH": str(POLLUTER), "POLLUTED": str(tmp_path)}))

    ended = host.wait_end(host.batch([material.quick], tmp_path / "out"))
    host.stdin.close()

    assert ended["status"] == "completed"
    assert host.exit_code() == 0
    assert {file.name for file in tmp_path.glob("main-*")} == {"main-import", "main-exit"}


CHATTER = """
import atexit, os
if "page-process" not in " ".join(open("/proc/self/cmdline").read().split("\\0")):
    atexit.register(os.write, 2, b"x" * 2**20 + b" the very last word")
"""


def test_what_is_printed_at_the_exit_reaches_a_host_that_reads_it(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(CHATTER, encoding="utf-8")
    host = start_worker(Launch({"PYTHONPATH": str(tmp_path)}))
    host.ask("ping")

    host.stdin.close()

    assert host.exit_code() == 0
    assert host.log.read_bytes() == b"x" * 2**20 + b" the very last word"


def send_until_nothing_is_taken(host: Host, most: int) -> int:
    """Write pings until the worker takes no more; how many whole ones it took."""
    sent, stdin = 0, host.stdin.fileno()
    os.set_blocking(stdin, False)
    while sent < most and select.select([], [stdin], [], 2)[1]:
        # Written whole or not at all, as it is so short.
        with suppress(BlockingIOError):
            os.write(stdin, b'{"command":"ping","id":%d}\n' % sent)
            sent += 1
    os.set_blocking(stdin, True)
    return sent


def test_a_host_that_floods_and_does_not_read_is_held_back_and_answered_in_order_once_it_reads(
    worker: Host,
) -> None:
    worker.ask("ping")
    for stream in (worker.stdin, worker.stdout):
        fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, SMALLEST_PIPE_BYTES)
    worker.reading.clear()

    sent = send_until_nothing_is_taken(worker, 5000)
    worker.reading.set()
    worker.wait(lambda event: event.get("id") == sent - 1, "the last answer")

    # What fits into the pipes, the reader's hands and its window.
    assert sent < 1000
    assert [event["id"] for event in worker.events[1:]] == list(range(sent))


def test_commands_of_a_host_that_does_not_read_are_carried_out(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = worker.batch([material.held], tmp_path / "out")
    worker.wait_in_work(job, 1)
    fcntl.fcntl(worker.stdout, fcntl.F_SETPIPE_SZ, SMALLEST_PIPE_BYTES)
    worker.reading.clear()

    worker.send_bytes(b'{"command":"ping"}\n' * 50)
    worker.send("cancel")

    tree.wait_until(lambda: worker.store.jobs("cancelled", 0, 1), "the job is cancelled unread")
    worker.reading.set()
    assert worker.wait_end(job)["status"] == "cancelled"


def test_more_inspections_than_can_wait_are_busy_and_block_no_other_command(
    worker: Host, material: Material
) -> None:
    worker.ask("inspect", file=str(material.quick))
    inspector = tree.inspectors(worker.state)
    tree.stop(inspector)

    for number in range(1 + MOST_WAITING + 1):
        worker.send("inspect", id=number, file=str(material.quick))
    refused = worker.wait(lambda event: event.get("id") == 1 + MOST_WAITING, "a refusal")
    alive = worker.ask("ping")
    for process in inspector:
        process.resume()
    worker.wait(lambda event: event.get("id") == MOST_WAITING, "the last inspection")

    assert (refused["data"]["code"], refused["data"]["retryable"]) == ("busy", True)
    assert alive["type"] == "result"
    assert [event["type"] for event in worker.events].count("error") == 1
