"""What the store knows, as the data of answers and results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ocr_protocol.events import BatchData, Info, JobData, Result
from ocr_worker.cli import exit_codes
from ocr_worker.cli.summary import summary
from ocr_worker.jobs import queries
from ocr_worker.model.events import RunEnd
from ocr_worker.model.fields import batch_fields, file_done_fields, job_fields
from ocr_worker.model.results import FileOutcome
from ocr_worker.model.tasks import Failure
from ocr_worker.store.job_store import JobStore
from tests.store.records import new_files, stored_job

END = RunEnd("completed", None, 2.0)
DONE = FileOutcome(status="completed", pages=1, output="/out/x.pdf", outputs={"pdf": "/out/x.pdf"})
FAILED = FileOutcome(status="failed", page=3, error=Failure("timeout", "x: late", retryable=True))
SKIPPED = FileOutcome(status="skipped", reason="duplicate")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    opened = JobStore(tmp_path)
    yield opened
    opened.close()


def keep(store: JobStore, files: int) -> None:
    """A job of which every file is completed."""
    store.add_job(stored_job(), new_files(files))
    for number in range(1, files + 1):
        store.set_file("job", number, state="completed", pages=1, outcome=DONE, ended_at=1.0)


def test_above_the_limit_counts_stand_for_the_lists(store: JobStore) -> None:
    store.add_job(stored_job(), new_files(queries.MOST_LISTED + 1))

    data = batch_fields(queries.batch_result(store, "job", END))

    assert data["counts"] == {"successful": 0, "completed_with_errors": 0, "failed": 0, "skipped": 0}
    assert data["total_files"] == 10_001
    assert "successful" not in data
    BatchData.model_validate(data)


def test_up_to_the_limit_every_file_is_listed(store: JobStore) -> None:
    keep(store, files=5)

    listed, counted = (queries.batch_result(store, "job", END, most) for most in (5, 4))

    assert (len(listed.successful), listed.lists_files) == (5, True)
    assert (len(counted.successful), counted.lists_files, counted.counts.successful) == (0, False, 5)


def test_files_are_listed_by_how_they_ended_and_unfinished_ones_nowhere(store: JobStore) -> None:
    keep(store, files=4)
    store.set_file("job", 2, state="failed", outcome=FAILED)
    store.set_file("job", 3, state="skipped", outcome=SKIPPED)
    store.reopen_files("job", "pending")
    store.set_file("job", 4, state="pending", outcome=None)

    data = batch_fields(queries.batch_result(store, "job", END))

    assert [file["file"] for file in data["successful"]] == ["/in/1.png"]
    assert data["failed"] == [
        {"file": "/in/2.png", "error": "x: late", "code": "timeout", "retryable": True, "page": 3}
    ]
    assert [(file["file"], file["reason"]) for file in data["skipped"]] == [("/in/3.png", "duplicate")]
    Result(command="ocr_batch", job_id="job", data=data)


@pytest.mark.parametrize("most_listed", [10, 1])
def test_a_page_that_failed_is_seen_with_and_without_lists(store: JobStore, most_listed: int) -> None:
    keep(store, files=3)
    good = queries.batch_result(store, "job", END, most_listed)
    store.set_file("job", 2, outcome=replace(DONE, status="completed_with_errors"))
    data = queries.batch_result(store, "job", END, most_listed)

    assert exit_codes.of_result(good, None) == exit_codes.GOOD
    assert exit_codes.of_result(data, None) == exit_codes.SOME_FAILED


def test_failures_of_inputs_are_told_apart_from_our_own(store: JobStore) -> None:
    codes = ("corrupt", "encrypted", "not_found", "timeout", "internal")
    store.add_job(stored_job(worked_seconds=2.0, cleanups=3, worker_restarts=4), new_files(6))
    for number, code in enumerate(codes, 1):
        failed = FileOutcome(status="failed", error=Failure(code, code, retryable=False))
        store.set_file("job", number, state="failed", outcome=failed)

    result = queries.batch_result(store, "job", END)

    data = batch_fields(result)
    statistics = data["statistics"]
    assert (statistics["failed_by_input"], statistics["failed_by_worker"]) == (3, 2)
    assert (statistics["files_per_second"], statistics["pages_per_second"]) == (2.5, 0.0)
    assert (statistics["cleanups"], statistics["worker_restarts"]) == (3, 4)
    assert "3 failures of inputs, 2 failures of ours or of this machine" in summary(result)
    BatchData.model_validate(data)


@pytest.mark.parametrize("outcome", [DONE, FAILED, replace(SKIPPED, reason="up_to_date")])
def test_what_is_told_of_a_file_is_an_event_of_the_protocol(store: JobStore, outcome: FileOutcome) -> None:
    store.add_job(stored_job(), new_files(1))
    store.set_file("job", 1, state=outcome.status, outcome=outcome)

    data = file_done_fields(queries.file_done(store, "job", 1))

    assert Info(data=data).data.message
    assert data["file"] == "/in/1.png"


def test_a_job_is_summed_up_with_its_pages_and_its_files_in_parts(store: JobStore) -> None:
    keep(store, files=4)
    store.set_file("job", 4, state="processing", pages=9, outcome=None, ended_at=None)
    for page in (1, 2):
        store.page_started("job", 4, page)
        store.page_ended("job", 4, page, "ok")
    job = store.job("job")
    assert job is not None

    summary = queries.job_summary(store, job)
    files = queries.job_files(store, "job", 2, 1)

    assert (summary.pages_done, summary.pages_total) == (5, 12)
    assert [file.file for file in files] == ["/in/3.png"]
    JobData.model_validate(job_fields(queries.job_details(store, "job", 2, 1)))


def test_jobs_are_summed_up_together_as_each_alone(store: JobStore) -> None:
    keep(store, files=3)
    store.add_job(stored_job("other"), new_files(2))
    store.set_file("other", 2, state="processing", pages=4)
    store.page_started("other", 2, 1)
    store.page_ended("other", 2, 1, "ok")
    store.add_job(stored_job("empty"), [])
    jobs = store.jobs(None, 0, 9)

    together = queries.job_summaries(store, jobs)

    assert together == [queries.job_summary(store, job) for job in jobs]
    pages = {one.job_id: (one.pages_done, one.pages_total) for one in together}
    assert pages == {"job": (3, 3), "other": (1, 5), "empty": (0, 0)}
