"""The loop waits for no disk of a user: what is planned comes from a thread, in order, no further ahead than it must be."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.errors import OutputPermissionError, UnreachableError
from ocr_worker.jobs import planner as module
from ocr_worker.jobs.planner import AHEAD, Planner
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.model.jobs import JobOptions, JobRequest
from ocr_worker.settings import Settings
from ocr_worker.store.records import NewFile
from tests.faults import pictures
from tests.limits import HANG_SECONDS


def file(number: int) -> NewFile:
    return NewFile(str(number), b"", None, None)


def drain(planner: Planner) -> list[NewFile]:
    files, is_done = list[NewFile](), False
    while not is_done:
        some, is_done = planner.take(0.05)
        files += some
    return files


def test_what_is_planned_comes_whole_and_in_order() -> None:
    planner = Planner(lambda: map(file, range(5000)))

    assert drain(planner) == [file(number) for number in range(5000)]


def test_no_more_is_planned_ahead_than_there_is_room_for() -> None:
    made, full = list[int](), threading.Event()

    def plan() -> Iterator[NewFile]:
        for number in range(AHEAD * 3):
            made.append(number)
            if len(made) == AHEAD + 1:
                full.set()
            yield file(number)

    planner = Planner(plan)
    assert full.wait(HANG_SECONDS)

    assert len(made) == AHEAD + 1
    planner.stop()


def test_time_in_which_the_process_was_stopped_is_not_the_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    now, woken = [0.0], threading.Event()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def plan() -> Iterator[NewFile]:
        woken.wait(HANG_SECONDS)
        yield file(1)

    planner = Planner(plan)
    now[0] += module.PATIENCE_SECONDS + 1
    after_a_stop = planner.take(0)
    while now[0] < 2 * module.PATIENCE_SECONDS + 2:
        still_waiting = planner.take(0)
        now[0] += module.GAP_SECONDS / 2
    with pytest.raises(UnreachableError):
        planner.take(0)
    woken.set()

    assert after_a_stop == still_waiting == ([], False)


def test_who_asks_while_nothing_is_planned_does_not_wait() -> None:
    woken = threading.Event()

    def plan() -> Iterator[NewFile]:
        woken.wait()
        yield file(1)

    planner = Planner(plan)

    assert planner.take(0.0) == ([], False)
    woken.set()
    assert drain(planner) == [file(1)]


def test_what_planning_raises_is_raised() -> None:
    def plan() -> Iterator[NewFile]:
        yield file(1)
        raise OutputPermissionError("no")

    with pytest.raises(OutputPermissionError):
        drain(Planner(plan))


def test_a_plan_that_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    woken = threading.Event()
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.1)

    def plan() -> Iterator[NewFile]:
        woken.wait()
        yield file(1)

    with pytest.raises(UnreachableError):
        drain(Planner(plan))
    woken.set()


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    with Runtime(Settings(tmp_path / "state", 1)) as runtime:
        yield runtime


@pytest.fixture
def dead_share(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Whatever is asked of /dead, of any drive, hangs in this process until the test ends; the event says that somebody has asked."""
    asked, woken, real = threading.Event(), threading.Event(), os.stat

    def stat(path: Any, **options: Any) -> os.stat_result:
        if os.path.splitdrive(path)[1].replace(os.sep, "/").startswith("/dead/"):
            asked.set()
            woken.wait()
        return real(path, **options)

    monkeypatch.setattr("ocr_worker.files.bounded.os.stat", stat)
    yield asked
    woken.set()


@pytest.mark.slow
def test_an_input_on_a_share_that_hangs_costs_itself_and_the_loop_answers_meanwhile(
    runtime: Runtime, dead_share: threading.Event, tmp_path: Path
) -> None:
    page = tmp_path / "page.png"
    page.write_bytes(pictures.png())
    request = JobRequest(
        ("/dead/a.pdf", str(page)), tmp_path / "out", str(tmp_path / "out"), JobOptions(), 0, {}
    )
    future = runtime.submit(lambda service: service.admit(request)).result()
    assert dead_share.wait(HANG_SECONDS)

    answered_meanwhile = runtime.call(lambda service: service.state)
    was_planned = future.done()
    accepted = future.result(HANG_SECONDS)
    with runtime.subscribe(accepted.job_id) as events:
        ends = list(events)

    assert (answered_meanwhile, was_planned) == ("running", False)
    files = runtime.call(lambda service: service.store.files(accepted.job_id, None, 0, 9))
    assert ends
    assert [(one.state, one.name) for one in files] == [("failed", b"a"), ("completed", b"page")]
