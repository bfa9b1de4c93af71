"""What is known of jobs, kept in SQLite."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ocr_worker.errors import InternalError, OutputPermissionError
from ocr_worker.model.jobs import JobOptions
from ocr_worker.model.results import FileOutcome
from ocr_worker.model.tasks import PageSettings
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import NewFile
from ocr_worker.store.schema import MIGRATIONS
from tests.store.records import new_files, stored_job

SKIPPED = FileOutcome(status="skipped", reason="duplicate")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    opened = JobStore(tmp_path)
    yield opened
    opened.close()


def test_a_job_comes_back_as_it_was_kept(store: JobStore) -> None:
    options = JobOptions(page=PageSettings(languages=("deu", "eng"), dpi=300), retries=7, dry_run=True)
    job = stored_job(options=options, output_path=b"/out/\xff", priority=-3)

    store.add_job(job, [NewFile("file:///a%FF", b"/a\xff", b"a\xff", SKIPPED)])

    assert store.job(job.job_id) == job
    file = store.file(job.job_id, 1)
    assert (file.file, file.path, file.name, file.verdict) == (
        "file:///a%FF", b"/a\xff", b"a\xff", SKIPPED,
    )  # fmt: skip
    assert file.state == "pending"


def test_what_is_kept_is_there_for_the_next_process(tmp_path: Path) -> None:
    first = JobStore(tmp_path)
    first.add_job(stored_job(), new_files(2))
    first.set_file("job", 1, state="completed", outcome=SKIPPED)
    # Not closed: a killed process closes nothing.

    second = JobStore(tmp_path)

    assert second.file("job", 1).outcome == SKIPPED
    assert second.stats("job") == {
        "total": 2, "pending": 1, "processing": 0, "completed": 1, "failed": 0, "skipped": 0,
    }  # fmt: skip


def test_the_state_folder_and_the_store_are_the_users_alone(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state"

    JobStore(state).close()

    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "jobs.sqlite3").stat().st_mode) == 0o600


def test_opening_twice_migrates_once(tmp_path: Path) -> None:
    first, second = JobStore(tmp_path), JobStore(tmp_path)

    first.add_job(stored_job(), new_files(1))

    assert second.job("job") is not None
    version = sqlite3.connect(tmp_path / "jobs.sqlite3").execute("PRAGMA user_version").fetchone()
    assert version == (len(MIGRATIONS),)


def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    newer = sqlite3.connect(tmp_path / "jobs.sqlite3")
    newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    before = (tmp_path / "jobs.sqlite3").read_bytes()

    with pytest.raises(InternalError, match="newer version"):
        JobStore(tmp_path)

    # WAL is a property of the file; nothing else may change.
    assert (tmp_path / "jobs.sqlite3").read_bytes()[20:24] == before[20:24]


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_store_is_named_and_not_written_over(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "jobs.sqlite3"
    path.write_bytes(content)

    with pytest.raises(InternalError, match=r"jobs\.sqlite3"):
        JobStore(tmp_path)

    assert path.read_bytes() == content


def test_a_state_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").touch()

    with pytest.raises(OutputPermissionError, match="OCR_WORKER_STATE_DIR"):
        JobStore(tmp_path / "state")


def test_a_job_whose_files_cannot_all_be_kept_is_not_kept(store: JobStore) -> None:
    twice = [NewFile("a", b"/a", None, None), NewFile(None, b"/b", None, None)]  # type: ignore[arg-type]

    with pytest.raises(sqlite3.IntegrityError):
        store.add_job(stored_job(), twice)

    assert store.job("job") is None


def test_jobs_are_listed_newest_first_by_state_and_in_parts(store: JobStore) -> None:
    for number in range(5):
        store.add_job(stored_job(f"job{number}", created_at=float(number)), [])
    store.update_job("job3", state="completed")

    assert [job.job_id for job in store.jobs(None, 1, 2)] == ["job3", "job2"]
    assert [job.job_id for job in store.jobs("completed", 0, 9)] == ["job3"]
    assert (store.job_count(None), store.job_count("completed")) == (5, 1)


def test_jobs_that_some_worker_holds_are_unfinished(store: JobStore) -> None:
    for state in (
        "queued",
        "running",
        "paused",
        "completed",
        "cancelled",
        "stopped",
        "interrupted",
        "failed",
    ):
        store.add_job(stored_job(state, state="queued"), [])
        store.update_job(state, state=state)

    assert set(store.unfinished()) == {"queued", "running", "paused"}


def test_a_page_is_counted_as_tried_before_and_as_done_after(store: JobStore) -> None:
    store.add_job(stored_job(), new_files(1))

    store.page_started("job", 1, 4)
    store.page_started("job", 1, 4)
    tried = store.pages("job", 1)
    store.page_ended("job", 1, 4, "ok")

    assert [(page.page, page.attempts, page.status) for page in tried] == [(4, 2, None)]
    assert store.pages("job", 1)[0].status == "ok"
    assert store.pages_recognised("job") == 1


def test_a_try_that_was_ended_by_order_is_taken_back(store: JobStore) -> None:
    store.add_job(stored_job(), new_files(1))
    store.page_started("job", 1, 1)

    store.page_unstarted("job", 1, 1)

    assert store.pages("job", 1)[0].attempts == 0


def test_pages_of_ended_files_count_and_of_begun_ones_are_told_apart(store: JobStore) -> None:
    store.add_job(stored_job(), new_files(3))
    store.set_file("job", 1, state="completed", pages=10, ended_at=1.0)
    store.set_file("job", 2, state="processing", pages=5)
    for page in (1, 2):
        store.page_started("job", 2, page)
    store.page_ended("job", 2, 1, "ok")

    tally = store.tallies(["job"])["job"]
    assert (tally.pages_ended, tally.pages_total) == (10, 10 + 5 + 1)
    assert store.begun_files(["job"]) == [("job", 2, 5, 1)]


def test_reopened_files_are_pending_and_keep_their_pages(store: JobStore) -> None:
    store.add_job(stored_job(), new_files(2))
    store.set_file("job", 1, state="failed", outcome=FileOutcome(status="failed"), ended_at=1.0, pages=2)
    store.page_started("job", 1, 1)
    store.page_ended("job", 1, 1, "ok")

    store.reopen_files("job", "failed")

    file = store.file("job", 1)
    assert (file.state, file.outcome, file.ended_at) == ("pending", None, None)
    assert store.pages("job", 1)[0].status == "ok"


def test_a_deleted_job_leaves_nothing(store: JobStore) -> None:
    store.add_job(stored_job(), new_files(2))
    store.page_started("job", 1, 1)

    store.delete_job("job")

    assert store.job("job") is None
    assert store.files("job", None, 0, 9) == []
    assert store.pages("job", 1) == []


def test_others_may_write_while_a_large_job_is_deleted(tmp_path: Path) -> None:
    seen = list[int]()
    with (
        closing(JobStore(tmp_path)) as store,
        closing(sqlite3.connect(tmp_path / "jobs.sqlite3", isolation_level=None, timeout=0)) as other,
    ):
        store.add_job(stored_job(), new_files(12_000))
        store.add_job(stored_job("other"), new_files(1))

        def write(_: float) -> None:
            other.execute("BEGIN IMMEDIATE")
            seen.extend(other.execute("SELECT count(*) FROM files WHERE job_id = 'job'").fetchone())
            other.execute("COMMIT")

        store.delete_job("job", write)

        assert seen == [7_000, 2_000]
        assert other.execute("SELECT job_id, count(*) FROM files GROUP BY 1").fetchall() == [("other", 1)]


def test_a_job_of_which_a_part_is_deleted_is_nobodys(store: JobStore) -> None:
    store.add_job(stored_job(state="completed"), new_files(2))
    store._db.execute("CREATE TRIGGER broken BEFORE DELETE ON files BEGIN SELECT RAISE(ABORT, 'no'); END")

    with pytest.raises(sqlite3.IntegrityError):
        store.delete_job("job")

    assert store.job("job") is None
    assert store.unfinished() == {"job": "admitting"}


def test_the_rate_is_that_of_jobs_that_recognised_pages_however_many_others_ended_since(
    store: JobStore,
) -> None:
    store.add_job(stored_job("read", state="completed", pages_read=30, worked_seconds=10.0))
    for number in range(25):
        store.add_job(stored_job(f"copied{number}", state="completed", created_at=2.0, worked_seconds=50.0))

    assert store.measured_rate() == 3.0


def test_there_is_no_rate_before_the_first_page_was_recognised(store: JobStore) -> None:
    store.add_job(stored_job(state="completed", worked_seconds=50.0))

    assert store.measured_rate() is None


def test_a_store_of_the_version_before_keeps_its_jobs(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "jobs.sqlite3")) as old:
        old.executescript(MIGRATIONS[0])
        old.execute("PRAGMA user_version = 1")
        old.execute(
            "INSERT INTO jobs (job_id, state, priority, output_dir, output_path, options, created_at, updated_at)"
            " VALUES ('job', 'completed', 0, '/out', '/out', ?, 1, 1)",
            (json.dumps(JobOptions().to_fields()),),
        )
        old.commit()

    found = JobStore(tmp_path).job("job")

    assert found is not None
    assert (found.state, found.pages_read) == ("completed", 0)
