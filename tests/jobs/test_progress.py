"""Pages, percent, rate and time left, on a clock that the test moves."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import signature
from typing import Any

import pytest

from ocr_protocol.commands import Hello
from ocr_worker.jobs.journal import Throttle
from ocr_worker.jobs.progress import Here, Progress, Stopwatch
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.model.fields import progress_fields


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def begin(files: int, clock: Clock | None = None) -> Progress:
    stats = {"total": files, "completed": 0, "failed": 0, "skipped": 0}
    return Progress(stats, 0, files, Stopwatch(clock or Clock()))


def here(page: int, pages: int) -> Here:
    return Here("/in/doc.pdf", "doc.pdf", 2, page, pages)


def fields(progress: Progress) -> dict[str, Any]:
    return progress_fields(progress.snapshot())


def read(progress: Progress, number: int, weight: int, seconds: float, where: Here) -> None:
    """A page has ended that took so long, where to write it takes nothing."""
    progress.effort.page_took(weight, seconds)
    progress.effort.writing_took(1, 0.0)
    progress.page_ended(number, weight, where)


def test_a_file_that_nobody_has_counted_stands_for_one_page() -> None:
    progress = begin(files=3)

    progress.opened(1, (), (1,) * 10)

    assert (fields(progress)["current"], fields(progress)["total"]) == (0, 12)


def test_the_last_page_of_a_file_counts_when_the_file_has_ended() -> None:
    progress = begin(files=1)
    progress.opened(1, (), (1, 1))
    for page in (1, 2):
        progress.page_ended(1, 1, here(page, 2))
    before = fields(progress)["current"]

    progress.file_ended(1, "completed")

    assert (before, fields(progress)["current"]) == (1, 2)


def test_percent_does_not_fall_when_a_long_file_is_counted() -> None:
    progress = begin(files=2)
    progress.opened(1, (), (1,))
    progress.page_ended(1, 1, here(1, 1))
    progress.file_ended(1, "completed")
    before = fields(progress)["percent"]

    progress.opened(2, (), (1,) * 100)

    assert (before, fields(progress)["percent"]) == (50, 50)


def test_percent_is_100_only_when_the_job_is_finished() -> None:
    progress = begin(files=1)
    progress.opened(1, (), (1,))
    progress.page_ended(1, 1, here(1, 1))
    progress.file_ended(1, "completed")
    before = fields(progress)["percent"]

    progress.finish()

    assert before < 100
    assert fields(progress)["percent"] == 100


def test_the_message_is_word_for_word_the_first_notes() -> None:
    progress = begin(files=5)
    progress.opened(2, (), (1,) * 50)

    progress.page_ended(2, 1, here(10, 50))

    assert fields(progress)["message"] == "Processing file 2/5: doc.pdf (page 10/50)"


def test_rate_and_time_left_follow_the_given_clock() -> None:
    clock = Clock()
    progress = begin(files=1, clock=clock)
    progress.opened(1, (), (1,) * 4)
    clock.now += 2

    read(progress, 1, 1, 2, here(1, 4))

    assert fields(progress)["pages_per_second"] == 0.5
    assert fields(progress)["eta_seconds"] == 6
    assert fields(progress)["elapsed_seconds"] == 2


def test_a_pause_is_no_time_of_work() -> None:
    clock = Clock()
    worked = Stopwatch(clock)
    progress = Progress({"total": 1, "completed": 0, "failed": 0, "skipped": 0}, 0, 1, worked)
    progress.opened(1, (), (1,) * 4)
    clock.now += 2
    read(progress, 1, 1, 2, here(1, 4))

    worked.pause()
    clock.now += 10
    in_pause = fields(progress)["elapsed_seconds"]
    worked.unpause()
    clock.now += 2
    read(progress, 1, 1, 2, here(2, 4))

    assert in_pause == 2
    told = fields(progress)
    assert (told["elapsed_seconds"], told["eta_seconds"], told["pages_per_second"]) == (4, 4, 0.5)


def test_to_pause_or_go_on_twice_is_to_do_so_once() -> None:
    clock = Clock()
    worked = Stopwatch(clock)

    for step in (worked.unpause, worked.pause, worked.pause, worked.unpause, worked.unpause):
        clock.now += 1
        step()

    assert worked.seconds == 3


def test_time_left_is_weighted_by_the_size_of_pages() -> None:
    progress = begin(files=1)
    progress.opened(1, (), (1000, 1000, 7000))

    read(progress, 1, 1000, 1, here(1, 3))

    # A page alone does not tell what it took of its own: as much as a megapixel.
    assert fields(progress)["eta_seconds"] == (2000 + 8000) / 2000


def test_the_rest_of_a_file_that_failed_is_no_time_left() -> None:
    progress = begin(files=2)
    progress.opened(1, (), (1,) * 100)
    progress.opened(2, (), (1, 1))
    read(progress, 2, 1, 1, here(1, 2))

    progress.file_ended(1, "failed")

    assert fields(progress)["eta_seconds"] == 1


def test_files_that_are_not_counted_yet_are_expected_to_be_like_the_others() -> None:
    progress = begin(files=3)
    progress.opened(1, (), (1, 1))

    read(progress, 1, 1, 1, here(1, 2))

    assert fields(progress)["eta_seconds"] == 1 + 2 * 2


def test_without_a_page_of_this_run_nothing_is_known_of_the_time_left() -> None:
    assert fields(begin(files=1))["eta_seconds"] is None


def test_a_resumed_job_goes_on_where_it_was() -> None:
    progress = Progress({"total": 2, "completed": 1, "failed": 0, "skipped": 0}, 3, 13, Stopwatch(Clock()))

    progress.file_begun(2, 10, 5)
    before = fields(progress)["current"]
    progress.opened(2, range(1, 6), (1,) * 10)

    assert (before, fields(progress)["current"], fields(progress)["total"]) == (8, 8, 13)


def test_a_file_that_shrank_since_the_last_run_changes_the_total_and_not_percent() -> None:
    progress = Progress({"total": 1, "completed": 0, "failed": 0, "skipped": 0}, 0, 10, Stopwatch(Clock()))
    progress.file_begun(1, 10, 5)
    before = fields(progress)["percent"]

    progress.opened(1, (), (1,) * 4)

    assert (fields(progress)["total"], fields(progress)["current"]) == (4, 0)
    assert fields(progress)["percent"] == before


@pytest.mark.parametrize("state", ["completed", "failed", "skipped"])
def test_files_are_counted_by_how_they_ended(state: Any) -> None:
    progress = begin(files=1)

    progress.file_ended(1, state)

    counted = {name: fields(progress)[name] for name in ("completed", "failed", "skipped")}
    assert counted == {"completed": 0, "failed": 0, "skipped": 0, state: 1}


def test_first_news_are_told_at_once_and_the_next_when_it_is_time() -> None:
    throttle = Throttle(0.1)

    throttle.mark_news()
    first = throttle.let_through(1000.0)
    throttle.mark_news()
    throttle.mark_news()
    early, due = throttle.let_through(1000.05), throttle.due()

    assert (first, early) == (True, False)
    assert due == pytest.approx(1000.1)
    assert throttle.let_through(1000.11)
    assert throttle.due() is None


def test_without_a_wish_progress_is_told_ten_times_a_second_at_most() -> None:
    wished = 1 / Hello(command="hello").progress_hz
    unasked = signature(Runtime).parameters["progress_seconds"].default
    throttle, told = Throttle(unasked), 0

    for hundredth in range(1000):
        throttle.mark_news()
        told += throttle.let_through(hundredth / 100)

    assert wished == unasked
    assert 90 <= told <= 101


def test_another_least_time_holds_from_the_next_news_on() -> None:
    throttle = Throttle(0.1)
    throttle.mark_news()
    throttle.let_through(1000.0)

    throttle.least_seconds = 2
    throttle.mark_news()

    assert not throttle.let_through(1001)
    assert throttle.due() == pytest.approx(1002)


def test_without_news_nothing_is_told_and_nothing_is_due() -> None:
    throttle = Throttle(0.1)
    throttle.mark_news()
    throttle.let_through(1000.0)

    assert not throttle.let_through(1010.0)
    assert not throttle.let_through(1010.0, at_once=True)
    assert throttle.due() is None


def test_news_that_can_not_wait_is_told_at_once() -> None:
    throttle = Throttle(0.1)
    throttle.mark_news()
    throttle.let_through(1000.0)
    throttle.mark_news()

    assert throttle.let_through(1000.01, at_once=True)


def test_files_that_cost_nothing_lessen_what_the_others_are_taken_to_need() -> None:
    progress = begin(files=201)
    progress.opened(1, (), (1,))
    read(progress, 1, 1, 10, here(1, 1))
    progress.file_ended(1, "completed")
    alone = fields(progress)["eta_seconds"]

    for number in range(2, 101):
        progress.file_ended(number, "skipped")

    assert alone == 2000
    assert fields(progress)["eta_seconds"] == 101 * 10 / 100
