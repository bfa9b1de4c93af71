"""What page processes put on disk for a moment, bitmaps of pages included, goes with them however they end."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import tree
from tests.e2e.host import Host
from tests.e2e.material import Material
from tests.long_rows import first


def temp_root(host: Host) -> Path:
    return host.state / "tmp"


def bitmaps(host: Host) -> list[Path]:
    return list(host.state.rglob("*.pgm"))


def start_tesseract(host: Host, page: Path, folder: Path, **options: Any) -> str:
    """Start a job and wait until the Tesseract command reads its page."""
    job = host.batch([page], folder / "out", engine="tesseract", **options)
    # The command is asked for its version first.
    tree.wait_until(lambda: bitmaps(host) and tree.named(host.state, "tesseract"), "tesseract at work")
    return job


def test_a_cancelled_page_of_the_tesseract_command_leaves_no_bitmap(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = start_tesseract(worker, material.slow, tmp_path)

    worker.ask("cancel", job_id=job)
    worker.wait_end(job)

    tree.wait_until(lambda: not bitmaps(worker), "the bitmap is gone")


def test_a_late_page_of_the_tesseract_command_leaves_no_bitmap_and_no_process(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = start_tesseract(worker, material.slow, tmp_path, page_timeout_seconds=15, retries=0)
    tree.stop(tree.named(worker.state, "tesseract"))

    assert [file["code"] for file in worker.wait_end(job)["failed"]] == ["timeout"]

    tree.wait_until(lambda: not tree.named(worker.state, "tesseract"), "tesseract is gone")
    tree.wait_until(lambda: not bitmaps(worker), "the bitmap is gone")


ENDS: dict[str, Callable[[Host], object]] = {
    "end of stdin": lambda host: host.stdin.close(),
    "shutdown now": lambda host: host.ask("shutdown", mode="now"),
    "SIGTERM": lambda host: host.process.send_signal(signal.SIGTERM),
    "stdout closed": lambda host: host.stop_reading(),
}


@pytest.mark.parametrize("end", first(2, ENDS))
def test_a_worker_that_ends_in_mid_page_leaves_no_temporary_folder(
    worker: Host, material: Material, tmp_path: Path, end: str
) -> None:
    # A pause lets the page in work go on, until its time is up.
    paused = end == "end of stdin"
    start_tesseract(worker, material.slow, tmp_path, page_timeout_seconds=15, retries=0)
    if paused:
        worker.ask("pause")
    assert temp_root(worker).exists()

    ENDS[end](worker)

    worker.exit_code()
    assert not temp_root(worker).exists()


def test_a_worker_at_rest_leaves_no_temporary_folder(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    worker.wait_end(worker.batch([material.quick], tmp_path / "out"))

    worker.stdin.close()

    assert worker.exit_code() == 0
    assert not temp_root(worker).exists()


@pytest.mark.parametrize("mode", ["drain", "now"])
def test_of_a_worker_that_has_ended_only_the_store_and_the_folder_of_jobs_are_left(
    worker: Host, material: Material, tmp_path: Path, mode: str
) -> None:
    worker.wait_end(worker.batch([material.quick], tmp_path / "out"))

    worker.ask("shutdown", mode=mode)

    assert worker.exit_code() == 0
    assert sorted(path.name for path in worker.state.rglob("*")) == ["jobs", "jobs.sqlite3"]
