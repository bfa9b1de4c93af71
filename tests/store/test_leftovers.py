"""Whatever a killed worker left, the next one that opens the store takes away, and it touches nothing of the living."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ocr_worker.files.liveness import own_mark
from ocr_worker.model.jobs import JobState
from ocr_worker.settings import Settings
from ocr_worker.store.job_lock import JobLock
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.leases import JobLeases
from ocr_worker.store.manifest import write_manifest
from ocr_worker.store.manifest_writer import due_mark
from tests.limits import HANG_SECONDS
from tests.store.records import new_files, stored_job


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(tmp_path / "state", 1)
    settings.jobs_dir.mkdir(parents=True)
    return settings


@pytest.fixture
def leases(settings: Settings) -> Iterator[JobLeases]:
    leases = JobLeases(settings)
    yield leases
    leases.close(at_once=True)


def dead_mark() -> str:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return f"{own_mark().partition('-')[0]}-{process.pid}"


def test_text_of_pages_does_not_outlive_its_job(settings: Settings, leases: JobLeases) -> None:
    with closing(JobStore(settings.state_dir)) as store:
        store.add_job(stored_job("kept", state="stopped"), new_files(1))
    for job_id in ("kept", "gone", "elsewhere"):
        (settings.jobs_dir / job_id / "1").mkdir(parents=True)
        (settings.jobs_dir / job_id / "1" / "1.page").write_bytes(b"text")

    with JobLock(settings.jobs_dir, "elsewhere"):
        assert leases.store.is_there
        folders = {path.name for path in settings.jobs_dir.iterdir() if path.is_dir()}

    assert folders == {"kept", "elsewhere"}
    assert (settings.jobs_dir / "kept" / "1" / "1.page").is_file()


def test_text_of_pages_does_not_outlive_the_file_that_is_done(settings: Settings, leases: JobLeases) -> None:
    """Its worker may have been killed before, or in the midst of, removing them."""
    with closing(JobStore(settings.state_dir)) as store:
        for job_id in ("ended", "half", "elsewhere"):
            store.add_job(stored_job(job_id, state="stopped"), new_files(2))
            store.set_file(job_id, 1, state="completed")
        store.set_file("ended", 2, state="completed")
    for job_id in ("ended", "half", "elsewhere"):
        for number in ("1", "2"):
            (settings.jobs_dir / job_id / number).mkdir(parents=True)
            (settings.jobs_dir / job_id / number / "1.page").write_bytes(b"text")

    with JobLock(settings.jobs_dir, "elsewhere"):
        assert leases.store.is_there
        left = {
            path.parent.relative_to(settings.jobs_dir).as_posix()
            for path in settings.jobs_dir.rglob("*.page")
        }

    assert left == {"half/2", "elsewhere/1", "elsewhere/2"}
    assert not (settings.jobs_dir / "ended").exists()


def test_pages_that_a_living_program_reads_stay_and_those_of_a_dead_one_go(
    settings: Settings, leases: JobLeases
) -> None:
    for mark in (own_mark(), dead_mark()):
        (settings.jobs_dir / mark / "scratch").mkdir(parents=True)

    assert leases.store.is_there

    assert [path.name for path in settings.jobs_dir.iterdir()] == [own_mark()]


def test_locks_and_requests_that_nobody_holds_go_and_those_of_the_living_stay(
    settings: Settings, leases: JobLeases
) -> None:
    (settings.jobs_dir / "dead.lock").touch()
    JobLock.ask(settings.jobs_dir, "dead", "cancel")
    JobLock.ask(settings.jobs_dir, "dead", "pause")

    with JobLock(settings.jobs_dir, "alive") as lock:
        JobLock.ask(settings.jobs_dir, "alive", "cancel")
        assert leases.store.is_there
        assert lock.cancel_asked
        assert sorted(path.name for path in settings.jobs_dir.iterdir()) == ["alive.cancel", "alive.lock"]


@pytest.mark.parametrize("state", ["completed", "running"])
def test_a_manifest_that_a_kill_left_behind_is_written_and_what_lay_beside_it_goes(
    settings: Settings, leases: JobLeases, tmp_path: Path, state: JobState
) -> None:
    """Killed between the end in the store and the manifest, or in the middle of the run."""
    out = tmp_path / "out"
    out.mkdir()
    with closing(JobStore(settings.state_dir)) as store:
        store.add_job(stored_job(state="running", output_path=os.fsencode(out)), new_files(1))
        manifest = write_manifest(store, "job")
        store.update_job("job", state=state)
    assert manifest is not None
    part = out / f".ocr-{dead_mark()}-00.part"
    part.touch()
    due_mark(settings.jobs_dir, "job").touch()

    assert leases.store.is_there
    leases.manifests.await_written("job", HANG_SECONDS)

    said = "complete" if state == "completed" else "interrupted"
    assert f'"state": "{said}"' in manifest.read_text(encoding="ascii")
    assert not part.exists()
    assert list(settings.jobs_dir.iterdir()) == []


def test_what_a_worker_that_died_beside_a_living_one_left_goes_when_jobs_are_listed(
    settings: Settings, leases: JobLeases, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert leases.store.is_there
    leases.store.add_job(stored_job(state="running", output_path=os.fsencode(out)), new_files(1))
    (out / f".ocr-{dead_mark()}-00.part").touch()
    for left in (due_mark(settings.jobs_dir, "job"), settings.jobs_dir / "job.lock"):
        left.touch()

    leases.find_interrupted()
    leases.manifests.await_written("job", HANG_SECONDS)

    assert [path.suffix for path in out.iterdir()] == [".json"]
    assert list(settings.jobs_dir.iterdir()) == []


def test_a_host_that_only_says_hello_has_what_was_left_taken_away(
    settings: Settings, leases: JobLeases
) -> None:
    leases.tidy()
    made = list(settings.state_dir.glob("jobs.sqlite3"))
    JobStore(settings.state_dir).close()
    (settings.jobs_dir / "dead.lock").touch()

    leases.tidy()

    assert made == []
    assert list(settings.jobs_dir.iterdir()) == []


def test_the_manifest_of_a_living_worker_is_its_own(
    settings: Settings, leases: JobLeases, tmp_path: Path
) -> None:
    due_mark(settings.jobs_dir, "job").touch()

    with JobLock(settings.jobs_dir, "job"):
        assert leases.store.is_there
        assert leases.manifests.all_written

    assert due_mark(settings.jobs_dir, "job").exists()


def test_a_run_that_ends_leaves_no_mark(settings: Settings, leases: JobLeases, tmp_path: Path) -> None:
    leases.store.add_job(stored_job(state="running", output_path=os.fsencode(tmp_path)), new_files(1))
    leases.acquire("job")
    leases.manifests.run_begun("job", None)
    marked = due_mark(settings.jobs_dir, "job").exists()

    leases.set_state("job", "completed")
    leases.manifests.await_written("job", HANG_SECONDS)

    assert marked
    assert not due_mark(settings.jobs_dir, "job").exists()
