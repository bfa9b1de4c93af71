"""Heartbeats come once `hello` has asked for them, whatever the worker does; progress carries time left, and comes as often as `hello` asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e import tree
from tests.e2e.host import SELDOM_HZ, Host, Launch, StartWorker
from tests.e2e.material import Material


def next_heartbeat(host: Host) -> dict[str, Any]:
    """The data of the first heartbeat from now on."""
    seen = len(host.events)
    event = host.wait(
        lambda event: event["data"].get("kind") == "heartbeat" and event in host.events[seen:],
        "a heartbeat",
    )
    data: dict[str, Any] = event["data"]
    return data


def test_no_heartbeat_is_sent_until_hello_asks_for_it(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    worker.ask("hello", protocol=[1])
    worker.wait_end(worker.batch([material.quick], tmp_path / "out"))
    before = [event for event in worker.events if event["data"].get("kind") == "heartbeat"]

    worker.ask("hello", protocol=[1], heartbeat_seconds=0.2)
    heartbeat = next_heartbeat(worker)

    assert before == []
    assert (heartbeat["state"], heartbeat.get("file")) == ("idle", None)
    assert heartbeat["rss_bytes"] > 2**20


def test_heartbeats_go_on_in_one_long_page_and_count_the_time_without_news(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    worker.ask("hello", protocol=[1], heartbeat_seconds=0.2)
    job = worker.batch([material.pdf(tmp_path / "slow.pdf", "qh")], tmp_path / "out")
    worker.wait_in_work(job, 1, page=2)
    tree.wait_until(lambda: worker.store.pages(job, 1)[0].status == "ok", "page 1 is done")

    # The first may stand before the last news of page 1.
    _, *beats = [next_heartbeat(worker) for _ in range(4)]

    assert {(beat["state"], beat["job_id"]) for beat in beats} == {("running", job)}
    assert worker.store.pages(job, 1)[1].status is None
    assert beats[0]["idle_seconds"] < beats[1]["idle_seconds"] < beats[2]["idle_seconds"]


def test_a_heartbeat_names_the_file_in_work(worker: Host, material: Material, tmp_path: Path) -> None:
    worker.ask("hello", protocol=[1], heartbeat_seconds=0.2)
    job = worker.batch([material.quick, material.held], tmp_path / "out")
    worker.wait_file_done(job)
    worker.wait_in_work(job, 2)

    assert next_heartbeat(worker)["file"] == str(material.held)


def test_a_heartbeat_tells_of_a_pause(worker: Host, material: Material, tmp_path: Path) -> None:
    worker.ask("hello", protocol=[1], heartbeat_seconds=0.2)
    job = worker.batch([material.pdf(tmp_path / "slow.pdf", "qh")], tmp_path / "out")
    worker.wait_in_work(job, 1, page=2)

    worker.ask("pause")

    assert next_heartbeat(worker)["state"] == "paused"


def test_no_heartbeat_of_a_job_follows_its_end(worker: Host, material: Material, tmp_path: Path) -> None:
    worker.ask("hello", protocol=[1], heartbeat_seconds=0.1)

    for number in range(3):
        cancelled = worker.batch([material.held], tmp_path / f"cancelled-{number}")
        following = worker.batch([material.quick], tmp_path / f"following-{number}")
        while next_heartbeat(worker).get("job_id") != cancelled:
            pass
        worker.send("cancel", job_id=cancelled)
        worker.wait_end(following)
        # The ledger has held each heartbeat to its job's end.
        assert worker.wait_end(cancelled)["status"] == "cancelled"


JUMPING_CLOCK = """
import itertools, time
real, jumps = time.time, itertools.cycle((0, 1e7, -1e7))
time.time = lambda: real() + next(jumps)
"""
FAR_LESS_SECONDS = 1e6
"""Than a jump, and far more than the test takes."""


def test_a_clock_that_jumps_moves_no_deadline_and_no_time_left(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(JUMPING_CLOCK, encoding="utf-8")
    host = start_worker(Launch({"PYTHONPATH": str(tmp_path / "hook")}))
    host.ask("hello", protocol=[1], heartbeat_seconds=0.1)

    job = host.batch(material.quick_files(tmp_path / "in", 6), tmp_path / "out")
    ended = host.wait_end(job)

    assert [file["status"] for file in ended["successful"]] == ["completed"] * 6
    assert ended["statistics"]["retries"] == 0
    assert 0 < ended["duration_seconds"] < FAR_LESS_SECONDS
    told = [event["data"] for event in host.of(job, "progress")]
    assert all(0 <= data["elapsed_seconds"] < FAR_LESS_SECONDS for data in told)
    assert all(
        0 <= data["eta_seconds"] < FAR_LESS_SECONDS for data in told if data.get("eta_seconds") is not None
    )
    assert 0 <= next_heartbeat(host)["idle_seconds"] < FAR_LESS_SECONDS


def test_progress_carries_rate_and_time_left_from_the_first_page_on(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = worker.batch(material.quick_files(tmp_path / "in", 6), tmp_path / "out")
    worker.wait_end(job)

    told = [event["data"] for event in worker.of(job, "progress")]
    amid = [data for data in told if data.get("page")]
    assert amid
    assert all(data["eta_seconds"] >= 0 and data["pages_per_second"] > 0 for data in amid)
    assert (told[-1]["current"], told[-1]["total"], told[-1]["percent"]) == (6, 6, 100)


def test_progress_is_told_as_seldom_as_hello_asks(worker: Host, material: Material, tmp_path: Path) -> None:
    worker.ask("hello", progress_hz=SELDOM_HZ)

    job = worker.batch(material.quick_files(tmp_path / "in", 6), tmp_path / "out")
    worker.wait_end(job)

    assert [event["data"]["percent"] for event in worker.of(job, "progress")] == [0, 100]


def test_a_job_that_runs_keeps_to_what_a_later_hello_asks(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    host = start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "1"}))
    job = host.batch([material.pdf(tmp_path / "scan.pdf", "qhqqqq")], tmp_path / "out")
    host.wait_in_work(job, 1, page=2)

    answer = host.ask("hello", progress_hz=SELDOM_HZ)
    host.hold.let_go()
    host.wait_end(job)

    later = [event["data"]["percent"] for event in host.of(job, "progress") if event["seq"] > answer["seq"]]
    assert later == [100]
