"""Another process holds the store's write lock: the worker goes on answering, and loses nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.e2e import tree
from tests.e2e.host import Host, Launch, StartWorker
from tests.e2e.material import Material


@contextmanager
def held_store(state: Path) -> Iterator[None]:
    """The write lock of the store, as a backup or a second program may hold it."""
    with closing(sqlite3.connect(state / "jobs.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_page_that_ends_while_the_store_is_held_is_kept_once_it_is_free(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    host = start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "1"}))
    job = host.batch([material.pdf(tmp_path / "scan.pdf", "qhq")], tmp_path / "out")
    host.wait_in_work(job, 1, page=2)

    with held_store(host.state):
        (page,) = tree.page_processes(host.state)
        host.hold.let_go()
        result = host.state / "jobs" / job / "1" / "2.page"
        tree.wait_until(result.exists, "the page is read")
        tree.wait_at_rest(page)
        meanwhile = host.ask("ping")

    assert meanwhile["type"] == "result"
    assert host.wait_end(job)["total_pages_processed"] == 3
    assert [page.attempts for page in host.store.pages(job, 1)] == [1, 1, 1]


def test_a_cancel_ends_the_job_while_the_store_is_held_and_is_stored_once_it_is_free(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    jobs = [worker.batch([*material.quick_files(tmp_path / "in", 1), material.held], tmp_path / "out")]
    jobs += [worker.batch([material.held], tmp_path / str(number)) for number in range(3)]
    worker.wait_file_done(jobs[0])
    worker.wait_in_work(jobs[0], 2)

    with held_store(worker.state):
        worker.send("cancel")
        ends = [worker.wait_end(job) for job in jobs]
        refused = worker.ask("resume", job_id=jobs[0])

    assert [(end["status"], len(end["successful"])) for end in ends] == [
        ("cancelled", 1), *[("cancelled", 0)] * 3,
    ]  # fmt: skip
    assert (refused["data"]["code"], refused["data"]["retryable"]) == ("busy", True)
    tree.wait_until(
        lambda: {job.state for job in worker.store.jobs(None, 0, 9)} == {"cancelled"}, "the ends are stored"
    )
    assert [page.attempts for page in worker.store.pages(jobs[0], 2)] == [0]
    assert worker.ask("resume", job_id=jobs[0])["data"]["kind"] == "accepted"


def test_a_worker_that_is_told_to_end_while_the_store_is_held_leaves_the_job_to_be_found_interrupted(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    first = start_worker()
    job = first.batch([material.held], tmp_path / "out")
    first.wait_in_work(job, 1)

    with held_store(first.state):
        first.ask("shutdown", mode="now")
        ended = first.wait_end(job)
        code = first.exit_code()

    assert (ended["status"], ended["reason"], code) == ("cancelled", "shutdown", 0)
    assert start_worker().ask("get_job", job_id=job)["data"]["state"] == "interrupted"
