"""Programs that Dask starts: its scheduler, and a worker that our preload makes a node."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ocr_worker.cluster.dask_engine import look_at
from ocr_worker.settings import ClusterSettings
from tests.cli.command import Command
from tests.e2e.tree import wait_until
from tests.limits import HANG_SECONDS
from tests.shards.material import write_cards

CARDS = 3


@contextmanager
def dask(*words: str | Path) -> Iterator[None]:
    """A program of Dask's until it is not needed any more, when it ends in peace."""
    command = [sys.executable, "-m", "dask", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
        try:
            yield
        finally:
            program.terminate()
            program.wait(HANG_SECONDS)


@pytest.mark.slow
def test_a_worker_that_others_start_is_a_node_by_its_preload(tmp_path: Path) -> None:
    write_cards(tmp_path / "in", CARDS)
    place = tmp_path / "scheduler.json"
    ocr = Command(tmp_path, {"OCR_WORKER_PAGE_PROCESSES": "1"})
    with dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", place):
        wait_until(lambda: place.exists() and place.read_bytes(), "the scheduler")
        settings = ClusterSettings(json.loads(place.read_bytes())["address"])
        preload = ("--preload", "ocr_worker.cluster.preload")
        with dask("worker", settings.address, *preload, "--no-nanny", "--nthreads", "2", "--no-dashboard"):
            wait_until(lambda: look_at(settings), "the node")

            done = ocr(
                "batch", tmp_path / "in", "--output-dir", tmp_path / "out", "--cluster", settings.address
            )

            wait_until(lambda: look_at(settings)[0].pages_per_minute == CARDS, "its pages")
    assert done.returncode == 0, done.stderr
    assert [path.read_text("utf-8").strip() for path in sorted((tmp_path / "out").glob("*.txt"))] == [
        f"This is card{number:03}" for number in range(CARDS)
    ]
