"""The course of a job's files and pages: what is done next, and what follows from what happened."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr_worker.jobs.course import (
    FILE_CODES,
    RETRIED_CODES,
    Compose,
    Effect,
    FileFailed,
    JobCourse,
    Open,
    PageFailed,
    PageRetried,
    Recognise,
    Work,
    with_name,
)
from ocr_worker.model.tasks import FailedPage, Failure


def fail(code: str) -> Failure:
    return Failure(code, f"it is {code}", retryable=False)


def course_with(pages: int, retries: int = 2) -> JobCourse:
    """A course with file 1 opened."""
    course = JobCourse(retries)
    course.feed(1)
    assert course.next_work() == Open(1)
    course.opened(1, pages, {})
    return course


def test_a_file_is_opened_then_its_pages_are_read_in_order_then_it_is_composed() -> None:
    course = course_with(pages=2)

    works = [course.next_work(), course.next_work()]
    nothing_yet = course.next_work()
    course.page_done(1, 2)
    course.page_done(1, 1)

    assert works == [Recognise(1, 1), Recognise(1, 2)]
    assert nothing_yet is None
    assert course.next_work() == Compose(1, ())
    assert course.next_work() is None


def test_pages_come_before_the_next_file_and_a_finished_file_before_pages() -> None:
    course = course_with(pages=2)
    course.feed(2)

    first, second, third = (course.next_work() for _ in range(3))
    course.opened(2, 2, {})
    course.page_done(1, 1)
    course.page_done(1, 2)

    assert (first, second, third) == (Recognise(1, 1), Recognise(1, 2), Open(2))
    assert course.next_work() == Compose(1, ())
    assert course.next_work() == Recognise(2, 1)


def test_it_is_hungry_until_a_file_waits() -> None:
    course = course_with(pages=1)
    before = course.hungry()

    course.feed(2)

    assert (before, course.hungry()) == (True, False)


def test_pages_of_an_earlier_run_are_not_read_again() -> None:
    course = JobCourse(2)
    course.feed(1)
    course.next_work()

    course.opened(1, 3, {1: None, 2: FailedPage(2, "crashed", "crashed", "it crashed")})

    assert course.next_work() == Recognise(1, 3)
    course.page_done(1, 3)
    assert course.next_work() == Compose(1, (FailedPage(2, "crashed", "crashed", "it crashed"),))


@pytest.mark.parametrize("code", sorted(RETRIED_CODES))
def test_a_page_that_may_mend_is_tried_again_at_once_and_then_given_up(code: str) -> None:
    course = course_with(pages=2, retries=1)
    course.next_work()

    first = course.page_failed(1, 1, fail(code))
    again = course.next_work()
    second = course.page_failed(1, 1, fail(code))

    assert (first, again) == ([PageRetried(1, 1)], Recognise(1, 1))
    (given_up,) = second
    assert isinstance(given_up, PageFailed)
    assert (given_up.failed.page, given_up.failed.code) == (1, code)


def test_a_page_that_hung_is_not_given_the_same_time_again() -> None:
    course = course_with(pages=2)
    course.next_work()

    (effect,) = course.page_failed(1, 1, fail("timeout"))

    assert isinstance(effect, PageFailed)
    assert effect.failed.status == "timeout"


@pytest.mark.parametrize("code", sorted(FILE_CODES))
def test_a_failure_that_is_the_files_ends_the_file(code: str) -> None:
    course = course_with(pages=5)
    course.next_work()

    assert course.page_failed(1, 1, fail(code)) == [FileFailed(1, fail(code), 1)]


def test_a_file_with_a_good_page_is_composed_with_the_bad_ones_named() -> None:
    course = course_with(pages=3)
    for _ in range(3):
        course.next_work()

    course.page_failed(1, 3, fail("corrupt"))
    course.page_done(1, 2)
    course.page_failed(1, 1, fail("timeout"))
    work = course.next_work()

    assert isinstance(work, Compose)
    assert [(page.page, page.code) for page in work.failed_pages] == [(1, "timeout"), (3, "corrupt")]


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        (("corrupt", "too_large"), FileFailed(1, Failure("corrupt", "it is corrupt", retryable=False), 1)),
        (("timeout", "corrupt"), FileFailed(1, Failure("timeout", "it is timeout", retryable=True), 1)),
        (("corrupt", "timeout"), FileFailed(1, Failure("timeout", "it is timeout", retryable=True), 2)),
        (("corrupt", "crashed"), FileFailed(1, Failure("crashed", "it is crashed", retryable=True), 2)),
    ],
)
def test_a_file_of_which_every_page_failed_fails_as_the_first_that_may_be_mended_or_the_first(
    codes: tuple[str, str], told: FileFailed
) -> None:
    course = course_with(pages=2, retries=0)
    course.next_work()
    course.next_work()
    course.page_failed(1, 2, fail(codes[1]))

    effects = course.page_failed(1, 1, fail(codes[0]))

    assert effects[1:] == [told]


def test_a_file_that_only_hung_or_crashed_may_be_tried_again() -> None:
    course = course_with(pages=1)
    course.next_work()

    *_, effect = course.page_failed(1, 1, fail("timeout"))

    assert isinstance(effect, FileFailed)
    assert effect.failure.retryable


def test_opening_and_composing_are_tried_again_after_a_crash() -> None:
    course = JobCourse(1)
    course.feed(1)
    course.next_work()

    effects = course.step_failed(1, fail("crashed"))
    again = course.next_work()
    gave_up = course.step_failed(1, fail("crashed"))

    assert (effects, again) == ([PageRetried(1, 0)], Open(1))
    assert gave_up == [FileFailed(1, fail("crashed"))]


def test_when_its_time_is_up_a_file_keeps_the_pages_it_has() -> None:
    course = course_with(pages=3)
    course.next_work()
    course.page_done(1, 1)
    course.next_work()

    effects = course.give_up_pages(1, fail("timeout"))

    assert [effect.failed.page for effect in effects if isinstance(effect, PageFailed)] == [2, 3]
    work = course.next_work()
    assert isinstance(work, Compose)
    assert len(work.failed_pages) == 2


def test_work_that_was_not_begun_after_all_is_the_next_again() -> None:
    course = course_with(pages=2)
    work = course.next_work()
    assert work is not None

    course.unstarted(work)

    assert course.next_work() == work


@pytest.mark.parametrize(
    ("page", "says"), [(3, "scan.pdf (page 3): it is corrupt"), (None, "scan.pdf: it is corrupt")]
)
def test_a_failure_names_the_file_once(page: int | None, says: str) -> None:
    named = with_name(fail("corrupt"), "scan.pdf", page)

    assert named.message == says
    assert with_name(named, "scan.pdf", page) == named


@dataclass
class Owner:
    """Does what a JobRun does with a course, in whatever order things happen."""

    course: JobCourse
    pages: dict[int, int]
    in_work: list[Work] = field(default_factory=list)
    ended_pages: Counter[tuple[int, int]] = field(default_factory=Counter)
    composed: Counter[int] = field(default_factory=Counter)
    ended: Counter[int] = field(default_factory=Counter)

    def start(self) -> bool:
        while self.course.hungry() and (
            waiting := set(self.pages) - set(self.course.window) - set(self.ended)
        ):
            self.course.feed(min(waiting))
        work = self.course.next_work()
        if work is not None:
            assert work not in self.in_work
            self.in_work.append(work)
        return work is not None

    def finish(self, work: Work, code: str) -> None:
        """The end of work: well, or with the code."""
        self.in_work.remove(work)
        match work, code:
            case Open(number), "":
                self._apply(self.course.opened(number, self.pages[number], {}))
            case Recognise(number, page), "":
                self.course.page_done(number, page)
                self.ended_pages[number, page] += 1
            case Compose(number), "":
                self.composed[number] += 1
                self._end(number)
            case Recognise(number, page), _:
                self._apply(self.course.page_failed(number, page, fail(code)))
            case Open(number) | Compose(number), _:
                self._apply(self.course.step_failed(number, fail(code)))

    def give_up(self, number: int) -> None:
        self.in_work = [work for work in self.in_work if work.number != number]
        self._apply(self.course.give_up_pages(number, fail("timeout")))

    def _apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, PageFailed):
                self.ended_pages[effect.number, effect.failed.page] += 1
            elif isinstance(effect, FileFailed):
                self._end(effect.number)

    def _end(self, number: int) -> None:
        self.in_work = [work for work in self.in_work if work.number != number]
        self.ended[number] += 1
        self.course.ended(number)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 2), st.integers(1, 3), st.data())
def test_in_any_order_of_events_each_page_ends_once_and_each_file_once(
    sizes: list[int], retries: int, workers: int, data: st.DataObject
) -> None:
    owner = Owner(JobCourse(retries), dict(enumerate(sizes, 1)))
    codes = st.sampled_from(["", "", "", "crashed", "engine", "timeout", "corrupt", "changed"])
    while True:
        while len(owner.in_work) < workers and owner.start():
            continue
        if not owner.in_work:
            break
        work = data.draw(st.sampled_from(owner.in_work))
        if isinstance(work, Recognise) and data.draw(st.integers(0, 9)) == 9:
            owner.give_up(work.number)
        else:
            owner.finish(work, data.draw(codes))

    assert set(owner.ended) == set(owner.pages)
    assert set(owner.ended.values()) == {1}
    assert set(owner.ended_pages.values()) <= {1}
    assert set(owner.composed.values()) <= {1}
    for number in owner.composed:
        assert all(owner.ended_pages[number, page] for page in range(1, owner.pages[number] + 1))
