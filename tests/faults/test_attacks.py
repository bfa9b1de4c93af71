"""Others on the same machine: who swaps our folders, hides processes from us, stops them, or loosens our pipes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_worker.files.liveness import own_mark
from ocr_worker.store.job_lock import JobLock
from tests.e2e import tree
from tests.e2e.tree import wait_until
from tests.faults import attackers, documents, pictures
from tests.faults.documents import long_scan
from tests.faults.host import Spawn, Worker, codes, nothing_is_left, running
from tests.limits import HANG_SECONDS

THEIRS = b"theirs, and precious"


def _copies(page: Path, number: int) -> list[Path]:
    return [Path(shutil.copy(page, page.with_name(f"doc{n}.png"))) for n in range(number)]


@pytest.mark.parametrize("number", [8, pytest.param(150, marks=pytest.mark.faults_long)])
def test_an_output_folder_that_changes_places_all_the_time_costs_nobody_a_file(
    number: int, worker: Worker, tmp_path: Path, page: Path, out: Path
) -> None:
    """With a link to a foreign folder, in which files have the names of our outputs."""
    files, foreign, link = _copies(page, number), tmp_path / "foreign", tmp_path / "link"
    worker.batch(files, out)
    shutil.copytree(out, foreign)
    link.symlink_to(foreign)
    for path in foreign.iterdir():
        path.write_bytes(THEIRS)
    before = sorted(foreign.iterdir())
    options = {"on_existing": "overwrite", "stop_on_error_threshold": 1.0}
    job = worker.start_batch(files, out, **options)
    worker.wait(lambda event: event["type"] == "progress" and event["job_id"] == job)

    with attackers.toggled(out, link):
        ended = worker.ended(job)

    assert {path: path.read_bytes() for path in foreign.iterdir()} == dict.fromkeys(before, THEIRS)
    assert set(codes(ended).values()) <= {"output_permission"}
    assert len(ended["successful"]) + len(ended["failed"]) == number
    assert len(worker.batch(files, out, **options)["successful"]) == number
    nothing_is_left(tmp_path)


@pytest.mark.parametrize(("kind", "swapped"), [("pdf", "file"), ("png", "folder")])
def test_a_file_that_was_found_and_changes_places_with_a_link_all_the_time_is_never_followed(
    kind: str, swapped: str, worker: Worker, tmp_path: Path, out: Path
) -> None:
    """To what only we may read. (`tests/pages/test_held_sources.py` swaps at the worst moments.)"""
    found, secret = tmp_path / "found" / "deep", tmp_path / "secret"
    for place, word in ((found, "Harmless"), (secret, "Quincunx")):
        place.mkdir(parents=True)
        content = documents.whole(documents.scan(*[word] * 4)) if kind == "pdf" else _sheet(word)
        (place / f"doc.{kind}").write_bytes(content)
    file, link = found / f"doc.{kind}", found.parent / "link"
    link.symlink_to(secret / file.name if swapped == "file" else secret)
    options = {"no_links_below": [str(found.parent)], "retries": 0, "on_existing": "overwrite"}

    file.rename(found.parent / "aside")
    file.symlink_to(secret / file.name)
    assert codes(worker.batch([file], out, **options)) == {file.name: "not_regular"}
    (found.parent / "aside").replace(file)
    verdicts = []
    with attackers.toggled(file if swapped == "file" else found, link):
        for _ in range(4):
            ended = worker.batch([file], out, **options)
            verdicts += [codes(ended).get(file.name, "good")]
            assert not any(b"Quincunx" in path.read_bytes() for path in out.glob("doc*.txt"))

    assert set(verdicts) <= {"good", "not_regular", "changed", "not_found"}, verdicts
    assert len(worker.batch([file], out, **options)["successful"]) == 1
    assert "Harmless" in (out / "doc.txt").read_text(encoding="utf-8")


def _sheet(word: str) -> bytes:
    return pictures.saved(pictures.sheet(word), "PNG", dpi=(200, 200))


@pytest.mark.parametrize("proc", attackers.PROC_SEEN_BY)
def test_who_can_not_see_the_living_does_not_take_them_for_dead(
    proc: str, tmp_path: Path, page: Path, out: Path
) -> None:
    """This process is hidden to the worker: as its host, and as one at work in the same folder."""
    out.mkdir()
    part = out / f".ocr-{own_mark()}-0123456789abcdef.part"
    part.write_bytes(THEIRS)

    with running(tmp_path / "home", attackers.seeing(proc)) as worker:
        worker.ask("hello", parent_pid=os.getpid())
        ends = [worker.batch([page], out, on_existing=mode) for mode in ("skip", "suffix")]

        assert [len(end["successful"]) for end in ends] == [1, 1], worker.log_text()
        worker.send("shutdown", mode="drain")
        assert worker.exit_code() == 0
    assert part.read_bytes() == THEIRS


@pytest.mark.parametrize("proc", attackers.PROC_SEEN_BY)
def test_the_lock_of_a_worker_that_can_not_be_seen_is_held_and_that_of_a_dead_one_is_not(
    proc: str, tmp_path: Path, out: Path
) -> None:
    with running(tmp_path / "home") as first, running(tmp_path / "home", attackers.seeing(proc)) as second:
        job = first.start_batch([long_scan(tmp_path)], out)
        first.hold.wait()

        states = {one["state"] for one in second.ask("list_jobs")["data"]["jobs"]}
        refused = second.ask("resume", job_id=job)

        assert states == {"running"}
        assert refused["data"]["code"] == "job_active"
        first.process.send_signal(signal.SIGKILL)
        first.exit_code()
        assert {one["state"] for one in second.ask("list_jobs")["data"]["jobs"]} == {"interrupted"}
        first.hold.let_go()
        second.send("resume", job_id=job)
        assert second.ended(job)["failed"] == []
    nothing_is_left(out)


@pytest.mark.parametrize("proc", attackers.PROC_SEEN_BY)
def test_a_lock_is_listed_though_its_holder_can_not_be_seen(proc: str, tmp_path: Path) -> None:
    words = [
        *attackers.seeing(proc).wrapper,
        sys.executable,
        "-m",
        "ocr_worker",
        "locks",
        "--json",
        "--clean-stale",
    ]
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "stale.lock").touch()

    with JobLock(tmp_path / "jobs", "held"):
        environment = {**os.environ, "OCR_WORKER_STATE_DIR": str(tmp_path)}
        done = subprocess.run(words, env=environment, capture_output=True, timeout=HANG_SECONDS, check=False)

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(lock["job_id"], lock["held"], lock["holder"]) for lock in found["locks"]] == [
        ("held", True, None)
    ]
    assert found["removed"] == ["stale"]


def test_without_hard_links_what_was_there_is_replaced_all_the_same(
    tmp_path: Path, page: Path, out: Path
) -> None:
    with running(tmp_path / "home", attackers.without_links(tmp_path)) as worker:
        first = worker.batch([page], out)
        other = worker.batch([page], out, on_existing="overwrite")
        aside = worker.batch([page], out, on_existing="suffix")

    assert [len(end["successful"]) for end in (first, other, aside)] == [1, 1, 1], (first, other, aside)
    assert len(list(out.glob("page*"))) == 6
    nothing_is_left(out)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, which Linux has")
@pytest.mark.parametrize("stopped", ["page processes", "everything but the worker"])
def test_processes_that_were_stopped_go_with_their_worker(stopped: str, tmp_path: Path, out: Path) -> None:
    """Stopped, nobody sees the end of a pipe or a signal, so the system ends page processes, and wakes the guard."""
    with running(tmp_path / "home") as worker:
        worker.start_batch([long_scan(tmp_path)], out)
        worker.hold.wait()
        others = [one for one in tree.alive(worker.state) if one.pid != worker.process.pid]
        pages = tree.page_processes(worker.state)
        assert pages
        tree.stop(pages if stopped == "page processes" else others)

        worker.process.kill()
        worker.exit_code()

        tree.wait_gone(worker.state)
        worker.hold.let_go()
    with running(tmp_path / "home") as worker:
        (job,) = worker.ask("list_jobs")["data"]["jobs"]
        worker.send("resume", job_id=job["job_id"])
        assert worker.ended(job["job_id"])["failed"] == []
    nothing_is_left(out)


def test_a_batch_through_pipes_that_were_made_non_blocking_loses_no_line(tmp_path: Path, out: Path) -> None:
    """By whoever holds the other end: a host's event loop, a shell. The pipe is small, and is read slowly."""
    files = [tmp_path / f"missing{n}.png" for n in range(300)]
    loosen = (
        "import os, sys\n"
        "for stream in (0, 1, 2): os.set_blocking(stream, False)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'ocr_worker'])\n"
    )
    spawn = Spawn(command=(sys.executable, "-c", loosen), stdout=subprocess.PIPE)

    with running(tmp_path / "home", spawn) as worker:
        job = worker.start_batch(files, out, stop_on_error_threshold=1.0)
        data = worker.ended(job)
        told = [event for event in worker.events if event["data"].get("kind") == "file_done"]

        assert len(data["failed"]) == len(told) == len(files)
        assert worker.ask("ping")["type"] == "result"
        worker.send("shutdown", mode="drain")
        assert worker.exit_code() == 0


def test_words_on_a_picture_do_not_stay_where_its_job_is_gone(tmp_path: Path, out: Path) -> None:
    """Neither in the state folder nor among temporary files, whether the job ended, was deleted or its worker killed."""
    word = "Quincunx"
    page = tmp_path / "secret.png"
    page.write_bytes(pictures.saved(pictures.sheet(word), "PNG", dpi=(200, 200)))
    with running(tmp_path / "home") as worker:
        ended = worker.start_batch([page], out)
        worker.ended(ended)
        scan = long_scan(tmp_path)
        stopped = worker.start_batch([scan], out)
        worker.wait(lambda event: event["type"] == "progress" and event["data"]["current"] > 1)
        worker.send("cancel", job_id=stopped)
        worker.ended(stopped)
        wait_until(lambda: list((worker.state / "jobs").rglob("*.page")) != [], "a page is read")

        for job in (ended, stopped):
            assert worker.ask("delete_job", job_id=job)["type"] == "result"

        assert list((worker.state / "jobs").rglob("*.page")) == []
        kept = b"".join(path.read_bytes() for path in worker.state.rglob("*") if path.is_file())
    assert word.encode() not in kept
    assert word in (out / "secret.txt").read_text(encoding="utf-8")
