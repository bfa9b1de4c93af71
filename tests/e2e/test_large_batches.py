"""A batch of thousands of files is taken in between two answers, and the commands behind it find it in its place."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import tree
from tests.e2e.host import Host, StartWorker
from tests.e2e.material import Material

COUNT = 3_000


def send_large(host: Host, folder: Path, count: int = COUNT, **options: Any) -> None:
    """Send a batch of files that are not there; it takes tens of slices to take in."""
    files = [str(folder / "in" / str(n % 50) / f"{n}.png") for n in range(count)]
    host.send("ocr_batch", id="large", files=files, output_dir=str(folder / "large"), options=options)


def accepted(host: Host, asked: str = "large") -> Any:
    return host.wait(lambda event: event.get("id") == asked, "accepted")


def test_a_ping_behind_a_large_batch_is_answered_before_that_is_taken_in(
    worker: Host, tmp_path: Path
) -> None:
    send_large(worker, tmp_path)

    answer = worker.ask("ping")

    assert answer["data"]["state"] == "running"
    assert answer["seq"] < accepted(worker)["seq"]
    assert accepted(worker)["data"]["file_count"] == COUNT


def test_a_cancel_behind_a_large_batch_ends_it_with_all_its_files_pending(
    worker: Host, tmp_path: Path
) -> None:
    send_large(worker, tmp_path)

    acknowledged = worker.ask("cancel")

    job = accepted(worker)["job_id"]
    assert acknowledged["data"]["jobs"] == [job]
    assert acknowledged["seq"] < accepted(worker)["seq"]
    assert worker.wait_end(job)["status"] == "cancelled"
    stats = worker.ask("get_job", job_id=job)["data"]["stats"]
    assert (stats["total"], stats["pending"]) == (COUNT, COUNT)


def test_a_large_batch_that_is_paused_at_once_waits_until_resumed(worker: Host, tmp_path: Path) -> None:
    send_large(worker, tmp_path, stop_on_error_threshold=1.0)

    paused = worker.ask("pause")
    job = accepted(worker)["job_id"]
    state = worker.ask("get_job", job_id=job)["data"]["state"]
    begun = worker.of(job, "progress")
    worker.send("resume")

    assert paused["data"]["jobs"] == [job]
    assert (state, begun) == ("paused", [])
    assert len(worker.wait_end(job)["failed"]) == COUNT


@pytest.mark.long
def test_a_small_batch_behind_a_large_one_is_accepted_after_it(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    send_large(worker, tmp_path, stop_on_error_threshold=1.0)
    worker.send("ocr_batch", id="small", files=[str(material.quick)], output_dir=str(tmp_path / "small"))
    worker.stdin.close()

    assert worker.exit_code() == 0
    assert accepted(worker)["seq"] < accepted(worker, "small")["seq"]
    ends = [event["id"] for event in worker.events if event["data"].get("kind") == "batch"]
    assert ends == ["large", "small"]


def test_a_shutdown_behind_a_large_batch_refuses_it_and_leaves_no_job(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    first = start_worker()
    send_large(first, tmp_path)

    first.send("shutdown", mode="now")

    assert (accepted(first)["type"], accepted(first)["data"]["code"]) == ("error", "busy")
    assert first.exit_code() == 0
    assert start_worker().ask("list_jobs")["data"]["jobs"] == []


def test_of_a_large_batch_that_the_worker_died_in_nothing_is_left(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    first = start_worker()
    first.ask("list_jobs")
    send_large(first, tmp_path, 30_000)
    with closing(sqlite3.connect(first.state / "jobs.sqlite3")) as store:

        def stored(table: str) -> int:
            return int(store.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

        tree.wait_until(lambda: stored("files"), "the first files are stored")
        first.process.kill()
        first.exit_code()
        begun = stored("files")

        listed = start_worker().ask("list_jobs")["data"]
        left = [stored("jobs"), stored("files")]

    assert 0 < begun < 30_000
    assert (listed["jobs"], listed["total"], left) == ([], 0, [0, 0])
