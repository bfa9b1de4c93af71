"""Jobs wait their turn: first come first served within a priority, so many and no more, one end for each."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.e2e.host import Host
from tests.e2e.material import Material


def test_jobs_run_in_the_order_of_priority_and_then_of_asking(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    first = worker.batch([material.held], tmp_path / "slow")
    jobs = [
        worker.batch([material.quick], tmp_path / str(number), priority=priority)
        for number, priority in enumerate((0, 5, 0, 5))
    ]

    worker.send("cancel", job_id=first)
    for job in jobs:
        worker.wait_end(job)

    ends = [event["job_id"] for event in worker.events if event["data"].get("kind") == "batch"]
    assert ends == [first, jobs[1], jobs[3], jobs[0], jobs[2]]


def test_a_full_queue_is_busy_and_every_accepted_job_ends_once(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    jobs = [worker.batch([material.held], tmp_path / "out") for _ in range(1 + 16)]
    queued = worker.ask("ping")["data"]["queued_jobs"]

    refused = worker.ask("ocr_batch", files=[str(material.quick)], output_dir=str(tmp_path / "out"))
    worker.ask("cancel")
    for job in jobs:
        worker.wait_end(job)

    assert queued == 16
    assert (refused["type"], refused["data"]["code"], refused["data"]["retryable"]) == ("error", "busy", True)
    assert "job_id" not in refused
    assert [len(worker.of(job, "batch")) for job in jobs] == [1] * 17
    assert worker.ask("ping")["data"]["state"] == "idle"


def test_a_job_that_waits_can_be_cancelled_alone(worker: Host, material: Material, tmp_path: Path) -> None:
    running, waiting = (worker.batch([material.held], tmp_path / name) for name in ("one", "two"))

    worker.send("cancel", job_id=waiting)
    ended = worker.wait_end(waiting)
    states = [worker.ask("get_job", job_id=job)["data"]["state"] for job in (running, waiting)]

    assert ended["status"] == "cancelled"
    assert states == ["running", "cancelled"]


def test_jobs_that_wait_end_by_an_error_each_when_a_cancel_finds_the_store_damaged(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    jobs = [worker.batch([material.held], tmp_path / str(number)) for number in range(3)]
    worker.wait_in_work(jobs[0], 1)
    with closing(sqlite3.connect(worker.state / "jobs.sqlite3", isolation_level=None)) as other:
        other.execute("ALTER TABLE files RENAME TO elsewhere")

    worker.ask("cancel")
    for job in jobs:
        worker.wait(lambda event, job=job: event.get("job_id") == job and event["type"] == "error", job)  # type: ignore[misc]

    assert [len(worker.of(job, "error")) for job in jobs] == [1] * 3
    assert worker.ask("ping")["data"]["state"] == "idle"
