"""What a pool makes of answers and ends that cross."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ocr_worker.model.tasks import Failure, InspectTask, Source
from ocr_worker.processes.guard import Guard
from ocr_worker.processes.pool import PagePool, TaskEnded
from ocr_worker.processes.slot import SlotMessage
from ocr_worker.settings import Settings
from tests.limits import HANG_SECONDS


@contextmanager
def pool_of_one(state: Path, inbox: queue.SimpleQueue[SlotMessage]) -> Iterator[PagePool]:
    pool = PagePool(1, Settings(state, page_processes=1), Guard(), inbox.put)
    try:
        yield pool
    finally:
        pool.close()


def test_a_task_is_not_given_to_a_process_whose_last_answer_came_as_it_was_killed(tmp_path: Path) -> None:
    inbox: queue.SimpleQueue[SlotMessage] = queue.SimpleQueue()
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


def test_time_in_which_the_owner_was_stopped_is_not_the_tasks(tmp_path: Path) -> None:
    inbox: queue.SimpleQueue[SlotMessage] = queue.SimpleQueue()
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
