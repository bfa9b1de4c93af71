"""Two processes over one store. What the other does between two steps of ours is put there, so that no pace decides."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.errors import JobActiveError, JobNotFoundError
from ocr_worker.files.atomic import publish_all
from ocr_worker.model.jobs import JobOptions, JobState
from ocr_worker.settings import Settings
from ocr_worker.store import job_lock, manifest
from ocr_worker.store.job_lock import JobLock, clean_stale, find_locks
from ocr_worker.store.leases import JobLeases
from ocr_worker.store.manifest import write_manifest
from tests.limits import HANG_SECONDS
from tests.store.records import new_files, stored_job

JOB = "20260101_000000_0000000a"


@dataclass(frozen=True, slots=True)
class Pair:
    """Ours, and those of another process."""

    ours: JobLeases
    others: JobLeases
    jobs_dir: Path

    def add(self, state: JobState, **fields: Any) -> None:
        self.others.store.add_job(stored_job(JOB, state=state, **fields), new_files(2))

    def state(self) -> str | None:
        return dict(self.others.store._db.execute("SELECT job_id, state FROM jobs")).get(JOB)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    settings = Settings(tmp_path / "state", 1)
    ours, others = JobLeases(settings), JobLeases(settings)
    assert ours.store.is_there
    yield Pair(ours, others, settings.jobs_dir)
    for leases in (ours, others):
        leases.close(at_once=True)


@pytest.fixture
def before_the_lock(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Has the other process do something when ours has looked and not locked yet."""

    def put(action: Callable[[], object]) -> None:
        take = job_lock._take

        def act_and_take(path: Path, patience_seconds: float) -> Any:
            monkeypatch.setattr(job_lock, "_take", take)
            action()
            return take(path, patience_seconds)

        monkeypatch.setattr(job_lock, "_take", act_and_take)

    return put


Before = Callable[[Callable[[], object]], None]


@pytest.mark.parametrize("end", ["completed", "cancelled", "failed", "stopped"])
def test_a_job_that_ends_while_it_is_listed_stays_as_it_ended(
    pair: Pair, before_the_lock: Before, end: str
) -> None:
    pair.add("running")
    pair.others.acquire(JOB)

    def finish() -> None:
        pair.others.store.update_job(JOB, state=end)
        pair.others.release(JOB)

    before_the_lock(finish)
    pair.ours.find_interrupted()

    assert pair.state() == end


def test_a_job_that_is_being_admitted_while_it_is_listed_is_not_deleted(
    pair: Pair, before_the_lock: Before
) -> None:
    pair.add("admitting")
    pair.others.acquire(JOB)

    def admit_run_and_end() -> None:
        pair.others.store.update_job(JOB, state="completed")
        pair.others.release(JOB)

    before_the_lock(admit_run_and_end)
    pair.ours.find_interrupted()

    assert pair.state() == "completed"
    assert pair.others.store.stats(JOB)["total"] == 2


def test_a_job_that_is_held_is_left_alone_whatever_its_state(pair: Pair) -> None:
    for state in ("admitting", "queued", "running", "paused"):
        pair.add(state)
        pair.others.acquire(JOB)
        pair.ours.find_interrupted()
        assert pair.state() == state
        pair.others.release(JOB)
        pair.others.store.delete_job(JOB)


def test_a_job_that_is_taken_up_while_it_is_deleted_stays(pair: Pair, before_the_lock: Before) -> None:
    pair.add("interrupted")
    (pair.jobs_dir / JOB / "1").mkdir(parents=True)
    before_the_lock(lambda: pair.others.acquire_ended(JOB))

    with pytest.raises(JobActiveError):
        pair.ours.delete(JOB)

    assert pair.state() == "interrupted"
    assert (pair.jobs_dir / JOB / "1").is_dir()


def test_a_job_that_was_done_again_is_not_cleaned_up_for_its_former_age(
    pair: Pair, before_the_lock: Before
) -> None:
    pair.add("completed", ended_at=1.0)
    before_the_lock(lambda: pair.others.store.update_job(JOB, ended_at=1000.0))

    removed = pair.ours.delete_if(JOB, lambda job: (job.ended_at or 0) < 500)

    assert (removed, pair.state()) == (False, "completed")
    assert pair.ours.delete_if(JOB, lambda job: (job.ended_at or 0) < 5000)
    assert pair.state() is None


def test_a_job_that_is_at_work_again_or_gone_is_passed_over_by_a_clean_up(
    pair: Pair, before_the_lock: Before
) -> None:
    pair.add("completed")
    before_the_lock(lambda: pair.others.acquire(JOB))
    assert not pair.ours.delete_if(JOB, lambda _: True)
    pair.others.release(JOB)
    before_the_lock(lambda: pair.others.store.delete_job(JOB))
    assert not pair.ours.delete_if(JOB, lambda _: True)


def test_a_job_that_was_completed_elsewhere_is_not_given_up(pair: Pair, before_the_lock: Before) -> None:
    pair.add("interrupted")
    before_the_lock(lambda: pair.others.store.update_job(JOB, state="completed"))

    pair.ours.mark_cancelled(JOB)

    assert pair.state() == "completed"


def test_a_job_that_was_deleted_elsewhere_is_not_taken_up(pair: Pair, before_the_lock: Before) -> None:
    pair.add("interrupted")
    before_the_lock(lambda: pair.others.store.delete_job(JOB))

    with pytest.raises(JobNotFoundError):
        pair.ours.acquire_ended(JOB)

    assert list(pair.jobs_dir.iterdir()) == []


def test_a_manifest_that_was_overtaken_is_written_anew(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours read `interrupted`, the other ran the job to its end and wrote that, ours came last."""
    pair.add("interrupted", output_dir=str(tmp_path), output_path=os.fsencode(tmp_path), options=JobOptions())

    def overtake(staged: Any, known: Any) -> None:
        monkeypatch.setattr(manifest, "publish_all", publish_all)
        pair.others.store.update_job(JOB, state="completed")
        write_manifest(pair.others.store, JOB)
        publish_all(staged, known)

    monkeypatch.setattr(manifest, "publish_all", overtake)
    path = write_manifest(pair.ours.store, JOB)

    assert path is not None
    assert '"state": "complete"' in path.read_text(encoding="ascii")


@pytest.fixture
def looked_at(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process looks whether the job's lock is held, and has done so when ours tries again."""
    pair.jobs_dir.mkdir(exist_ok=True)
    (pair.jobs_dir / f"{JOB}.lock").touch()
    look = ExitStack()
    assert look.enter_context(job_lock._held(pair.jobs_dir / f"{JOB}.lock"))
    monkeypatch.setattr("filelock._api.time.sleep", lambda _: look.close())


@pytest.mark.usefixtures("looked_at")
def test_a_new_job_is_not_refused_as_its_lock_is_looked_at(pair: Pair) -> None:
    pair.ours.acquire(JOB)

    assert list(pair.ours.locks) == [JOB]


@pytest.mark.usefixtures("looked_at")
def test_a_dead_workers_job_can_be_taken_up_while_another_process_lists_jobs(pair: Pair) -> None:
    pair.add("running")

    job = pair.ours.acquire_ended(JOB)

    assert job.state == "interrupted"


def test_a_look_at_a_lock_that_goes_away_makes_none(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.others.acquire(JOB)
    files = job_lock._files

    def and_release(jobs_dir: Path) -> list[Path]:
        found = files(jobs_dir)
        pair.others.release(JOB)
        return found

    for look in (find_locks, clean_stale):
        monkeypatch.setattr(job_lock, "_files", and_release)
        assert look(pair.jobs_dir) == []
        assert list(pair.jobs_dir.iterdir()) == []
        pair.others.acquire(JOB)
    pair.others.release(JOB)


def test_a_stale_lock_is_found_and_removed_and_a_held_one_stays(pair: Pair) -> None:
    pair.others.acquire(JOB)
    (pair.jobs_dir / "stale.lock").touch()

    assert [(lock.job_id, lock.held) for lock in find_locks(pair.jobs_dir)] == [(JOB, True), ("stale", False)]
    assert clean_stale(pair.jobs_dir) == ["stale"]
    assert [file.name for file in pair.jobs_dir.iterdir()] == [f"{JOB}.lock"]


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.EIO, errno.ENOSYS])
def test_where_flock_is_refused_a_file_stands_for_it_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    lock = JobLock(tmp_path, "job")

    assert JobLock.try_acquire(tmp_path, "job") is None
    assert [(found.job_id, found.held) for found in find_locks(tmp_path)] == [("job", True)]
    assert clean_stale(tmp_path) == []
    lock.release()
    assert list(tmp_path.iterdir()) == []
    again = JobLock(tmp_path, "job")
    again.release()
    assert caplog.text.count(f"{tmp_path} takes no locks ({os.strerror(number)})") == 1


def test_where_flock_is_refused_the_lock_of_a_dead_worker_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = (
        "import errno, fcntl, os, sys\n"
        "from pathlib import Path\n"
        "def refuse(*_): raise OSError(errno.ENOLCK, 'no locks')\n"
        "fcntl.flock = refuse\n"
        "from ocr_worker.store.job_lock import JobLock\n"
        "lock = JobLock(Path(sys.argv[1]), 'job')\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    process = subprocess.Popen(
        [sys.executable, "-c", holder, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    held = JobLock.try_acquire(tmp_path, "job")

    process.kill()
    process.communicate(timeout=HANG_SECONDS)
    lock = JobLock(tmp_path, "job")
    lock.release()

    assert held is None
    assert list(tmp_path.iterdir()) == []
