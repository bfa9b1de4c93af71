"""The heart beats at its interval, from a thread of its own, and tells what is at work when it is read."""

from __future__ import annotations

import queue
from typing import Any

import pytest

from ocr_worker.model.jobs import Doing
from ocr_worker.stdio.heartbeat import Heart
from tests.limits import HANG_SECONDS


class Work:
    """What a worker does."""

    def __init__(self) -> None:
        self.doing = Doing("running", "job", "/in/a.pdf", 3)

    def __call__(self) -> Doing:
        return self.doing


def make_heart() -> tuple[Heart, Work, queue.Queue[Any]]:
    sent, work = queue.Queue[Any](), Work()
    return Heart(sent.put, work), work, sent


def test_it_tells_what_is_at_work() -> None:
    heart, _, sent = make_heart()

    heart.beat_every(0.01)
    beat = sent.get(timeout=HANG_SECONDS)

    data = beat().data
    assert (data.kind, data.state, data.job_id, data.file, data.page) == (
        "heartbeat", "running", "job", "/in/a.pdf", 3,
    )  # fmt: skip
    heart.beat_every(None)


def test_a_beat_that_waited_to_be_read_does_not_tell_of_a_job_that_has_ended_meanwhile() -> None:
    heart, work, sent = make_heart()
    heart.beat_every(0.01)
    beat = sent.get(timeout=HANG_SECONDS)

    before = beat()
    work.doing = Doing("idle")
    after = beat()

    assert (before.job_id, before.data.file) == ("job", "/in/a.pdf")
    assert (after.job_id, after.data.job_id, after.data.file, after.data.page) == (None, None, None, None)
    heart.beat_every(None)


def test_a_beat_that_waited_to_be_read_does_not_tell_of_a_job_that_has_begun_meanwhile() -> None:
    heart, work, sent = make_heart()
    work.doing = Doing("idle")
    heart.beat_every(0.01)
    early = sent.get(timeout=HANG_SECONDS)
    heart.beat_every(3600)

    work.doing = Doing("running", "job", "/in/a.pdf", 3)

    told = early()
    assert (told.data.state, told.job_id, told.data.file, told.data.page) == ("running", None, None, None)
    heart.beat_every(None)


def test_the_interval_can_be_stopped_and_set_again() -> None:
    heart, _, sent = make_heart()
    heart.beat_every(0.01)
    sent.get(timeout=HANG_SECONDS)

    heart.beat_every(3600)
    while not sent.empty():
        sent.get()
    with pytest.raises(queue.Empty):
        sent.get(timeout=0.2)
    heart.beat_every(0.01)

    assert sent.get(timeout=HANG_SECONDS)().data.kind == "heartbeat"
    heart.beat_every(None)
