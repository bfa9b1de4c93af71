"""What page processes put on disk for a moment, bitmaps of pages included, goes with them however they end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e import tree
from tests.e2e.host import Host
from tests.e2e.material import Material


def bitmaps(host: Host) -> list[Path]:
    return list(host.state.rglob("*.pgm"))


def start_tesseract(host: Host, material: Material, folder: Path, **options: Any) -> str:
    """Start a job and wait until the Tesseract command reads its page."""
    job = host.batch([material.slow], folder / "out", engine="tesseract", **options)
    tree.wait_until(lambda: tree.named(host.state, "tesseract"), "tesseract at work")
    assert bitmaps(host)
    return job


def test_a_cancelled_page_of_the_tesseract_command_leaves_no_bitmap(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = start_tesseract(worker, material, tmp_path)

    worker.ask("cancel", job_id=job)
    worker.wait_end(job)

    tree.wait_until(lambda: not bitmaps(worker), "the bitmap is gone")


def test_a_page_of_the_tesseract_command_that_is_late_leaves_no_bitmap_and_no_process(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = start_tesseract(worker, material, tmp_path, page_timeout_seconds=3, retries=0)

    worker.wait_end(job)

    tree.wait_until(lambda: not tree.named(worker.state, "tesseract"), "tesseract is gone")
    tree.wait_until(lambda: not bitmaps(worker), "the bitmap is gone")
