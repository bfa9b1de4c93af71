"""A running job is one worker's, until it ends or dies."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_worker.errors import JobActiveError, NoSpaceError, OutputPermissionError
from ocr_worker.files.private import make_private
from ocr_worker.store.job_lock import REQUESTS, JobLock, clean_stale
from ocr_worker.store.manifest_writer import ManifestWriter
from tests.limits import HANG_SECONDS

HOLDER = """
import sys
from pathlib import Path
from ocr_worker.store.job_lock import JobLock
lock = JobLock(Path(sys.argv[1]), "job")
print("held", flush=True)
sys.stdin.read()
"""

CONTENDER = """
import os, sys
from pathlib import Path
from ocr_worker.errors import JobActiveError
from ocr_worker.store.job_lock import JobLock
jobs, held = Path(sys.argv[1]), 0
for _ in range(3000):
    try:
        lock = JobLock(jobs, "job")
    except JobActiveError:
        continue
    # Fails where another is in here as well.
    os.close(os.open(jobs / "alone", os.O_CREAT | os.O_EXCL))
    os.unlink(jobs / "alone")
    lock.release()
    held += 1
print(held)
"""


def is_free(jobs_dir: Path, job_id: str = "job") -> bool:
    lock = JobLock.try_acquire(jobs_dir, job_id)
    if lock is not None:
        lock.release()
    return lock is not None


def test_a_disk_that_has_no_room_for_the_folder_of_locks_is_told_as_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", is_full)

    with pytest.raises(NoSpaceError):
        JobLock(tmp_path / "jobs", "job")


def test_a_held_job_is_refused_and_a_released_one_is_free(tmp_path: Path) -> None:
    lock = JobLock(tmp_path / "jobs", "job")

    with pytest.raises(JobActiveError, match="job"):
        JobLock(tmp_path / "jobs", "job")
    held = is_free(tmp_path / "jobs")
    lock.release()

    assert (held, is_free(tmp_path / "jobs")) == (False, True)


def test_jobs_do_not_stand_in_each_others_way(tmp_path: Path) -> None:
    one, other = JobLock(tmp_path, "one"), JobLock(tmp_path, "other")

    one.release()

    assert not is_free(tmp_path, "other")
    other.release()


def test_a_job_that_was_never_held_is_free(tmp_path: Path) -> None:
    assert is_free(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_death_of_its_holder_frees_a_job(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout
    holder.stdout.readline()
    held = is_free(tmp_path)

    holder.kill()
    holder.communicate()

    assert (held, is_free(tmp_path)) == (False, True)


def test_a_job_that_is_let_go_leaves_no_file(tmp_path: Path) -> None:
    lock = JobLock(tmp_path, "job")
    for request in REQUESTS:
        JobLock.ask(tmp_path, "job", request)

    lock.release()

    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_was_released_does_not_take_away_the_next_holders(tmp_path: Path) -> None:
    first = JobLock(tmp_path, "job")
    first.release()
    second = JobLock(tmp_path, "job")

    first.release()

    assert not is_free(tmp_path)
    second.release()


def test_workers_that_contend_for_a_job_never_hold_it_together_though_its_file_comes_and_goes(
    tmp_path: Path,
) -> None:
    contenders = [
        subprocess.Popen([sys.executable, "-c", CONTENDER, tmp_path], stdout=subprocess.PIPE)
        for _ in range(3)
    ]

    said = [contender.communicate(timeout=HANG_SECONDS)[0] for contender in contenders]

    assert [contender.returncode for contender in contenders] == [0, 0, 0]
    assert all(int(held) > 0 for held in said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there a link takes a right that users have not")
def test_links_that_a_page_process_left_beside_its_results_are_not_followed(tmp_path: Path) -> None:
    """It may write there alone, and the worker everywhere."""
    jobs, victim = tmp_path / "jobs", tmp_path / "victim"
    make_private(jobs)
    victim.write_text("whole", encoding="ascii")
    for request in REQUESTS:
        (jobs / f"job.{request}").symlink_to(tmp_path / request)
        with pytest.raises(OSError, match="symbolic links"):
            JobLock.ask(jobs, "job", request)
    for name, place in (
        ("job.due", tmp_path / "due"),
        ("job.lock", victim),
        ("other.lock", tmp_path / "lock"),
    ):
        (jobs / name).symlink_to(place)
    writer = ManifestWriter(tmp_path)
    writer.run_begun("job", None)
    writer.close()
    clean_stale(jobs)

    with pytest.raises(OutputPermissionError):
        JobLock(jobs, "job")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["jobs", "jobs.sqlite3", "victim"]
    assert victim.read_text(encoding="ascii") == "whole"
