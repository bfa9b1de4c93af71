"""Commands are answered and heeded while every page process is in the middle of a long page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.e2e import tree
from tests.e2e.host import SELDOM_HZ, Host, Launch, StartWorker
from tests.e2e.material import Material


@pytest.fixture(scope="module")
def busy(material: Material, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, str]]:
    """A worker with both page processes in a long page, and its job."""
    folder = tmp_path_factory.mktemp("busy")
    host = Host(folder, Launch({"OCR_WORKER_PAGE_PROCESSES": "2"}))
    yield host, make_busy(host, material, folder)
    host.close()


def make_busy(host: Host, material: Material, folder: Path) -> str:
    """Start a job, one file of which is done and two long pages of which are in work."""
    files = [*material.quick_files(folder / "in", 1), material.pdf(folder / "in" / "slow.pdf", "hhhh")]
    job = host.batch(files, folder / "out")
    host.wait_file_done(job)
    host.wait_in_work(job, 2, page=1)
    host.wait_in_work(job, 2, page=2)
    return job


@pytest.mark.parametrize("command", ["ping", "inspect", "get_job", "list_jobs"])
def test_a_question_is_answered_while_every_page_process_is_busy(
    busy: tuple[Host, str], material: Material, command: str
) -> None:
    host, job = busy
    fields = {"inspect": {"file": str(material.quick)}, "get_job": {"job_id": job}}.get(command, {})

    answer = host.ask(command, **fields)

    assert answer["type"] == "result"
    assert [(page.page, page.status) for page in host.store.pages(job, 2)] == [(1, None), (2, None)]


def test_answers_tell_of_the_job_at_work(busy: tuple[Host, str]) -> None:
    host, job = busy

    ping, listing, detail = host.ask("ping"), host.ask("list_jobs"), host.ask("get_job", job_id=job)

    assert ping["data"]["state"] == "running"
    assert [(entry["job_id"], entry["state"]) for entry in listing["data"]["jobs"]] == [(job, "running")]
    stats = detail["data"]["stats"]
    assert (stats["total"], stats["completed"], stats["processing"]) == (2, 1, 1)
    assert [file["status"] for file in detail["data"]["files"]] == ["completed", "processing"]


def test_after_hello_the_process_that_inspects_is_there_before_it_is_asked(worker: Host) -> None:
    worker.ask("hello")

    tree.wait_until(lambda: tree.inspectors(worker.state), "a process that inspects")


def test_a_process_that_inspects_and_dies_in_a_batch_is_replaced_before_it_is_asked(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    make_busy(worker, material, tmp_path)
    worker.ask("inspect", file=str(material.quick))
    first = tree.inspectors(worker.state)

    tree.kill(first)

    tree.wait_until(lambda: [one for one in tree.inspectors(worker.state) if one not in first], "another one")
    assert worker.ask("inspect", file=str(material.quick))["type"] == "result"


def test_the_process_that_inspects_stays_while_a_job_is_paused(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    host = start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "1", "OCR_WORKER_IDLE_SECONDS": "1"}))
    job = host.batch([material.pdf(tmp_path / "scan.pdf", "qhq")], tmp_path / "out")
    host.wait_in_work(job, 1, page=2)
    host.ask("inspect", file=str(material.quick))
    ready = tree.inspectors(host.state)

    host.ask("pause")
    host.hold.let_go()
    # It rests since the page in work is finished, and so for less time than the other.
    tree.wait_until(lambda: not tree.page_processes(host.state), "the idle page process is gone")

    assert ready
    assert tree.inspectors(host.state) == ready


def test_a_file_that_holds_up_its_inspection_holds_up_no_other(worker: Host, material: Material) -> None:
    worker.ask("inspect", file=str(material.quick))
    tree.stop(tree.inspectors(worker.state))

    worker.send("inspect", id="stuck", file=str(material.quick))
    answers = [worker.ask("inspect", file=str(material.quick)) for _ in range(3)]

    assert [answer["type"] for answer in answers] == ["result"] * 3
    assert not [event for event in worker.events if event.get("id") == "stuck"]


def test_a_cancel_in_mid_page_ends_the_job_and_leaves_only_what_was_finished(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = make_busy(worker, material, tmp_path)
    at_work = tree.page_processes(worker.state)

    acknowledged = worker.ask("cancel", job_id=job)
    ended = worker.wait_end(job)

    assert acknowledged["data"]["message"] == "Cancellation requested"
    assert acknowledged["seq"] < worker.of(job, "batch")[0]["seq"]
    assert ended["status"] == "cancelled"
    assert [Path(file["output"]).name for file in ended["successful"]] == ["quick-001.pdf"]
    assert ended["failed"] == []
    assert {file.name for file in (tmp_path / "out").iterdir()} <= {
        "quick-001.pdf", "quick-001.txt", "quick-001_ocr_results.json", f"batch_{job}_manifest.json",
    }  # fmt: skip
    assert len(at_work) == 2
    assert not [process for process in at_work if process.is_running() and process.status() != "zombie"]


HOLD_AT_SYNC = """
import os, sys, time
if "page-process" in sys.orig_argv:
    os.fsync = lambda _: time.sleep(3600)
"""


def test_a_cancel_while_a_file_is_composed_leaves_nothing_of_it(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    (tmp_path / "hold").mkdir()
    (tmp_path / "hold" / "sitecustomize.py").write_text(HOLD_AT_SYNC, encoding="utf-8")
    host = start_worker(Launch({"PYTHONPATH": str(tmp_path / "hold")}))
    job = host.batch([material.quick], tmp_path / "out")
    tree.wait_until(lambda: list((tmp_path / "out").glob(".ocr-*.part")), "a temporary file")

    host.send("cancel")
    host.wait_end(job)

    # The manifest may be in the making.
    tree.wait_until(lambda: not list((tmp_path / "out").glob("*.part")), "no temporary file")
    assert {path.name for path in (tmp_path / "out").iterdir()} <= {f"batch_{job}_manifest.json"}


def test_the_worker_takes_the_next_batch_right_after_a_cancel(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = make_busy(worker, material, tmp_path)

    worker.send("cancel", job_id=job)
    following = worker.batch(material.quick_files(tmp_path / "more", 2), tmp_path / "out2")

    assert worker.wait_end(following)["status"] == "completed"
    assert worker.wait_end(job)["status"] == "cancelled"


def test_a_cancelled_file_is_pending_and_in_no_list(worker: Host, material: Material, tmp_path: Path) -> None:
    job = make_busy(worker, material, tmp_path)

    worker.send("cancel")
    worker.wait_end(job)
    detail = worker.ask("get_job", job_id=job)["data"]

    assert detail["state"] == "cancelled"
    assert (detail["stats"]["pending"], detail["stats"]["processing"]) == (1, 0)
    assert len(worker.of(job, "file_done")) == 1


def test_cancelling_twice_at_once_ends_the_job_once(worker: Host, material: Material, tmp_path: Path) -> None:
    job = make_busy(worker, material, tmp_path)

    worker.send_bytes(b'{"command": "cancel", "id": 1}\n{"command": "cancel", "id": 2}\n')
    second = worker.wait(lambda event: event.get("id") == 2, "the second answer")

    assert second["data"]["jobs"] == []
    assert len(worker.of(job, "batch")) == 1


def test_a_pause_finishes_the_pages_in_work_and_starts_none_until_resume(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    host = start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "1"}))
    job = host.batch([material.pdf(tmp_path / "scan.pdf", "qhqq")], tmp_path / "out")
    host.wait_in_work(job, 1, page=2)

    answer = host.ask("pause", job_id=job)
    state_then = host.ask("get_job", job_id=job)["data"]["state"]
    host.hold.let_go()
    tree.wait_until(lambda: host.store.pages(job, 1)[1].status == "ok", "the page in work is finished")
    in_pause = host.ask("ping")["data"]["state"]
    started = [page.page for page in host.store.pages(job, 1)]
    host.send("resume", job_id=job)

    assert answer["data"]["jobs"] == [job]
    assert (state_then, in_pause) == ("paused", "paused")
    assert started == [1, 2]
    assert host.wait_end(job)["total_pages_processed"] == 4


def test_pages_finished_before_a_pause_are_told_before_its_answer_however_seldom_progress_is_told(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    host = start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "1"}))
    host.ask("hello", progress_hz=SELDOM_HZ)
    job = host.batch([material.pdf(tmp_path / "scan.pdf", "qqhq")], tmp_path / "out")
    host.wait_in_work(job, 1, page=3)

    answer = host.ask("pause", job_id=job)

    before = [event for event in host.of(job, "progress") if event["seq"] < answer["seq"]]
    assert before[-1]["data"]["current"] == 2


def test_a_job_that_waits_can_be_paused_and_does_not_begin_until_resumed(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    first = make_busy(worker, material, tmp_path)
    second = worker.batch(material.quick_files(tmp_path / "in2", 1), tmp_path / "out2")

    worker.ask("pause", job_id=second)
    worker.ask("cancel", job_id=first)
    worker.wait_end(first)
    held = worker.ask("ping")["data"]
    worker.send("resume", job_id=second)

    assert (held["state"], held["queued_jobs"]) == ("paused", 1)
    assert worker.wait_end(second)["status"] == "completed"


def test_the_time_of_a_pause_is_not_counted_as_work(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    host = start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "1"}))
    job = host.batch([material.pdf(tmp_path / "scan.pdf", "qhq")], tmp_path / "out")
    host.wait_in_work(job, 1, page=2)
    host.ask("pause", job_id=job)
    host.hold.let_go()
    tree.wait_until(lambda: host.store.pages(job, 1)[1].status == "ok", "the page in work is finished")

    beside = host.wait_end(host.batch([material.quick], tmp_path / "beside"))
    host.ask("resume", job_id=job)
    ended = host.wait_end(job)

    begun, done = (datetime.fromisoformat(ended["statistics"][name]) for name in ("start_time", "end_time"))
    most = (done - begun).total_seconds() - beside["duration_seconds"] + 0.1
    assert ended["duration_seconds"] <= most
    assert host.of(job, "progress")[-1]["data"]["elapsed_seconds"] <= most


@pytest.fixture(scope="module")
def finished(material: Material, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, str]]:
    """A worker whose only job is completed."""
    folder = tmp_path_factory.mktemp("finished")
    host = Host(folder)
    job = host.batch([material.quick], folder / "out")
    host.wait_end(job)
    yield host, job
    host.close()


@pytest.mark.parametrize(
    ("command", "says"), [("cancel", "has ended"), ("pause", "has ended"), ("resume", "completed")]
)
def test_of_a_finished_job_an_info_says_that_there_is_nothing_to_do(
    finished: tuple[Host, str], command: str, says: str
) -> None:
    host, job = finished

    answer = host.ask(command, job_id=job)

    assert answer["type"] == "info"
    assert answer["data"]["jobs"] == []
    assert job in answer["data"]["message"]
    assert says in answer["data"]["message"]


@pytest.mark.parametrize("command", ["cancel", "pause", "resume", "retry_failed", "get_job", "delete_job"])
def test_an_unknown_job_is_not_found(finished: tuple[Host, str], command: str) -> None:
    host, _ = finished

    answer = host.ask(command, job_id="20200101_000000_deadbeef")

    assert answer["type"] == "error"
    assert answer["data"]["code"] == "job_not_found"


@pytest.mark.parametrize("command", ["cancel", "pause", "resume"])
def test_without_a_job_at_work_a_command_for_all_is_acknowledged_for_none(
    finished: tuple[Host, str], command: str
) -> None:
    host, _ = finished

    assert host.ask(command)["data"]["jobs"] == []
