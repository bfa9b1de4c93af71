"""Tasks for which the machine has no process to give."""

from __future__ import annotations

import errno
import queue
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.model.tasks import Failure, InspectTask, Source, Task
from ocr_worker.processes import pool as pools
from ocr_worker.processes import shortage
from ocr_worker.processes.guard import Guard
from ocr_worker.processes.pool import PagePool, TaskEnded
from ocr_worker.processes.slot import Duty, Slot
from ocr_worker.settings import Settings

LIMIT = 30
SHORTAGES = [errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM]


class Machine:
    """Gives as many processes as `room` says, and refuses others with `error`."""

    def __init__(self, room: int, error: int) -> None:
        self.room, self.error, self.given = room, error, 0

    def start(self, settings: Settings, post: object, fatal: str, duty: Duty) -> Slot:
        if self.given >= self.room:
            raise OSError(self.error, "no room")
        self.given += 1
        return Slot(settings, post, fatal, duty)  # type: ignore[arg-type]


def _task(folder: Path) -> Task:
    return InspectTask(Source(str(folder / "missing.png")))


def _ends(pool: PagePool, inbox: queue.SimpleQueue[Any], count: int) -> list[TaskEnded]:
    ends: list[TaskEnded] = []
    while len(ends) < count:
        ends += pool.handle(inbox.get(timeout=LIMIT))
        pool.tick()
    return ends


@pytest.mark.parametrize("error", SHORTAGES, ids=errno.errorcode.get)
def test_without_room_for_a_second_process_the_first_does_both_tasks(
    error: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    monkeypatch.setattr(pools, "Slot", Machine(1, error).start)
    pool = PagePool(2, Settings(tmp_path / "state", page_processes=2), Guard(), inbox.put)
    try:
        pool.start(1, _task(tmp_path), LIMIT)
        pool.start(2, _task(tmp_path), LIMIT)
        assert (pool.free(), pool.tickets()) == (0, {1, 2})

        ends = _ends(pool, inbox, 2)
    finally:
        pool.close()

    assert [ended.ticket for ended in ends] == [1, 2]
    assert all(isinstance(ended.outcome, Failure) and ended.outcome.code == "not_found" for ended in ends)
    assert len([record for record in caplog.records if "going on with fewer" in record.message]) == 1


def test_without_room_for_any_process_a_task_fails_after_a_while_and_may_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "Slot", Machine(0, errno.EMFILE).start)
    monkeypatch.setattr(shortage, "TRY_SECONDS", 0.0)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    pool = PagePool(1, Settings(tmp_path / "state", page_processes=1), Guard(), inbox.put)

    pool.start(1, _task(tmp_path), LIMIT)
    pool.tick()
    assert inbox.empty()
    monkeypatch.setattr(shortage, "STARVED_SECONDS", 0.0)
    pool.tick()
    lost = inbox.get(timeout=LIMIT)
    assert pool.owns(lost)
    (ended,) = pool.handle(lost)

    assert isinstance(ended.outcome, Failure)
    assert (ended.ticket, ended.outcome.code, ended.outcome.retryable) == (1, "crashed", True)
    assert "no room" in ended.outcome.message
    assert (pool.free(), pool.next_tick()) == (1, None)


def test_what_waits_for_a_process_is_forgotten_when_it_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "Slot", Machine(0, errno.EAGAIN).start)
    monkeypatch.setattr(shortage, "STARVED_SECONDS", 0.0)
    pool = PagePool(1, Settings(tmp_path / "state", page_processes=1), Guard(), lambda _: None)
    pool.start(1, _task(tmp_path), LIMIT)

    pool.kill({1})

    assert (pool.free(), pool.next_tick()) == (1, None)


def test_what_waiting_does_not_mend_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "Slot", Machine(0, errno.ENOSPC).start)
    pool = PagePool(1, Settings(tmp_path / "state", page_processes=1), Guard(), lambda _: None)

    with pytest.raises(OSError, match="no room"):
        pool.start(1, _task(tmp_path), LIMIT)
