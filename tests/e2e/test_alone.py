"""A page that nobody shares the processors with is read on all that its job may use."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.e2e import tree
from tests.e2e.host import Host, Launch, StartWorker
from tests.e2e.material import Material

RESTING_THREADS = 2
"""Of a page process: its own, and the one that hears when its worker ends."""


@pytest.mark.parametrize(("workers", "reading"), [(2, 2), (1, 0)])
def test_a_single_page_is_read_on_as_many_threads_as_the_job_may_have_processes(
    start_worker: StartWorker, material: Material, tmp_path: Path, workers: int, reading: int
) -> None:
    worker = start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "2"}))

    job = worker.batch([material.medium], tmp_path / "out", max_workers=workers)
    worker.wait_in_work(job, 1)
    threads = watch_threads(worker, job)

    assert max(threads) == RESTING_THREADS + reading
    assert worker.wait_end(job)["status"] == "completed"


def test_pages_that_have_company_are_read_on_one_thread_each(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    worker = start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "2"}))

    job = worker.batch([material.pdf(tmp_path / "in" / "two.pdf", "mm")], tmp_path / "out")
    worker.wait_in_work(job, 1, page=2)
    threads = watch_threads(worker, job)

    assert max(threads) == RESTING_THREADS


def watch_threads(worker: Host, job: str) -> list[int]:
    """The threads of the page process that had most, seen again and again until the job's first page ends."""
    seen = [0]
    while not any(
        event["type"] == "progress" and event["data"].get("page") for event in worker.of(job, "progress")
    ):
        seen += [count for process in tree.page_processes(worker.state) if (count := threads_of(process))]
    return seen


def threads_of(process: psutil.Process) -> int:
    try:
        return process.num_threads()
    except psutil.Error:
        return 0
