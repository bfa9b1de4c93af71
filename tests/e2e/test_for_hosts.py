"""What hosts are told and can ask for, beyond the work itself."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from ocr_worker.engines.ocr.tessdata import find_tessdata
from tests.e2e import tree
from tests.e2e.host import Event, Host, Launch, StartWorker
from tests.e2e.material import Material


def named(start_worker: StartWorker, client: str) -> Host:
    """A worker of a host of this name."""
    host = start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "1"}))
    host.ask("hello", client={"name": client})
    return host


def index(events: list[Event], kind: str) -> int:
    return next(n for n, event in enumerate(events) if event["data"].get("kind") == kind)


def in_work(event: Event) -> set[tuple[int, int | None]]:
    """The files and pages of which this progress says that they are in work."""
    return {(one["file_index"], one.get("page")) for one in event["data"].get("working", ())}


def test_a_host_learns_when_a_file_begins_and_which_pages_are_in_work(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    files = [material.quick, tmp_path / "lost.pdf", material.pdf(tmp_path / "scan.pdf", "hqh")]

    job = worker.batch(files, tmp_path / "out")
    worker.wait(lambda event: {(3, 1), (3, 3)} <= in_work(event), "both pages in work")
    worker.hold.let_go()
    worker.wait_end(job)

    started, done = worker.of(job, "file_started"), worker.of(job, "file_done")
    assert {(e["data"]["file"], e["data"]["file_index"], e["data"]["page_count"]) for e in started} == {
        (str(files[0]), 1, 1),
        (str(files[2]), 3, 3),
    }
    ends = {event["data"]["file"]: event["seq"] for event in done}
    assert all(event["seq"] < ends[event["data"]["file"]] for event in started)
    assert worker.of(job, "progress")[-1]["data"]["working"] == []


def test_a_pause_rests_when_its_last_page_is_finished_and_that_is_told_after_its_answer(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = worker.batch([material.pdf(tmp_path / "scan.pdf", "hhqqqq")], tmp_path / "out")
    behind = worker.batch([material.quick], tmp_path / "out2")
    worker.wait_in_work(job, 1, page=1)

    answer = worker.ask("pause")
    worker.hold.let_go()
    worker.wait_of(job, "paused")
    worker.wait_of(behind, "paused")

    assert (answer["command"], set(answer["data"]["jobs"])) == ("pause", {job, behind})
    assert all(worker.of(one, "paused")[0]["seq"] > answer["seq"] for one in (job, behind))
    assert all(page.status for page in worker.store.pages(job, 1))
    worker.ask("cancel")
    assert worker.wait_end(job)["status"] == "cancelled"


def test_programs_on_one_state_folder_tell_their_jobs_apart_and_reach_each_others(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    archive, invoices = named(start_worker, "archive"), named(start_worker, "invoices")
    job = archive.batch([material.held], tmp_path / "out")
    archive.wait_in_work(job, 1)
    own = invoices.batch([material.quick], tmp_path / "out2")
    invoices.wait_end(own)

    mine = invoices.ask("list_jobs", client="invoices")["data"]
    held = invoices.ask("delete_job", job_id=job)["data"]
    asked = invoices.ask("cancel", job_id=job)

    assert [(one["job_id"], one["client"]) for one in mine["jobs"]] == [(own, "invoices")]
    assert (held["code"], held["details"]) == (
        "job_active",
        {"pid": archive.process.pid, "client": "archive"},
    )
    assert (asked["type"], asked["data"]["jobs"]) == ("info", [job])
    assert archive.wait_end(job)["status"] == "cancelled"


def test_a_cancel_counts_though_its_worker_was_killed_before_it_heard_of_it(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    one, other = start_worker(), start_worker()
    job = one.batch([material.held], tmp_path / "out")
    one.wait_in_work(job, 1)
    psutil.Process(one.process.pid).suspend()

    other.ask("cancel", job_id=job)
    one.process.kill()

    tree.wait_until(lambda: other.ask("get_job", job_id=job)["data"]["state"] == "cancelled", "cancelled")


def test_an_interrupted_job_can_be_cancelled_so_that_no_app_resumes_it(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    one = start_worker()
    job = one.batch([material.held], tmp_path / "out")
    one.wait_in_work(job, 1)
    one.process.kill()
    other = start_worker()
    tree.wait_until(lambda: other.ask("get_job", job_id=job)["data"]["state"] == "interrupted", "interrupted")

    answer = other.ask("cancel", job_id=job)

    assert answer["data"]["jobs"] == []
    assert other.ask("get_job", job_id=job)["data"]["state"] == "cancelled"


def test_a_host_that_hangs_loses_its_worker(worker: Host) -> None:
    worker.ask("hello", host_timeout_seconds=1)

    assert worker.exit_code() == 0
    assert "it has said nothing for 1 s" in worker.log.read_text(encoding="utf-8")


def test_a_result_that_a_host_cannot_read_at_once_has_counts(worker: Host, tmp_path: Path) -> None:
    worker.ask("hello", max_event_bytes=4096)

    job = worker.batch(
        [tmp_path / f"{n}.pdf" for n in range(50)], tmp_path / "out", stop_on_error_threshold=1
    )

    told = worker.wait_end(job)
    assert told["counts"] == {"successful": 0, "completed_with_errors": 0, "failed": 50, "skipped": 0}
    assert Path(told["manifest"]).is_file()
    assert "failed" not in told


def test_page_processes_of_an_isolated_worker_are_as_isolated(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    environment = {**evil(tmp_path), "PYTHONHOME": "/nonexistent", "LC_ALL": "C"}
    host = start_worker(Launch(environment, (sys.executable, "-I", "-m", "ocr_worker")))

    named = tmp_path / "Übung.png"
    shutil.copy(material.quick, named)

    job = host.batch([named], tmp_path / "out")

    assert [file["file"] for file in host.wait_end(job)["successful"]] == [str(named)]


def test_a_page_process_that_dies_before_it_can_speak_tells_its_last_words(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    host = start_worker(Launch(evil(tmp_path)))

    job = host.batch([material.quick], tmp_path / "out", retries=0)

    (failed,) = host.wait_end(job)["failed"]
    assert failed["code"] == "crashed"
    assert "before its first answer; its last words: evil PIL imported" in failed["error"]


def evil(folder: Path) -> dict[str, str]:
    """An environment in which what page processes import ends them."""
    (folder / "evil").mkdir()
    (folder / "evil" / "PIL.py").write_text("raise SystemExit('evil PIL imported')", encoding="utf-8")
    return {"PYTHONPATH": str(folder / "evil")}


@pytest.mark.parametrize("engine", ["tesserocr", "tesseract"])
def test_folders_of_language_data_are_added_to_those_that_are_known(
    worker: Host, material: Material, tmp_path: Path, engine: str
) -> None:
    (tmp_path / "data").mkdir()
    shutil.copy(find_tessdata(["eng"])["eng"], tmp_path / "data" / "tlh.traineddata")
    wanted: dict[str, Any] = {
        "languages": ["tlh", "eng"],
        "engine": engine,
        "tessdata_dirs": [str(tmp_path / "data")],
    }

    job = worker.batch([material.quick], tmp_path / "out", **wanted)
    alone = worker.ask(
        "ocr_batch", files=[str(material.quick)], output_dir=str(tmp_path / "out2"),
        options={"languages": ["tlh", "eng"], "tessdata_dir": str(tmp_path / "data")},
    )  # fmt: skip

    assert len(worker.wait_end(job)["successful"]) == 1
    assert alone["data"]["code"] == "language_missing"
