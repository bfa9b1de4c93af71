"""The manifest says what the store does at every change of a job's state, and which files are in work."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.e2e import tree
from tests.e2e.host import Host, StartWorker
from tests.e2e.material import Material


def manifest(out: Path) -> Any:
    for found in out.glob("batch_*_manifest.json"):
        # Windows refuses one that is being replaced.
        with suppress(PermissionError):
            return json.loads(found.read_bytes())
    return {"metadata": {"state": None}, "queue": {"items": []}}


def wait_state(out: Path, state: str) -> None:
    tree.wait_until(lambda: manifest(out)["metadata"]["state"] == state, f"the manifest says {state}")


def wait_files(out: Path, *states: str) -> None:
    def told() -> list[str]:
        return [item["status"] for item in manifest(out)["queue"]["items"]]

    tree.wait_until(lambda: told() == list(states), f"the manifest says {states}")


def test_a_file_in_work_is_processing_before_any_other_file_ends(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = worker.batch([material.held], tmp_path / "out")

    wait_files(tmp_path / "out", "processing")

    assert worker.of(job, "file_done") == []


def test_a_job_that_waits_is_queued_paused_and_queued_again(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    worker.batch([material.held], tmp_path / "first")
    job = worker.batch([material.quick], tmp_path / "out")

    wait_state(tmp_path / "out", "queued")
    worker.ask("pause", job_id=job)
    wait_state(tmp_path / "out", "paused")
    worker.ask("resume", job_id=job)
    wait_state(tmp_path / "out", "queued")


def test_a_job_at_work_is_paused_and_runs_again(worker: Host, material: Material, tmp_path: Path) -> None:
    job = worker.batch([material.held], tmp_path / "out")
    worker.wait_in_work(job, 1)

    worker.ask("pause", job_id=job)
    wait_state(tmp_path / "out", "paused")
    worker.ask("resume", job_id=job)
    wait_state(tmp_path / "out", "running")


def test_the_job_of_a_killed_worker_is_interrupted_once_another_has_found_it(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    first = start_worker()
    first.batch([material.held], tmp_path / "out")
    wait_files(tmp_path / "out", "processing")
    tree.kill_all(first.state)
    first.exit_code()

    start_worker().ask("list_jobs")

    wait_state(tmp_path / "out", "interrupted")
    wait_files(tmp_path / "out", "pending")
