"""The course of a run: what is done next, what follows from what happened, and that every end can be reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from ocr_worker.jobs.course import (
    FILE_CODES,
    MOST_FILES,
    RETRIED_CODES,
    SUSPECT_ENDS,
    Compose,
    Course,
    Drop,
    Effect,
    Feed,
    FileEnds,
    Open,
    PageLost,
    Past,
    Recognise,
    Redo,
    Retry,
    RunEnds,
    Task,
)
from ocr_worker.model.jobs import JobOptions
from ocr_worker.model.results import FileOutcome
from ocr_worker.model.tasks import FailedPage, Failure

NO_PAST = Past()
ROOM = 9


def fail(code: str, **details: str) -> Failure:
    return Failure(code, f"it is {code}", retryable=False, details=dict(details))


def course_of(files: int = 1, **options: object) -> Course:
    """A course with so many files that wait to be opened, and no more to come."""
    course = Course(JobOptions(**options))  # type: ignore[arg-type]
    for number in range(1, files + 1):
        course.admit(number, f"{number}.pdf", None, NO_PAST)
    course.exhausted()
    return course


def opened(pages: int, files: int = 1, **options: object) -> Course:
    """File 1 is opened."""
    course = course_of(files, **options)
    assert course.next_step(0, ROOM) == Open(1)
    course.opened(1, pages, {})
    return course


def next_page(course: Course, now: float = 0, room: int = 1) -> Recognise:
    step = course.next_step(now, room)
    assert isinstance(step, Recognise)
    return step


def started(steps: Sequence[object]) -> list[tuple[str, int, int]]:
    return [(type(step).__name__, step.number, getattr(step, "page", 0)) for step in steps]  # type: ignore[attr-defined]


def test_a_file_is_opened_then_its_pages_are_read_in_order_then_it_is_composed_and_the_run_ends() -> None:
    course = opened(pages=2)

    steps = [course.next_step(0, ROOM) for _ in range(3)]
    course.page_done(1, 2, 0)
    course.page_done(1, 1, 0)
    composing = course.next_step(0, ROOM)
    ended = course.done(1)
    end = course.next_step(0, ROOM)

    assert started(steps[:2]) == [("Recognise", 1, 1), ("Recognise", 1, 2)]
    assert steps[2] is None
    assert composing == Compose(1, ())
    assert ended == [FileEnds(1, "completed", "done")]
    assert end == RunEnds("completed", "completed", None)


def test_pages_come_before_the_next_file_and_a_finished_file_before_pages() -> None:
    course = opened(pages=2, files=2)

    first = [course.next_step(0, ROOM) for _ in range(3)]
    course.opened(2, 2, {})
    for page in (1, 2):
        course.page_done(1, page, 0)
    then = [course.next_step(0, ROOM) for _ in range(2)]

    assert started(first) == [("Recognise", 1, 1), ("Recognise", 1, 2), ("Open", 2, 0)]
    assert started(then) == [("Compose", 1, 0), ("Recognise", 2, 1)]


def test_where_there_is_no_room_a_file_that_was_read_may_be_composed_and_nothing_else_begun() -> None:
    course = opened(pages=1, files=2)
    next_page(course)
    course.exhausted()
    before = course.next_step(0, 0, to_compose=1)
    course.page_done(1, 1, 0)

    without = course.next_step(0, 0, to_compose=0)
    composing, then = (course.next_step(0, 0, to_compose=1) for _ in range(2))

    # File 2 could be opened all the while.
    assert (before, without, composing, then) == (None, None, Compose(1, ()), None)
    assert course.next_step(0, 1) == Open(2)


def test_it_is_fed_until_a_file_waits_and_asks_for_no_more_than_the_window_holds() -> None:
    course = Course(JobOptions(max_lock_wait_seconds=1000))
    asked = course.next_step(0, 0)
    for number in range(1, MOST_FILES + 1):
        assert course.next_step(number, 0) == Feed()
        course.admit(number, "a.pdf", None, NO_PAST)
        assert course.next_step(number, 1) == Open(number)
        course.step_failed(number, fail("locked"), number + 1000)

    assert asked == Feed()
    assert course.next_step(MOST_FILES + 1, 0) is None


def test_without_room_nothing_is_started() -> None:
    assert opened(pages=1).next_step(0, 0) is None


def test_pages_of_an_earlier_run_are_not_read_again() -> None:
    course = course_of()
    course.next_step(0, ROOM)

    course.opened(1, 3, {1: None, 2: Past(5, guilty=True)})
    page = next_page(course)
    course.page_done(1, 3, 0)
    composing = course.next_step(0, ROOM)

    assert page.page == 3
    assert isinstance(composing, Compose)
    (failed,) = composing.failed_pages
    assert (failed.page, failed.code) == (2, "crashed")
    assert "1.pdf (page 2): the worker ended 5 times" in failed.error


def test_a_page_that_took_nodes_with_it_takes_no_more() -> None:
    course = opened(pages=2)
    next_page(course)

    ended = course.page_failed(1, 1, fail("crashed", nodes="3"), 0)

    (lost,) = ended
    assert isinstance(lost, PageLost)
    assert next_page(course).page == 2


@pytest.mark.parametrize("code", sorted(RETRIED_CODES))
def test_a_page_that_may_mend_is_tried_again_after_a_moment_and_then_given_up(code: str) -> None:
    course = opened(pages=2, retries=1)
    next_page(course)

    first = course.page_failed(1, 1, fail(code), 10)
    at_once, due = course.next_step(10, ROOM), course.next_due(10)
    again = next_page(course, now=10.25)
    second = course.page_failed(1, 1, fail(code), 11)

    assert first == [Retry(1, 1)]
    assert (at_once, due) == (None, 10.25)
    assert again.page == 1
    (lost,) = second
    assert isinstance(lost, PageLost)
    assert (lost.failed.page, lost.failed.code, lost.pages_ended) == (1, code, 1)


def test_a_page_that_hung_is_not_given_the_same_time_again() -> None:
    course = opened(pages=2)
    next_page(course)

    (lost,) = course.page_failed(1, 1, fail("timeout"), 0)

    assert isinstance(lost, PageLost)
    assert lost.failed.status == "timeout"


@pytest.mark.parametrize("code", sorted(FILE_CODES - {"locked", "no_space"}))
def test_a_failure_that_is_the_files_ends_the_file(code: str) -> None:
    course = opened(pages=5)
    next_page(course)

    assert course.page_failed(1, 1, fail(code), 0) == [
        Drop(1),
        FileEnds(1, "failed", "failed", fail(code), 1),
    ]


def test_a_full_disk_ends_the_run() -> None:
    course = opened(pages=5, files=2)
    next_page(course)

    effects = course.page_failed(1, 1, fail("no_space"), 0)

    assert effects[-1] == RunEnds("stopped", "stopped", "no_space")


def test_a_file_with_a_good_page_is_composed_with_the_bad_ones_named() -> None:
    course = opened(pages=3)
    for _ in range(3):
        next_page(course)

    course.page_failed(1, 3, fail("corrupt"), 0)
    course.page_done(1, 2, 0)
    course.page_failed(1, 1, fail("timeout"), 0)
    composing = course.next_step(0, ROOM)

    assert isinstance(composing, Compose)
    assert [(page.page, page.code) for page in composing.failed_pages] == [(1, "timeout"), (3, "corrupt")]


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        (("corrupt", "too_large"), ("corrupt", False, 1)),
        (("timeout", "corrupt"), ("timeout", True, 1)),
        (("corrupt", "timeout"), ("timeout", True, 2)),
        (("corrupt", "crashed"), ("crashed", True, 2)),
    ],
)
def test_a_file_of_which_every_page_failed_fails_as_the_first_that_may_be_mended_or_the_first(
    codes: tuple[str, str], told: tuple[str, bool, int]
) -> None:
    course = opened(pages=2, retries=0)
    for _ in range(2):
        next_page(course)
    course.page_failed(1, 2, fail(codes[1]), 0)

    *_, end = course.page_failed(1, 1, fail(codes[0]), 0)

    assert isinstance(end, FileEnds)
    assert end.failure is not None
    assert (end.failure.code, end.failure.retryable, end.page) == told


def test_opening_is_tried_again_after_a_crash_and_composing_too() -> None:
    course = course_of(retries=1)
    course.next_step(0, ROOM)

    again = course.step_failed(1, fail("crashed"), 0)
    reopened = course.next_step(1, ROOM)
    gave_up = course.step_failed(1, fail("crashed"), 1)

    assert (again, reopened) == ([Retry(1, 0)], Open(1))
    assert gave_up == [Drop(1), FileEnds(1, "failed", "failed", fail("crashed"))]


def test_page_results_that_are_of_no_use_are_read_anew_once() -> None:
    course = opened(pages=1)
    next_page(course)
    course.page_done(1, 1, 0)
    assert course.next_step(0, ROOM) == Compose(1, ())

    first = course.step_failed(1, fail("internal"), 0)
    course.opened(1, 1, {})
    next_page(course)
    course.page_done(1, 1, 0)
    course.next_step(0, ROOM)
    second = course.step_failed(1, fail("internal"), 0)

    assert first == [Redo(1, fail("internal"))]
    assert second == [Drop(1), FileEnds(1, "failed", "failed", fail("internal"))]


def test_a_locked_file_is_waited_for_while_others_are_done_and_skipped_in_the_end() -> None:
    course = course_of(files=2, max_lock_wait_seconds=1)
    course.next_step(0, ROOM)

    waits = course.step_failed(1, fail("locked"), 0)
    other = course.next_step(0, ROOM)
    again = course.next_step(0.25, ROOM)
    skipped = course.step_failed(1, fail("locked"), 1)

    assert (waits, other, again) == ([], Open(2), Open(1))
    assert skipped == [FileEnds(1, "skipped", "locked")]


def test_a_file_of_which_no_page_ends_keeps_the_pages_it_has() -> None:
    course = opened(pages=3, file_timeout_seconds=100)
    next_page(course)
    course.page_done(1, 1, 50)
    next_page(course, now=60)

    early = course.overdue(159)
    effects = course.overdue(160)
    composing = course.next_step(160, ROOM)

    assert (early, course.next_due(0)) == ([], None)
    assert effects[0] == Drop(1)
    lost = [effect for effect in effects if isinstance(effect, PageLost)]
    assert [(one.failed.page, one.failed.code) for one in lost] == [(2, "timeout"), (3, "timeout")]
    assert lost[0].failed.error == "1.pdf: no page was finished within 100 seconds"
    assert isinstance(composing, Compose)


def test_time_in_which_the_worker_was_stopped_is_nobodys() -> None:
    course = opened(pages=2, file_timeout_seconds=100)
    next_page(course)

    course.shift(1000)

    assert course.overdue(1099) == []
    assert course.next_due(0) == 1100
    assert course.overdue(1100)


def test_pages_are_started_no_faster_than_was_asked_for() -> None:
    course = opened(pages=3, pages_per_minute=60)

    first, too_early, due = next_page(course), course.next_step(0.5, ROOM), course.next_due(0.5)

    assert (first.page, too_early, due) == (1, None, 1.0)
    assert next_page(course, now=1).page == 2


def test_a_pause_starts_nothing_and_ends_nothing() -> None:
    course = opened(pages=1)
    course.paused = True

    paused = course.next_step(0, ROOM)
    course.paused = False

    assert paused is None
    assert next_page(course).page == 1


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        (FileOutcome(status="skipped", reason="duplicate"), "skipped"),
        (FileOutcome(status="failed", error=fail("bad_name")), "failed"),
    ],
)
def test_a_file_with_a_verdict_ends_on_the_spot(verdict: FileOutcome, state: str) -> None:
    (end,) = Course(JobOptions()).admit(1, "a.pdf", verdict, NO_PAST)

    assert isinstance(end, FileEnds)
    assert (end.state, end.reason) == (state, "verdict")


def test_verdicts_leave_others_their_turn() -> None:
    course, verdict, number = Course(JobOptions()), FileOutcome(status="skipped", reason="duplicate"), 0
    course.begin_turn()
    while course.next_step(0, ROOM) == Feed():
        number += 1
        course.admit(number, "a.pdf", verdict, NO_PAST)

    due = course.next_due(0)
    course.begin_turn()

    assert (number, due) == (50, 0)
    assert course.next_step(0, ROOM) == Feed()


@pytest.mark.parametrize(
    ("threshold", "dry_run", "stops"), [(0.5, False, True), (1, False, False), (0.5, True, False)]
)
def test_too_many_failed_files_end_the_run(threshold: float, dry_run: bool, stops: bool) -> None:  # noqa: FBT001
    course = Course(JobOptions(stop_on_error_threshold=threshold, dry_run=dry_run), ended=8, failed=4)
    verdict = FileOutcome(status="failed", error=fail("not_found"))

    first = course.admit(1, "a.pdf", verdict, NO_PAST)
    second = course.admit(2, "b.pdf", verdict, NO_PAST)

    assert len(first) == 1
    assert (second[1:] == [RunEnds("stopped", "stopped", "error_threshold")]) == stops


def test_a_run_of_some_of_the_files_leaves_the_job_stopped() -> None:
    course = Course(JobOptions(), partial=True, reason="error_threshold")
    course.exhausted()

    assert course.next_step(0, ROOM) == RunEnds("stopped", "stopped", "error_threshold")


def test_a_page_that_ran_out_of_memory_is_tried_again_with_nothing_beside_it() -> None:
    course = opened(pages=3)
    for _ in range(2):
        next_page(course)
    course.page_failed(1, 1, fail("crashed", signal="SIGKILL"), 0)

    beside = course.next_step(1, ROOM)
    course.page_done(1, 2, 1)
    alone = next_page(course, now=1)
    beside_it = course.next_step(1, ROOM)
    course.page_done(1, 1, 1)

    assert beside is None
    assert (alone.page, alone.exclusive) == (1, True)
    assert beside_it is None
    assert next_page(course, now=1).page == 3


def test_what_may_have_ended_the_worker_is_done_last_and_alone() -> None:
    course = Course(JobOptions())
    course.admit(1, "suspect.pdf", None, Past(SUSPECT_ENDS))
    course.admit(2, "good.pdf", None, NO_PAST)
    course.exhausted()

    first, beside = course.next_step(0, ROOM), course.next_step(0, ROOM)
    course.opened(2, 2, {2: Past(SUSPECT_ENDS)})
    page = next_page(course)
    meanwhile = course.next_step(0, ROOM)
    course.page_done(2, 1, 0)
    suspect_page = next_page(course)
    course.page_done(2, 2, 0)
    composing = course.next_step(0, ROOM)
    course.done(2)
    at_last = course.next_step(0, ROOM)

    assert (first, beside) == (Open(2), None)
    assert (page.page, page.exclusive, meanwhile) == (1, False, None)
    assert (suspect_page.page, suspect_page.exclusive) == (2, True)
    assert composing == Compose(2, ())
    assert at_last == Open(1, exclusive=True)


def test_all_steps_of_a_suspect_file_are_alone() -> None:
    course = Course(JobOptions())
    course.admit(1, "suspect.pdf", None, Past(SUSPECT_ENDS))
    course.exhausted()
    course.next_step(0, ROOM)
    course.opened(1, 2, {})

    pages = []
    for number in (1, 2):
        pages.append(next_page(course, room=4))
        assert course.next_step(0, ROOM) is None
        course.page_done(1, number, 0)

    assert [page.exclusive for page in pages] == [True, True]
    assert course.next_step(0, ROOM) == Compose(1, (), exclusive=True)


def test_a_file_that_ended_the_worker_while_alone_is_given_up_with_the_count_and_the_reason() -> None:
    (end,) = Course(JobOptions()).admit(1, "bomb.pdf", None, Past(3, guilty=True))

    assert isinstance(end, FileEnds)
    assert end.failure is not None
    assert end.failure.code == "crashed"
    assert "ended 3 times" in end.failure.message
    assert "nothing else at work" in end.failure.message


def test_a_task_that_could_not_be_started_is_the_next_again() -> None:
    course = opened(pages=2)
    task = next_page(course)

    course.unstarted(task)

    assert next_page(course) == task


CODES = ("crashed", "engine", "timeout", "corrupt", "changed", "internal", "locked", "no_space")
SEEN_ENDS: set[str] = set()
PASTS = {
    "good": (NO_PAST, None),
    "duplicate": (NO_PAST, FileOutcome(status="skipped", reason="duplicate")),
    "bad_name": (NO_PAST, FileOutcome(status="failed", error=fail("bad_name"))),
    "suspect": (Past(SUSPECT_ENDS), None),
    "guilty": (Past(SUSPECT_ENDS, guilty=True), None),
}
FILES = st.tuples(st.integers(1, 4), st.sampled_from(["good", "good", *PASTS]))
"""Pages, and what earlier runs left."""
BAD = st.tuples(st.integers(1, 2), st.sampled_from(["bad_name", "guilty", "good"]))


class Owner(RuleBasedStateMachine):
    """Does what a run does with a course, in whatever order things happen."""

    tasks = Bundle("tasks")

    @initialize(
        files=st.lists(FILES, max_size=14) | st.lists(BAD, min_size=10, max_size=14),
        lock_wait=st.sampled_from([0.0, 2.0]),
        retries=st.integers(0, 2),
        threshold=st.sampled_from([0.5, 1.0]),
        partial=st.booleans(),
        per_minute=st.sampled_from([None, None, 600.0]),
    )
    def begin(
        self,
        files: list[tuple[int, str]],
        lock_wait: float,
        retries: int,
        threshold: float,
        partial: bool,  # noqa: FBT001
        per_minute: float | None,
    ) -> None:
        options = JobOptions(
            retries=retries,
            stop_on_error_threshold=threshold,
            pages_per_minute=per_minute,
            max_lock_wait_seconds=lock_wait,
        )
        self.course = Course(options, partial=partial, reason="before")
        self.files = dict(enumerate(files, 1))
        self.unfed, self.now = list(self.files), 0.0
        self.in_flight: list[Task] = []
        self.ended_pages, self.ended = Counter[tuple[int, int]](), Counter[int]()
        self.end: RunEnds | None = None

    @precondition(lambda self: self.end is None)
    @rule(target=tasks, room=st.integers(1, 3))
    def step(self, room: int) -> object:
        self.course.begin_turn()
        started: list[Task] = []
        while (
            self.end is None
            and (step := self.course.next_step(self.now, room - len(self.in_flight))) is not None
        ):
            if isinstance(step, Feed):
                self._feed()
            elif isinstance(step, RunEnds):
                assert not self.in_flight
                self._apply([step])
            else:
                assert step not in self.in_flight
                assert not any(task.exclusive for task in self.in_flight)
                assert not (step.exclusive and self.in_flight)
                self.in_flight.append(step)
                started.append(step)
        return multiple(*started)

    def _feed(self) -> None:
        if not self.unfed:
            self.course.exhausted()
            return
        number = self.unfed.pop(0)
        past, verdict = PASTS[self.files[number][1]]
        self._apply(self.course.admit(number, f"{number}.pdf", verdict, past))

    @precondition(lambda self: self.end is None)
    @rule(task=consumes(tasks), code=st.sampled_from(["", "", "locked", *CODES]), killed=st.booleans())
    def task_ends(self, task: Task, code: str, killed: bool) -> None:  # noqa: FBT001
        if task not in self.in_flight:
            return
        self.in_flight.remove(task)
        number, failure = task.number, fail(code, **({"signal": "SIGKILL"} if killed else {}))
        match task, code:
            case Open(), "":
                self._apply(self.course.opened(number, self.files[number][0], {}))
            case Recognise(_, page), "":
                self.course.page_done(number, page, self.now)
                self.ended_pages[number, page] += 1
            case Compose(_, failed), "":
                assert all(isinstance(page, FailedPage) for page in failed)
                self._apply(self.course.done(number))
            case Recognise(_, page), _:
                self._apply(self.course.page_failed(number, page, failure, self.now))
            case _:
                self._apply(self.course.step_failed(number, failure, self.now))

    @rule(seconds=st.sampled_from([0.1, 1.0, 10.0, 400.0]))
    def time_goes_on(self, seconds: float) -> None:
        self.now += seconds
        if self.end is None:
            self._apply(self.course.overdue(self.now))

    @precondition(lambda self: self.end is None)
    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:  # noqa: FBT001
        self.course.paused = paused

    @precondition(lambda self: self.end is None and self.in_flight)
    @rule(data=st.data())
    def page_is_put_back(self, data: st.DataObject) -> None:
        if pages := [task for task in self.in_flight if isinstance(task, Recognise)]:
            task = data.draw(st.sampled_from(pages))
            self.in_flight.remove(task)
            self.course.put_back(task.number, task.page)

    def _apply(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if self.end is None:
                self._carry_out(effect)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case PageLost(number, failed):
                self.ended_pages[number, failed.page] += 1
            case Redo(number):
                for page in [key for key in self.ended_pages if key[0] == number]:
                    del self.ended_pages[page]
                self._apply(self.course.opened(number, self.files[number][0], {}))
            case Drop(number):
                self.in_flight = [task for task in self.in_flight if task.number != number]
            case FileEnds(number, _, reason):
                self.ended[number] += 1
                SEEN_ENDS.add(reason)
            case RunEnds(_, state, reason):
                self.end = effect
                SEEN_ENDS.add(f"{state} {reason}")
            case Retry():
                pass

    @invariant()
    def nothing_ends_twice(self) -> None:
        if hasattr(self, "ended"):
            assert set(self.ended.values()) <= {1}
            assert set(self.ended_pages.values()) <= {1}

    def teardown(self) -> None:
        """Left alone, with all that is at work ending well, every run comes to its end."""
        if not hasattr(self, "course"):
            return
        self.course.paused = False
        for _ in range(1000):
            if self.end is not None:
                break
            self.step(3)
            for task in list(self.in_flight):
                self.task_ends(task, "", killed=False)
            self.now += 10
        assert self.end is not None
        if self.end.state == "completed":
            assert set(self.ended) == set(self.files)


TestOwner = Owner.TestCase
TestOwner.settings = settings(max_examples=150, stateful_step_count=40, deadline=None, derandomize=True)


def test_every_end_was_reached_by_the_machine() -> None:
    """Runs after the machine, which stands above."""
    assert {
        "done", "failed", "locked", "verdict", "completed None", "stopped before", "stopped error_threshold", "stopped no_space",
    } <= SEEN_ENDS  # fmt: skip
