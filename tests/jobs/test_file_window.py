"""Files come into work a chunk at a time."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from ocr_worker.jobs import file_window
from ocr_worker.jobs.file_window import FileWindow, RunOrder
from ocr_worker.model.jobs import FileState, JobId, JobOptions
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredFile
from tests.e2e.tree import wait_until
from tests.limits import HANG_SECONDS
from tests.store.records import new_files, stored_job


class Read(JobStore):
    """Remembers how many files were read at a time."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(state_dir)
        self.chunks: list[int] = []

    def files(self, job_id: JobId, state: FileState | None, after: int, limit: int) -> list[StoredFile]:
        found = super().files(job_id, state, after, limit)
        self.chunks.append(len(found))
        return found


@pytest.mark.parametrize(("chunk_size", "chunks"), [(3, [3, 3, 1, 0]), (50, [7, 0])])
def test_no_more_files_are_read_at_a_time_than_a_chunk_holds(
    tmp_path: Path, chunk_size: int, chunks: list[int]
) -> None:
    store, job = Read(tmp_path), stored_job(options=JobOptions(chunk_size=chunk_size))
    store.add_job(job, new_files(7))
    window = FileWindow(job, RunOrder(), store, tmp_path)

    taken = []
    while (file := window.read_next()) is not None:
        taken.append(file.number)

    assert taken == [1, 2, 3, 4, 5, 6, 7]
    assert store.chunks == chunks
    store.close()


def test_a_dry_run_asks_for_room_beside_the_loop_and_makes_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, ask = threading.Event(), shutil.disk_usage

    def hang(place: Path) -> object:
        answers.wait(HANG_SECONDS)
        return ask(place)

    monkeypatch.setattr(shutil, "disk_usage", hang)
    monkeypatch.setattr(file_window, "MOST_LOOKS", 1_000_000)
    job = stored_job(options=JobOptions(dry_run=True), output_path=os.fsencode(tmp_path / "out"))
    store = JobStore(tmp_path / "state")
    window = FileWindow(job, RunOrder(), store, tmp_path)

    is_prepared = window.prepare_folder()
    answers.set()
    wait_until(window.prepare_folder, "the disk answers")

    assert not is_prepared
    assert window.free_bytes > 0
    assert not (tmp_path / "out").exists()
    store.close()
