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

LIMIT = 30


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
        answer = inbox.get(timeout=LIMIT)
        pool.tick()
        first = pool.handle(answer)

        pool.start(2, missing, LIMIT)
        second = list[TaskEnded]()
        while not second:
            second = pool.handle(inbox.get(timeout=LIMIT))

    for number, (ended,) in ((1, first), (2, second)):
        assert ended.ticket == number
        assert isinstance(ended.outcome, Failure)
        assert ended.outcome.code == "not_found"
