"""When manifests are written, and what becomes of one that takes long."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.files.atomic import Staged, folder_id, staging
from ocr_worker.library.manifest import BatchManifest
from ocr_worker.store import manifest_writer
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.manifest import write_manifest
from ocr_worker.store.manifest_writer import ManifestWriter, Schedule
from tests.e2e import tree
from tests.limits import HANG_SECONDS
from tests.store.records import new_files, stored_job

LARGE = 20_000
"""Files in a manifest that takes far longer than a moment."""


@pytest.fixture
def schedule() -> Schedule:
    return Schedule()


def test_files_that_change_wait_a_second_after_a_quick_write(schedule: Schedule) -> None:
    schedule.written("job", begun=10.0, ended=10.01)

    schedule.file_changed("job")

    assert schedule.pop_due(11.0) is None
    assert schedule.pop_due(11.01) == "job"


def test_files_that_change_wait_twenty_times_as_long_as_a_slow_write_took(schedule: Schedule) -> None:
    schedule.written("job", begun=10.0, ended=12.0)

    schedule.file_changed("job")

    assert schedule.seconds_to_next(12.0) == 40
    assert schedule.pop_due(51.9) is None
    assert schedule.pop_due(52.0) == "job"


def test_files_that_change_during_a_write_wait_as_long_after_it(schedule: Schedule) -> None:
    schedule.file_changed("job")
    schedule.pop_due(10.0)
    schedule.file_changed("job")

    schedule.written("job", begun=10.0, ended=12.0)

    assert schedule.pop_due(51.9) is None
    assert schedule.pop_due(52.0) == "job"


def test_a_change_of_state_waits_for_nothing_and_takes_the_files_along(schedule: Schedule) -> None:
    schedule.written("job", begun=10.0, ended=12.0)
    schedule.file_changed("job")

    schedule.state_changed("job")

    assert schedule.pop_due(12.0) == "job"
    assert schedule.pop_due(99.0) is None


def test_a_change_of_state_during_a_write_is_written_right_after_it(schedule: Schedule) -> None:
    schedule.state_changed("job")
    schedule.pop_due(10.0)
    schedule.state_changed("job")
    schedule.file_changed("job")

    schedule.written("job", begun=10.0, ended=12.0)

    assert schedule.pop_due(12.0) == "job"


def test_jobs_do_not_wait_for_each_other(schedule: Schedule) -> None:
    schedule.written("large", begun=10.0, ended=20.0)

    schedule.file_changed("large")
    schedule.file_changed("small")

    assert schedule.pop_due(20.0) == "small"
    assert schedule.pop_due(20.0) is None


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """The output folder of a stored job that has not been told of yet."""
    out = tmp_path / "out"
    out.mkdir()
    with closing(JobStore(tmp_path / "state")) as store:
        store.add_job(stored_job(output_path=os.fsencode(out)), new_files(LARGE))
    return out


def test_a_keeper_that_is_closed_has_written_what_was_due_however_large(large: Path) -> None:
    keeper = ManifestWriter(large.parent / "state")
    keeper.state_changed("job")

    keeper.close()

    assert keeper.all_written
    assert BatchManifest.load(large).queue.counts()["total"] == LARGE


def test_a_write_that_is_broken_off_leaves_nothing_beside_the_manifest_that_was_there(large: Path) -> None:
    keeper = ManifestWriter(large.parent / "state")
    before = large / "batch_job_manifest.json"
    before.write_bytes(b"what was there")
    keeper.state_changed("job")
    tree.wait_until(lambda: list(large.glob(".*")), "the write has begun")

    keeper.break_off(0.0)

    # It does not wait for long.
    tree.wait_until(lambda: list(large.iterdir()) == [before], "nothing else is left")
    assert before.read_bytes() == b"what was there"


def test_a_keeper_that_was_closed_goes_on_with_the_next_job(large: Path) -> None:
    keeper = ManifestWriter(large.parent / "state")
    keeper.state_changed("gone")
    keeper.break_off()

    keeper.state_changed("job")
    keeper.close()

    assert BatchManifest.load(large).batch_id == "job"


@pytest.mark.parametrize(
    "lack", [OSError(errno.EMFILE, "Too many open files"), ModuleNotFoundError("tenacity")]
)
def test_a_write_that_the_machine_has_no_room_for_is_tried_again_at_the_next_change(
    lack: Exception, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        monkeypatch.setattr(manifest_writer, "write_manifest", write_manifest)
        raise lack

    monkeypatch.setattr(manifest_writer, "write_manifest", refuse)
    keeper = ManifestWriter(large.parent / "state")
    keeper.state_changed("job")
    tree.wait_until(lambda: keeper.all_written, "the write was tried")

    keeper.state_changed("job")
    keeper.close()

    assert BatchManifest.load(large).batch_id == "job"


def test_jobs_that_have_ended_leave_nothing_in_memory(tmp_path: Path) -> None:
    keeper = ManifestWriter(tmp_path / "state")
    with closing(JobStore(tmp_path / "state")) as store:
        for number in range(20):
            job_id, out = f"job{number}", tmp_path / f"out{number}"
            out.mkdir()
            job = stored_job(job_id, state="running", output_path=os.fsencode(out))
            store.add_job(job, new_files(1))
            keeper.run_begun(job_id, folder_id(out))
            store.update_job(job_id, state="completed")
            keeper.state_changed(job_id)
            keeper.await_written(job_id, HANG_SECONDS)
    keeper.close()

    assert keeper._folders == {}


def test_a_manifest_on_a_disk_that_hangs_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, hangs, answers = write_manifest, threading.Event(), threading.Event()

    def hang(store: JobStore, job_id: str, *more: Any) -> Path | None:
        if job_id == "away" and not answers.is_set():
            hangs.set()
            answers.wait(HANG_SECONDS)
        return write(store, job_id, *more)

    monkeypatch.setattr("ocr_worker.store.manifest_writer.write_manifest", hang)
    keeper = ManifestWriter(tmp_path / "state")
    with closing(JobStore(tmp_path / "state")) as store:
        for job_id in ("away", "here"):
            (tmp_path / job_id).mkdir()
            job = stored_job(job_id, state="running", output_path=os.fsencode(tmp_path / job_id))
            store.add_job(job, new_files(1))
        keeper.state_changed("away")
        assert hangs.wait(HANG_SECONDS)
        monkeypatch.setattr("ocr_worker.store.manifest_writer.STUCK_SECONDS", 0)
        keeper.state_changed("here")
        keeper.await_written("here", HANG_SECONDS)
        written = [path.parent.name for path in tmp_path.glob("*/*_manifest.json")]
        monkeypatch.undo()
        answers.set()
        tree.wait_until(lambda: not keeper._stuck, "the thread came back")
        keeper.close()

    assert written == ["here"]
    assert len(list(tmp_path.glob("away/*_manifest.json"))) == 1


def test_a_schedule_forgets_waits_that_are_over(schedule: Schedule) -> None:
    for number in range(1000):
        schedule.written(f"job{number}", begun=10.0 * number, ended=10.0 * number + 0.01)

    assert len(schedule._not_before) == 1


def test_a_job_at_work_keeps_to_the_folder_that_it_found(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    keeper = ManifestWriter(tmp_path / "state")
    with closing(JobStore(tmp_path / "state")) as store:
        store.add_job(stored_job(state="running", output_path=os.fsencode(out)), new_files(1))
        keeper.run_begun("job", folder_id(out))
        keeper.await_written("job", HANG_SECONDS)
        out.rename(tmp_path / "away")
        out.mkdir()
        keeper.state_changed("job")
        keeper.close()

    assert list(out.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there a link takes a right that users have not")
def test_a_manifest_begun_while_its_job_waited_is_in_the_folder_of_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the path led when the writing began, it may not lead any more."""
    out, found, foreign = tmp_path / "out", tmp_path / "found", tmp_path / "foreign"
    found.mkdir()
    foreign.mkdir()
    out.symlink_to(foreign)
    keeper = ManifestWriter(tmp_path / "state")

    @contextmanager
    def begin_meanwhile(*what: Any) -> Iterator[Staged]:
        with staging(*what) as staged:
            keeper.run_begun("job", folder_id(found))
            yield staged

    monkeypatch.setattr("ocr_worker.store.manifest.staging", begin_meanwhile)
    with closing(JobStore(tmp_path / "state")) as store:
        store.add_job(stored_job(state="queued", output_path=os.fsencode(out)), new_files(1))
        keeper.state_changed("job")
        tree.wait_until(lambda: keeper.all_written, "it was tried")
        keeper.close()

    assert list(foreign.iterdir()) == []
