"""A disk or share that does not answer, not even to SIGKILL, costs the files on it and nothing else."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.e2e.tree import wait_until
from tests.faults import documents, pictures
from tests.faults.host import Event, Spawn, Worker, codes, descendants, running, wait_gone
from tests.faults.privileges import CAP_SYS_ADMIN, need
from tests.faults.share import shared

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs FUSE, which Linux has")
HURRY = {"page_timeout_seconds": 30, "file_timeout_seconds": 5}
PATIENT = 300


@pytest.fixture(autouse=True)
def _may_mount() -> None:
    need(CAP_SYS_ADMIN, "mount a file system")


def test_files_on_a_share_that_hangs_are_lost_alone(tmp_path: Path, page: Path, out: Path) -> None:
    """The process that reads one can't be killed. The next file of the folder is not waited for, and others are read."""
    names = [f"away{number}.png" for number in range(4)]
    with (
        shared(tmp_path / "share", dict.fromkeys(names, pictures.png())) as share,
        running(tmp_path / "home") as worker,
    ):
        share.hang()
        job = worker.start_batch([*(share.place / name for name in names), page], out, **HURRY)
        ended = worker.ended(job, PATIENT)
        is_answered = worker.ask("ping")["type"] == "result"
        share.answer()
        # The one that was held is gone in a moment, and known to be.
        wait_until(lambda: _retried(worker, job)["failed"] == [], "all are read")

    assert [Path(entry["file"]).name for entry in ended["successful"]] == ["page.png"], ended
    assert codes(ended) == dict.fromkeys(names, "unreachable")
    assert is_answered


def _retried(worker: Worker, job: str) -> Event:
    worker.send("retry_failed", job_id=job)
    return worker.ended(job)


@pytest.mark.faults_long
def test_a_worker_that_a_share_holds_says_all_it_has_to_say(tmp_path: Path, page: Path) -> None:
    """The kernel ends no process that has a thread there: the host sees the end of stdout all the same."""
    with shared(tmp_path / "share", {}) as share:
        with running(tmp_path / "home") as worker:
            share.hang()
            worker.send("ocr_batch", id="away", files=[str(page)], output_dir=str(share.place), options={})
            wait_until(lambda: share.is_asked, "the share is asked")
            worker.send("shutdown", mode="now")
            with pytest.raises(AssertionError, match="the worker ended"):
                worker.wait(lambda _: False)
            is_held = worker.process.poll() is None
            share.answer()
            assert worker.exit_code() == 0
        assert is_held


def test_an_order_to_end_is_heard_though_the_state_folder_is_on_a_share_that_hangs(tmp_path: Path) -> None:
    """The thread in which signals are heard is in the kernel, so the guard looks whether one waits, and ends all others."""
    with shared(tmp_path / "share", {}) as share:
        spawn = Spawn({"OCR_WORKER_STATE_DIR": str(share.place / "state")})
        with running(tmp_path / "home", spawn) as worker:
            assert worker.ask("hello")["type"] == "result"
            others = descendants(worker.process.pid)
            share.hang()
            worker.send("list_jobs")
            wait_until(lambda: share.is_asked, "the share is asked")

            worker.process.send_signal(signal.SIGTERM)

            wait_gone(others)
            share.answer()
            assert worker.exit_code() == -signal.SIGKILL


@pytest.mark.faults_long
def test_language_data_on_a_share_that_hangs_costs_its_batch_alone(
    tmp_path: Path, page: Path, out: Path
) -> None:
    with (
        shared(tmp_path / "share", {"eng.traineddata": b"data"}) as share,
        running(tmp_path / "home") as worker,
    ):
        share.hang()
        worker.send(
            "ocr_batch",
            id="away",
            files=[str(page)],
            output_dir=str(out),
            options={"tessdata_dir": str(share.place)},
        )
        wait_until(lambda: share.is_asked, "the share is asked")

        pong = worker.ask("ping")
        refused = worker.wait(lambda event: event.get("id") == "away", PATIENT)
        after = worker.batch([page], out)
        share.answer()

    assert pong["type"] == "result"
    assert (refused["type"], refused["data"]["code"]) == ("error", "unreachable")
    assert after["failed"] == []


@pytest.mark.faults_long
def test_an_output_folder_that_hangs_when_its_turn_comes_holds_up_no_answer(
    tmp_path: Path, page: Path, out: Path
) -> None:
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(documents.whole(documents.scan("One", "Two")))
    with shared(tmp_path / "share", {}) as share, running(tmp_path / "home") as worker:
        first = worker.start_batch([scan], out)
        second = worker.start_batch([page], share.place)
        share.hang()
        worker.ended(first)
        wait_until(lambda: share.is_asked, "the share is asked")

        pong = worker.ask("ping")
        ended = worker.ended(second)
        share.answer()

    assert pong["type"] == "result"
    assert ended["code"] == "unreachable"
