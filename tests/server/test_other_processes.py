"""A job is paused, resumed and cancelled from wherever one sits, whichever process has it."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import httpx
import pytest

from ocr_client import Client
from rigs.service import until
from tests.cli.command import Command
from tests.e2e.material import Material
from tests.limits import HANG_SECONDS
from tests.server.service import Service, start


def test_a_job_of_the_service_is_paused_resumed_and_cancelled_from_the_command_line(
    served: Service, client: httpx.Client, material: Material, tmp_path: Path
) -> None:
    ocr = Command(tmp_path, {"OCR_WORKER_STATE_DIR": str(served.state_dir)})
    job_id = start(client, material.pdf(tmp_path / "ours.pdf", "hqq"))

    paused = ocr.answer("pause", job_id)
    shown = client.get(f"/api/v1/jobs/{job_id}").json()["state"]
    resumed = ocr.answer("resume", job_id)
    cancelled = ocr.answer("cancel", job_id)

    assert (paused["state"], shown) == ("paused", "paused")
    assert resumed["state"] in ("queued", "running")
    assert cancelled["state"] == client.get(f"/api/v1/jobs/{job_id}").json()["state"] == "cancelled"


def test_a_job_of_the_command_line_is_paused_resumed_and_cancelled_by_the_service(
    served: Service, client: httpx.Client, material: Material, tmp_path: Path
) -> None:
    ocr = Command(tmp_path, {"OCR_WORKER_STATE_DIR": str(served.state_dir)})
    batch = ocr.start("batch", material.pdf(tmp_path / "theirs.pdf", "hqq"), "--output-dir", tmp_path / "out")
    job_id = until(
        lambda: client.get("/api/v1/jobs").json()["jobs"][0],
        lambda job: job["title"].startswith("theirs.") and job["state"] == "running",
    )["job_id"]

    states = [
        client.post(f"/api/v1/jobs/{job_id}/{order}").json()["state"]
        for order in ("pause", "resume", "cancel")
    ]
    batch.communicate(timeout=HANG_SECONDS)

    assert states[0] == "paused"
    assert states[1:] == ["running", "cancelled"]
    assert batch.returncode == 130


def test_an_app_and_the_service_see_and_cancel_each_others_jobs(
    served: Service, client: httpx.Client, material: Material, tmp_path: Path
) -> None:
    worker = (sys.executable, "-m", "ocr_worker")
    with Client("invoices", command=worker, state_dir=served.state_dir) as app:
        ours = start(client, material.pdf(tmp_path / "ours.pdf", "hqq"))
        theirs = app.batch([material.pdf(tmp_path / "theirs.pdf", "hqq")], tmp_path / "out")

        listed = {job["job_id"] for job in app.list_jobs()["jobs"]}
        answer = client.post(f"/api/v1/jobs/{theirs.job_id}/cancel").json()
        app.cancel(ours)

        assert listed >= {ours, theirs.job_id}
        assert answer["state"] == "cancelled"
        assert theirs.result(HANG_SECONDS)["status"] == "cancelled"
        until(lambda: client.get(f"/api/v1/jobs/{ours}").json(), lambda job: job["state"] == "cancelled")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows stops no process")
def test_an_order_that_nobody_hears_is_told_with_who_has_the_job_and_leaves_nothing(
    served: Service, client: httpx.Client, tmp_path: Path, material: Material
) -> None:
    ocr = Command(tmp_path, {"OCR_WORKER_STATE_DIR": str(served.state_dir)})
    batch = ocr.start(
        "batch", material.pdf(tmp_path / "stopped.pdf", "hqq"), "--output-dir", tmp_path / "out"
    )
    job_id = until(
        lambda: client.get("/api/v1/jobs").json()["jobs"][0],
        lambda job: job["title"].startswith("stopped.") and job["state"] == "running",
    )["job_id"]
    batch.send_signal(signal.SIGSTOP)

    refused = client.post(f"/api/v1/jobs/{job_id}/pause")
    left = list((served.state_dir / "jobs").glob("*.pause"))
    batch.send_signal(signal.SIGCONT)
    batch.send_signal(signal.SIGINT)
    batch.communicate(timeout=HANG_SECONDS)

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "job_active")
    assert f"process {batch.pid} " in refused.json()["error"]["message"]
    assert left == []
