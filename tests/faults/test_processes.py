"""INPUTS.md, lines 71 and 72, and page processes that stop, starve or can't be started."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredPage
from tests.faults import documents, pictures
from tests.faults.cgroups import Group, limited
from tests.faults.host import Spawn, Worker, descendants, nothing_is_left, running, wait_gone
from tests.hold import held_name

MIB = 1 << 20
if sys.platform != "win32":
    import resource


@pytest.fixture
def cgroup() -> Iterator[Callable[[str, int], Group]]:
    """`cgroup("memory", 300 * MIB)`: a control group for one test."""
    with ExitStack() as stack:
        yield lambda controller, limit: stack.enter_context(limited(controller, limit))


def _join(group: Group) -> Spawn:
    return Spawn(before_exec=group.join, environment={"OCR_WORKER_PAGE_PROCESSES": "2"})


def test_a_page_process_that_is_stopped_costs_its_page_at_the_limit(
    tmp_path: Path, page: Path, out: Path
) -> None:
    file = held_name(tmp_path / "long.pdf", [2])
    file.write_bytes(documents.whole(documents.scan(*(f"Page {n}" for n in range(4)))))
    with running(tmp_path / "home", Spawn({"OCR_WORKER_PAGE_PROCESSES": "2"})) as worker:
        job = worker.start_batch([file, page], out, page_timeout_seconds=10)
        stopped = worker.hold.wait()

        stopped.suspend()

        data = worker.ended(job)
        assert data["status"] == "completed"
        assert data["failed"] == []
        long = next(e for e in data["successful"] if e["file"] == str(file))
        assert [(p["page"], p["code"]) for p in long["failed_pages"]] == [(2, "timeout")]
        wait_gone([stopped])
        nothing_is_left(out)


@pytest.mark.long
def test_a_page_killed_for_memory_is_tried_once_more_alone(
    cgroup: Callable[[str, int], Group], tmp_path: Path, out: Path
) -> None:
    files = []
    for name in ("one", "two"):
        files.append(tmp_path / f"{name}.png")
        files[-1].write_bytes(pictures.saved(pictures.sheet(size=(8_000, 8_000)), "PNG", dpi=(600, 600)))
    group = cgroup("memory", 4096 * MIB)
    with running(tmp_path / "home", _join(group)) as worker:
        worker.ask("hello")
        at_rest = group.used()
        assert worker.batch(files[:1], out)["failed"] == []
        alone = group.peak()

        # Room for one such page, not for two at a time.
        group.limit(alone + (alone - at_rest) // 4)
        data = worker.batch(files, out, on_existing="overwrite")

        assert data["failed"] == [], worker.log_text()
        assert data["statistics"]["worker_restarts"] >= 1
        assert data["statistics"]["retries"] >= 1
        assert worker.ask("ping")["type"] == "result"


def test_a_page_that_was_killed_is_alone_when_it_is_tried_again(tmp_path: Path, out: Path) -> None:
    """As the system kills for want of memory, where no control group can be had to make it."""
    file = held_name(tmp_path / "long.pdf", [1])
    file.write_bytes(documents.whole(documents.scan(*(f"Page {n}" for n in range(8)))))
    with running(tmp_path / "home", Spawn({"OCR_WORKER_PAGE_PROCESSES": "2"})) as worker:
        job = worker.start_batch([file], out)
        worker.hold.wait().kill()
        worker.hold.wait(2)
        with closing(JobStore(worker.state)) as store:
            again = _in_work(store, job)
        worker.hold.let_go()
        data = worker.ended(job)

    assert [(page.page, page.alone is not None) for page in again] == [(1, True)]
    assert data["failed"] == []
    assert data["successful"][0]["status"] == "completed"
    assert data["statistics"]["retries"] == 1


def _in_work(store: JobStore, job: str) -> list[StoredPage]:
    return [page for page in store.pages(job, 1) if page.status is None]


def test_a_page_that_takes_more_memory_than_there_is_fails_alone(
    cgroup: Callable[[str, int], Group], tmp_path: Path, page: Path, out: Path
) -> None:
    big = tmp_path / "big.png"
    big.write_bytes(pictures.saved(pictures.sheet(size=(10_000, 10_000)), "PNG", dpi=(600, 600)))
    group = cgroup("memory", 4096 * MIB)
    with running(tmp_path / "home", _join(group)) as worker:
        worker.batch([page], out)

        group.limit(group.anonymous() + 60 * MIB)
        data = worker.batch([big, page], out, on_existing="overwrite")

        assert [e["code"] for e in data["failed"]] == ["crashed"]
        assert data["failed"][0]["retryable"] is True
        assert [e["file"] for e in data["successful"]] == [str(page)]
        assert worker.ask("ping")["type"] == "result"


def test_a_batch_of_which_half_fails_stops_after_ten_files(
    worker: Worker, tmp_path: Path, page: Path, out: Path
) -> None:
    files = [page]
    for number in range(20):
        files.append(tmp_path / f"{number}.png")
        files[-1].write_bytes(b"")

    job = worker.start_batch(files, out, max_workers=1)
    data = worker.ended(job)

    assert (data["status"], data["reason"]) == ("stopped", "error_threshold")
    assert len(data["failed"]) + len(data["successful"]) == 10
    assert worker.ask("get_job", job_id=job)["data"]["stats"]["pending"] == 11
    assert len(worker.batch(files, tmp_path / "all", stop_on_error_threshold=1.0)["failed"]) == 20


def test_without_room_for_processes_the_worker_says_so_and_lives(
    cgroup: Callable[[str, int], Group], tmp_path: Path, page: Path, out: Path
) -> None:
    group = cgroup("pids", 12)

    with running(tmp_path / "home", _join(group)) as worker:
        worker.ask("hello")
        group.limit(1)
        worker.send("ocr_batch", id=1, files=[str(page)], output_dir=str(out))
        event = worker.wait(lambda e: e.get("id") == 1 and e["type"] in ("result", "error"))

        assert event["type"] == "error" or event["data"]["failed"], event
        assert worker.ask("ping")["type"] == "result"
        group.limit("max")
        assert len(worker.batch([page], out / "later")["successful"]) == 1


def test_without_file_descriptors_the_worker_says_so_and_lives(tmp_path: Path, page: Path, out: Path) -> None:
    with running(tmp_path / "home") as worker:
        worker.ask("hello")
        used = len(list(Path(f"/proc/{worker.process.pid}/fd").iterdir()))
        usual = resource.prlimit(worker.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(worker.process.pid, resource.RLIMIT_NOFILE, (used + 5, usual[1]))

        worker.send("ocr_batch", id=1, files=[str(page)], output_dir=str(out))
        event = worker.wait(lambda e: e.get("id") == 1 and e["type"] in ("result", "error"))

        assert event["type"] == "error" or event["data"]["failed"] or event["data"]["successful"], event
        assert worker.ask("ping")
        resource.prlimit(worker.process.pid, resource.RLIMIT_NOFILE, usual)
        assert len(worker.batch([page], out / "later")["successful"]) == 1


@pytest.mark.parametrize("limit", [4, 8, 12, 16, 24])
def test_a_worker_started_with_few_descriptors_answers_or_exits_with_a_code(
    limit: int, tmp_path: Path
) -> None:
    spawn = Spawn(before_exec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))

    with running(tmp_path / "home", spawn) as worker:
        with contextlib.suppress(OSError, AssertionError):
            worker.send("ping", id=1)
            worker.wait(lambda e: e.get("id") == 1)
        answered = any(e.get("id") == 1 for e in worker.events)
        assert worker.process.stdin
        with contextlib.suppress(OSError):
            worker.process.stdin.close()

        assert worker.exit_code() == 0 if answered else worker.exit_code() in (1, 2)
        assert descendants(worker.process.pid) == []


def test_the_pages_of_a_torn_file_say_what_became_of_each(worker: Worker, tmp_path: Path, out: Path) -> None:
    frames = [pictures.sheet("First"), pictures.sheet("Second", size=(3000, 3000)), pictures.sheet("Third")]
    file = tmp_path / "frames.tiff"
    file.write_bytes(
        pictures.saved(frames[0], "TIFF", save_all=True, append_images=frames[1:], dpi=(200, 200))
    )

    (entry,) = worker.batch([file], out, max_pixels=1_000_000)["successful"]

    assert entry["status"] == "completed_with_errors"
    assert [(p["page"], p["code"]) for p in entry["failed_pages"]] == [(2, "too_large")]
    pages = json.loads(Path(entry["outputs"]["json"]).read_bytes())["pages"]
    assert [p["status"] for p in pages] == ["ok", "failed", "ok"]
    assert pages[1]["error"]["code"] == "too_large"
    assert Path(entry["outputs"]["txt"]).read_text(encoding="utf-8").split() == ["First", "Third"]
