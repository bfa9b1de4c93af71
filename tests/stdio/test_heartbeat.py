"""The heart beats at its interval, from a thread of its own, with the last that it was told."""

from __future__ import annotations

import queue
from itertools import islice
from typing import Any

import pytest

from ocr_worker.stdio.heartbeat import Heart
from tests.limits import HANG_SECONDS


def make_heart() -> tuple[Heart, queue.Queue[Any]]:
    sent: queue.Queue[Any] = queue.Queue()
    return Heart(sent.put), sent


def test_it_tells_what_was_noted_last() -> None:
    heart, sent = make_heart()
    heart.note("running", "job", "/in/a.pdf", 3)

    heart.beat_every(0.01)
    beat = sent.get(timeout=HANG_SECONDS)

    data = beat().data
    assert (data.kind, data.state, data.job_id, data.file, data.page) == (
        "heartbeat", "running", "job", "/in/a.pdf", 3,
    )  # fmt: skip
    heart.beat_every(None)


def test_a_pause_is_told_with_what_is_in_work() -> None:
    heart, sent = make_heart()
    heart.note("running", "job", "/in/a.pdf")

    heart.note("paused", "job", "/in/a.pdf")
    heart.beat_every(0.01)

    assert (sent.get(timeout=HANG_SECONDS)().data.state, sent.get(timeout=HANG_SECONDS)().data.file) == (
        "paused",
        "/in/a.pdf",
    )
    heart.beat_every(None)


def test_a_beat_that_waited_to_be_read_does_not_tell_of_a_job_that_has_ended_meanwhile() -> None:
    heart, sent = make_heart()
    heart.note("running", "job", "/in/a.pdf", 3)
    heart.beat_every(0.01)
    beat = sent.get(timeout=HANG_SECONDS)

    heart.forget("another")
    before = beat()
    heart.forget("job")
    after = beat()

    assert (before.job_id, before.data.file) == ("job", "/in/a.pdf")
    assert (after.job_id, after.data.job_id, after.data.file, after.data.page) == (None, None, None, None)
    heart.beat_every(None)


def test_a_beat_that_waited_to_be_read_does_not_tell_of_a_job_that_has_begun_meanwhile() -> None:
    heart, sent = make_heart()
    heart.note("idle")
    heart.beat_every(0.01)
    early = sent.get(timeout=HANG_SECONDS)
    heart.beat_every(3600)

    heart.note("running", "job", "/in/a.pdf", 3)

    told = early()
    assert (told.data.state, told.job_id, told.data.file, told.data.page) == ("running", None, None, None)
    heart.beat_every(None)


def test_the_interval_can_be_stopped_and_set_again() -> None:
    heart, sent = make_heart()
    heart.beat_every(0.01)
    sent.get(timeout=HANG_SECONDS)

    heart.beat_every(3600)
    # Some may have been sent by then.
    beats = iter(lambda: sent.get(timeout=0.2), None)
    with pytest.raises(queue.Empty):
        list(islice(beats, 1000))
    heart.beat_every(0.01)

    assert sent.get(timeout=HANG_SECONDS)().data.kind == "heartbeat"
    heart.beat_every(None)
