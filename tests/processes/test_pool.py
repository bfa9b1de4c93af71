"""What a pool makes of answers and ends that cross."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.files.atomic import folder_id
from ocr_worker.files.sweep import remove_tree
from ocr_worker.model.tasks import (
    Composed,
    ComposeTask,
    Failure,
    InspectTask,
    OpenTask,
    PageSettings,
    PageTask,
    Source,
)
from ocr_worker.processes import slot
from ocr_worker.processes.guard import Guard
from ocr_worker.processes.landlock import version as landlock_version
from ocr_worker.processes.pool import KILL_SECONDS, PagePool, TaskEnded
from ocr_worker.processes.reach import Reach, reach_of
from ocr_worker.settings import Settings
from samples import save_blank_book, save_text_book
from tests.faults import pictures
from tests.limits import HANG_SECONDS

LIMIT = 30
PAGE = PageSettings(outputs=("txt",))


@contextmanager
def pool_of_one(state: Path, inbox: queue.SimpleQueue[Any]) -> Iterator[PagePool]:
    pool = PagePool(1, Settings(state, page_processes=1), Guard(), inbox.put)
    try:
        yield pool
    finally:
        pool.close()


def test_a_task_is_not_given_to_a_process_whose_last_answer_came_as_it_was_killed(tmp_path: Path) -> None:
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    missing = InspectTask(Source(str(tmp_path / "missing.png")))
    with pool_of_one(tmp_path / "state", inbox) as pool:
        pool.start(1, missing, 0)
        answer = inbox.get(timeout=HANG_SECONDS)
        pool.tick()
        first = pool.handle(answer)

        pool.start(2, missing, HANG_SECONDS)
        second = list[TaskEnded]()
        while not second:
            second = pool.handle(inbox.get(timeout=HANG_SECONDS))

    for number, (ended,) in ((1, first), (2, second)):
        assert ended.ticket == number
        assert isinstance(ended.outcome, Failure)
        assert ended.outcome.code == "not_found"


@pytest.mark.skipif(sys.platform == "win32", reason="waits by a pipe with a name in a folder")
@pytest.mark.parametrize(("number", "is_fatal"), [("SIGKILL", False), ("SIGILL", True)])
def test_the_runtime_is_done_without_where_loading_it_ended_a_process(
    number: str, *, is_fatal: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, inbox = tmp_path / "pipe", queue.SimpleQueue[Any]()
    page = tmp_path / "page.png"
    page.write_bytes(pictures.saved(pictures.sheet("Harvest moon", size=(1200, 400)), "PNG", dpi=(300, 300)))
    os.mkfifo(pipe)
    (tmp_path / "onnxruntime.py").write_text(f"open({str(pipe)!r}).read()", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pool_of_one(tmp_path / "state", inbox) as pool:
        pool.start(1, PageTask(Source(str(page)), PAGE, 1, str(tmp_path / "1.page")), LIMIT)
        with pipe.open("w"):  # which waits until it is being loaded
            os.kill(pool._slots[0].pid, getattr(signal, number))
            pool.handle(inbox.get(timeout=HANG_SECONDS))

        assert bool(pool._fatal) == is_fatal


def test_a_process_is_kept_for_the_next_job_into_the_same_folder_and_makes_way_for_one_into_another(
    tmp_path: Path,
) -> None:
    """A folder that was taken away and made anew is another."""
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    output = tmp_path / "out"
    output.mkdir()
    seen = []
    with pool_of_one(tmp_path / "state", inbox) as pool:
        for step in ("first", "same", "made anew", "another"):
            if step == "made anew":
                output.rename(tmp_path / "old")
                output.mkdir()
            folder = tmp_path / "other" if step == "another" else output
            folder.mkdir(exist_ok=True)
            pool.warm(1, PAGE, (str(folder), folder_id(folder)))
            pool.start(1, InspectTask(Source(str(tmp_path / "missing.png"))), LIMIT)
            while True:
                message = inbox.get(timeout=LIMIT)
                if pool.handle(message):
                    break
            seen.append(message.slot.pid)

    assert seen[0] == seen[1]
    assert len(set(seen)) == 3


def test_a_process_of_another_job_reads_pages_while_one_that_may_write_is_started(tmp_path: Path) -> None:
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    place = Source(str(tmp_path / "missing.png"))
    pool = PagePool(2, Settings(tmp_path / "state", page_processes=2), Guard(), inbox.put)
    workers = []
    try:
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            pool.warm(1, PAGE, (str(tmp_path / name), None))
            pool.start(1, OpenTask(place, PAGE), LIMIT)
            opened = _worker(pool, inbox)
            target = {"txt": str(tmp_path / name / "scan.txt")}
            pool.start(2, ComposeTask(place, PAGE, 1, "", str(tmp_path), target), LIMIT)
            workers.append((opened, _worker(pool, inbox)))
    finally:
        pool.close()

    (opened, composed), (opened_again, composed_again) = workers
    assert opened == composed == opened_again
    assert composed_again != composed


def test_the_first_of_each_kind_that_a_process_does_is_told_from_the_next_ones(tmp_path: Path) -> None:
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    blank, text = Source(str(tmp_path / "blank.pdf")), Source(str(tmp_path / "text.pdf"))
    save_blank_book(tmp_path / "blank.pdf", 1)
    save_text_book(tmp_path / "text.pdf", 1)
    results = tmp_path / "state/jobs/job"
    results.mkdir(parents=True)
    told = []
    with pool_of_one(tmp_path / "state", inbox) as pool:
        for number, source in enumerate((blank, text, text, blank)):
            for task in (OpenTask(source, PAGE), PageTask(source, PAGE, 1, str(results / f"{number}.page"))):
                pool.start(1, task, LIMIT)
                ended = list[TaskEnded]()
                while not ended:
                    ended = pool.handle(inbox.get(timeout=HANG_SECONDS))
                told.append((getattr(ended[0].outcome, "status", "opened"), ended[0].is_first))

    assert told == [
        ("opened", True), ("blank", True), ("opened", False), ("has_text", True),
        ("opened", False), ("has_text", False), ("opened", False), ("blank", False),
    ]  # fmt: skip


def test_only_an_engine_that_runs_a_command_has_processes_that_may_start_one() -> None:
    source, place = Source("/scan.png"), "/state/jobs/1/1/1.page"
    inside = PageTask(source, PageSettings(engine="tesserocr"), 1, place)
    outside = PageTask(source, PageSettings(engine="tesseract"), 1, place)

    assert [reach_of(task).commands for task in (inside, outside, InspectTask(source))] == [
        False,
        True,
        False,
    ]


def test_outputs_go_into_the_folder_that_the_run_began_with() -> None:
    task = ComposeTask(
        Source("/scan.png"), PAGE, 1, "", "/state/jobs/1/1", {"txt": "/out/scan.txt"}, folder=(1, 2)
    )

    need = reach_of(task)

    folder = str(Path("/out"))
    out, other = frozenset({(folder, (1, 2))}), frozenset({(folder, (1, 3))})
    assert need == Reach(out, results=True)
    assert need.covers(reach_of(InspectTask(Source("/scan.png"))))
    assert Reach(out | other, results=True).covers(need)
    assert not Reach(other, results=True).covers(need)
    assert not Reach(out, results=True, commands=True).covers(need)


@pytest.mark.skipif(landlock_version() < 1, reason="this kernel has no Landlock")
def test_outputs_come_into_a_folder_that_is_another_without_saying_so(tmp_path: Path) -> None:
    """As a share may make of it: the process was allowed the one that had the name before."""
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    output, results, source = tmp_path / "out", tmp_path / "state" / "jobs" / "1" / "1", tmp_path / "scan.png"
    for folder in (output, results):
        folder.mkdir(parents=True)
    source.write_bytes(
        pictures.saved(pictures.sheet("Harvest moon", size=(1200, 400)), "PNG", dpi=(300, 300))
    )
    place = Source(str(source))
    compose = ComposeTask(place, PAGE, 1, "", str(results), {"txt": str(output / "scan.txt")})
    with pool_of_one(tmp_path / "state", inbox) as pool:
        pool.warm(1, PAGE, (str(output), None))
        pool.start(1, PageTask(place, PAGE, 1, str(results / "1.page")), LIMIT)
        _end(pool, inbox)
        output.rename(tmp_path / "old")
        output.mkdir()

        pool.start(2, compose, LIMIT)
        ended = _end(pool, inbox)

    assert isinstance(ended.outcome, Composed), ended.outcome
    assert (output / "scan.txt").read_text(encoding="utf-8").strip() == "Harvest moon"


def _worker(pool: PagePool, inbox: queue.SimpleQueue[Any]) -> int:
    """The process that gave the next outcome."""
    while True:
        message = inbox.get(timeout=LIMIT)
        if pool.handle(message):
            return int(message.slot.pid)


def _end(pool: PagePool, inbox: queue.SimpleQueue[Any]) -> TaskEnded:
    while True:
        for ended in pool.handle(inbox.get(timeout=LIMIT)):
            return ended


def test_time_in_which_the_owner_was_stopped_is_not_the_tasks(tmp_path: Path) -> None:
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    missing = InspectTask(Source(str(tmp_path / "missing.png")))
    with pool_of_one(tmp_path / "state", inbox) as pool:
        pool.start(1, missing, 0)

        pool.shift(HANG_SECONDS)
        pool.tick()
        ended = list[TaskEnded]()
        while not ended:
            ended = pool.handle(inbox.get(timeout=HANG_SECONDS))

    assert isinstance(ended[0].outcome, Failure)
    assert ended[0].outcome.code == "not_found"


def test_a_pool_that_closes_leaves_nothing_of_processes_that_take_a_while_to_be_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a busy machine, where what runs at low priority also dies slowly."""
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def late(folder: Path) -> None:
        threading.Event().wait(2 * KILL_SECONDS)
        remove_tree(folder)

    with pool_of_one(tmp_path / "state", inbox) as pool:
        pool.warm(1, None)
        monkeypatch.setattr(slot, "remove_tree", late)

    assert not (tmp_path / "state" / "tmp").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="stops a process")
def test_a_process_that_does_not_end_costs_its_task_and_those_that_would_follow_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that a dead share holds in the kernel: stopped, and no signal ends it."""
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    away, there = (InspectTask(Source(str(tmp_path / folder / "page.png"))) for folder in ("away", "there"))
    with pool_of_one(tmp_path / "state", inbox) as pool:
        pool.warm(1, None)
        pool.handle(inbox.get(timeout=HANG_SECONDS))
        held = pool._slots[0].pid
        os.kill(held, signal.SIGSTOP)
        with monkeypatch.context() as patch:
            patch.setattr(os, "killpg", lambda *_: None)
            patch.setattr("ocr_worker.processes.pool.STUCK_SECONDS", 0)
            pool.start(1, away, 0)
            pool.tick()
            # As soon as it is known that it does not end.
            pool.tick()
            lost = _end(pool, inbox)
            pool.start(2, away, HANG_SECONDS)
            not_tried = _end(pool, inbox)
        pool.start(3, there, HANG_SECONDS)
        elsewhere = _end(pool, inbox)
        os.kill(held, signal.SIGKILL)
        while pool._stuck:
            pool.handle(inbox.get(timeout=HANG_SECONDS))
        pool.start(4, away, HANG_SECONDS)
        again = _end(pool, inbox)

    found = [(one.ticket, getattr(one.outcome, "code", None)) for one in (lost, not_tried, elsewhere, again)]
    assert found == [(1, "unreachable"), (2, "unreachable"), (3, "not_found"), (4, "not_found")]
