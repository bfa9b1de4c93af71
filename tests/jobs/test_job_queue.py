"""Whose turn it is among jobs that wait."""

from __future__ import annotations

from ocr_worker.jobs.file_window import RunOrder
from ocr_worker.jobs.job_queue import JobQueue
from tests.store.records import stored_job

ORDER = RunOrder()


def queue_of(**priorities: int) -> JobQueue:
    """A queue with jobs of these names, in the order of the arguments."""
    queue = JobQueue()
    for job_id, priority in priorities.items():
        queue.add(stored_job(job_id, priority=priority), ORDER)
    return queue


def test_the_higher_priority_is_first_and_among_equals_the_earlier() -> None:
    assert queue_of(a=0, b=5, c=0, d=5, e=-1).ids() == ["b", "d", "a", "c", "e"]


def test_a_paused_job_is_passed_over_until_it_goes_on() -> None:
    queue = queue_of(a=1, b=0)

    paused = queue.set_paused(["a", "elsewhere"], paused=True)
    meanwhile = queue.peek()
    queue.set_paused(["a"], paused=False)
    after = queue.peek()

    assert paused == {"a"}
    assert meanwhile is not None
    assert meanwhile.job.job_id == "b"
    assert after is not None
    assert after.job.job_id == "a"


def test_when_all_are_paused_nobody_is_next() -> None:
    queue = queue_of(a=0)

    queue.set_paused(["a"], paused=True)

    assert queue.peek() is None
    assert (len(queue.waiting), queue.paused()) == (1, {"a"})


def test_one_job_or_all_are_taken_out() -> None:
    queue = queue_of(a=0, b=0, c=0)

    one = queue.pop("b")
    rest = queue.pop(None)

    assert [waiting.job.job_id for waiting in one] == ["b"]
    assert [waiting.job.job_id for waiting in rest] == ["a", "c"]
    assert queue.waiting == []
