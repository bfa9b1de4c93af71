"""INPUTS.md, line 67, and a state database that is locked, damaged or from a newer version."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults import documents
from tests.faults.host import Event, Worker, nothing_is_left, running
from tests.faults.injection import failing
from tests.long_rows import first


@pytest.mark.parametrize("write", [4, 9, 14, 23])
def test_a_kill_in_a_write_of_the_store_leaves_the_state_before(
    write: int, tmp_path: Path, out: Path
) -> None:
    file, state = tmp_path / "long.pdf", tmp_path / "home" / "state"
    file.write_bytes(documents.whole(documents.scan("One", "Two", "Three", "Four")))
    doomed = failing(f"pwrite64:signal=KILL:when={write}", at=state / "jobs.sqlite3-wal")
    with running(tmp_path / "home", doomed) as worker:
        worker.send("ocr_batch", files=[str(file)], output_dir=str(out))
        worker.exit_code()

    with closing(sqlite3.connect(state / "jobs.sqlite3")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with running(tmp_path / "home") as worker:
        jobs = worker.ask("list_jobs")["data"]["jobs"]
        assert {job["state"] for job in jobs} <= {"interrupted", "completed"}
        for job in jobs:
            if job["state"] == "interrupted":
                worker.send("resume", job_id=job["job_id"])
                assert worker.ended(job["job_id"])["status"] == "completed"
            assert (out / "long.pdf").exists()
    nothing_is_left(out)


def test_a_store_that_another_process_holds_for_a_moment_costs_a_moment(
    worker: Worker, page: Path, out: Path
) -> None:
    worker.batch([page], out)
    with closing(sqlite3.connect(worker.state / "jobs.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        worker.send("ocr_batch", id="held", files=[str(page)], output_dir=str(out / "2"))
        worker.send("ping", id="meanwhile")
        other.execute("ROLLBACK")

        event = worker.wait(lambda e: e.get("id") == "held")

    assert event["type"] == "info", event
    assert worker.ended(event["job_id"])["status"] == "completed"


@pytest.mark.faults_long
def test_a_store_that_another_process_holds_for_long_is_an_error_and_no_end(
    worker: Worker, page: Path, out: Path
) -> None:
    worker.batch([page], out)
    with closing(sqlite3.connect(worker.state / "jobs.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        answer = worker.ask("ocr_batch", files=[str(page)], output_dir=str(out / "2"))

    assert answer["data"]["code"] == "busy", answer
    assert answer["data"]["retryable"] is True
    assert len(worker.batch([page], out / "3")["successful"]) == 1


def test_a_worker_whose_state_folder_was_deleted_goes_on_with_a_new_one(
    tmp_path: Path, page: Path, out: Path
) -> None:
    with running(tmp_path / "home") as worker:
        worker.batch([page], out)
        shutil.rmtree(worker.state)

        job = worker.start_batch([page], out / "2")
        data = worker.ended(job)

        assert [e["file"] for e in data["successful"]] == [str(page)], data
        assert [one["job_id"] for one in worker.ask("list_jobs")["data"]["jobs"]] == [job]
        assert Path(data["manifest"]).is_file()
    assert "can't be" not in worker.log_text()


@pytest.mark.parametrize("batches_before", [1, 0])
def test_a_state_folder_deleted_in_mid_run_is_said_so_and_costs_that_run_at_most(
    batches_before: int, tmp_path: Path, page: Path, out: Path
) -> None:
    with running(tmp_path / "home") as worker:
        for _ in range(batches_before):
            worker.batch([page], out)
        job = worker.start_batch([documents.long_scan(tmp_path)], out)
        worker.wait(lambda e: e["type"] == "progress" and e["data"]["current"] > 2)
        _delete(worker.state)
        worker.hold.let_go()

        event = worker.wait(lambda e: e.get("job_id") == job and e["type"] in ("result", "error"))

        assert event["type"] == "result" or "deleted" in event["data"]["message"], event
        assert len(worker.batch([page], out / "2")["successful"]) == 1


def _delete(folder: Path) -> None:
    """At once, although the worker goes on putting files into it."""
    shutil.rmtree(folder.rename(folder.with_name("deleted")), ignore_errors=True)


def _damage_head(database: Path) -> None:
    database.write_bytes(b"this is no database" * 500)


def _damage_inside(database: Path) -> None:
    content = bytearray(database.read_bytes())
    content[4096:] = b"\xaa" * len(content[4096:])
    database.write_bytes(content)


def _make_newer(database: Path) -> None:
    with closing(sqlite3.connect(database)) as store:
        store.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("harm", [_damage_head, _damage_inside, _make_newer])
@pytest.mark.parametrize("command", first(1, ["ocr_batch", "list_jobs"]))
def test_a_store_that_can_not_be_read_is_said_so_and_left_alone(
    harm: object, command: str, tmp_path: Path, page: Path, out: Path
) -> None:
    with running(tmp_path / "home") as worker:
        worker.batch([page], out)
    database = worker.state / "jobs.sqlite3"
    with closing(sqlite3.connect(database)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert callable(harm)
    harm(database)
    before = database.read_bytes()

    with running(tmp_path / "home") as worker:
        fields: Event = {"files": [str(page)], "output_dir": str(out)} if command == "ocr_batch" else {}
        answer = worker.ask(command, **fields)

        assert answer["type"] == "error", answer
        assert answer["data"]["code"] == "internal"
        assert "jobs.sqlite3" in answer["data"]["message"]
        assert worker.ask("ping")["type"] == "result"
        worker.send("shutdown", mode="now")
        assert worker.exit_code() == 0
    assert database.read_bytes() == before
