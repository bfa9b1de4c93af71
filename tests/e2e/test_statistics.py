"""What a job has spent is stored while it is spent: statistics after a kill or a fault are those of all that was done."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.library.callbacks import NullProgress
from ocr_worker.library.service import OCRBatchService
from ocr_worker.store.job_store import JobStore
from tests.e2e import tree
from tests.e2e.host import Host, Launch, StartWorker
from tests.e2e.material import Material
from tests.store.records import stored_job


def statistics(host: Host, job: str) -> Any:
    return host.ask("get_job", job_id=job)["data"]["statistics"]


def kill(host: Host) -> None:
    tree.kill_all(host.state)
    host.exit_code()


def test_a_killed_worker_leaves_what_its_job_has_spent_until_the_last_file_ended(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    first = start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "1"}))
    job = first.batch([material.pdf(tmp_path / "scan.pdf", "qhq"), material.slow], tmp_path / "out")
    first.hold.wait().kill()
    first.hold.let_go()
    first.wait_file_done(job)
    told = first.of(job, "progress")[-1]["data"]
    kill(first)

    spent = statistics(start_worker(), job)

    assert (spent["retries"], spent["worker_restarts"], spent["pages"]) == (1, 1, 3)
    assert spent["duration_seconds"] >= told["elapsed_seconds"] > 0
    assert spent["peak_rss_bytes"] > 0


@pytest.mark.long
def test_a_worker_killed_in_a_long_file_leaves_what_that_file_has_taken(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    first = start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "1"}))
    job = first.batch([material.pdf(tmp_path / "scan.pdf", "qqqh")], tmp_path / "out")
    first.wait_in_work(job, 1, page=4)
    first.wait(lambda event: event["data"].get("current") == 3, "progress of three pages")
    told = first.of(job, "progress")[-1]["data"]
    kill(first)

    assert statistics(start_worker(), job)["duration_seconds"] >= told["elapsed_seconds"] > 0


def test_a_run_that_breaks_stores_what_it_has_spent_and_when_it_ended(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = worker.batch([material.held, material.quick], tmp_path / "out", max_workers=1)
    worker.wait_in_work(job, 1)
    shutil.rmtree(worker.state / "jobs" / job)
    (worker.state / "jobs" / job).touch()
    worker.hold.let_go()

    worker.wait(lambda event: event["type"] == "error" and event.get("job_id") == job, "the run breaks")
    spent = statistics(worker, job)

    assert spent["end_time"]
    assert spent["duration_seconds"] > 0
    assert spent["peak_rss_bytes"] > 0


def test_all_files_of_a_dry_run_are_estimated_at_the_rate_measured_before_it(
    material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCR_WORKER_STATE_DIR", str(tmp_path / "state"))
    with closing(JobStore(tmp_path / "state")) as store:
        store.add_job(stored_job("read", state="completed", pages_read=10, worked_seconds=100.0))

        class Meddler(NullProgress):
            def on_progress(self, current: int, total: int, path: str, result: dict[str, Any]) -> None:
                store.update_job("read", worked_seconds=current * 1000.0)

        service, files = OCRBatchService(Meddler()), material.quick_files(tmp_path / "in", 6)
        told = service.process_batch(files, tmp_path / "out", dry_run=True, max_workers=1)
        service.cleanup()

    assert [file["estimated_seconds"] for file in told["successful"]] == [10.0] * 6
