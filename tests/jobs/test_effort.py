"""The time left that is told after a tenth of the pages, of jobs that are played through on a clock of their own."""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pytest

from ocr_worker.jobs.effort import NEARLY, WRITING_SHARE, Effort, InWork

STARTING_SECONDS = 1.5
"""Of a page process, before its first page."""


@dataclass(frozen=True, order=True)
class Step:
    number: int
    kind: Literal["open", "page", "fail", "write"]
    page: int = 0


@dataclass
class Game:
    """A job, done by so many processes that begin at the same time."""

    files: Sequence[Sequence[int]]
    """The weights of the pages of each."""
    processes: int
    page_seconds: Callable[[int], float]
    """By the weight."""
    opening_seconds: float = 0.0
    writing_seconds: float = 0.0
    """A page."""
    first_seconds: tuple[float, float] = (0.0, 0.0)
    """Beside that, of the first page of a process, and of its first opening and writing."""
    failing: Callable[[int], bool] = lambda page: False
    """Whether the first try of a page fails."""
    effort: Effort = field(default_factory=Effort)
    _pages_left: dict[int, int] = field(default_factory=dict)
    """Of each opened file."""
    _done: set[tuple[int, str]] = field(default_factory=set)
    """By which process, and what kind of step."""

    def play(self) -> tuple[float, float]:
        """What was told after a tenth of the pages, and what the rest took."""
        steps = deque(self._steps())
        self.effort.bytes_to_come = sum(self._size(number) for number in range(len(self.files)))
        tenth, ended, now = math.ceil(sum(map(len, self.files)) / 10), 0, STARTING_SECONDS
        told: tuple[float, float] | None = None
        running: list[tuple[float, float, Step, int]] = []
        idle = list(range(self.processes))
        while steps or running:
            while idle and (step := self._next(steps)):
                process = idle.pop(0)
                heapq.heappush(running, (now + self._seconds(step, process), now, step, process))
            if told is None and ended >= tenth:
                told = self._told(steps, running, now), now
            now, begun, step, process = heapq.heappop(running)
            idle.append(process)
            self._end(step, now - begun, is_first=self._is_first(step, process))
            self._done.add((process, step.kind))
            ended += step.kind == "page"
        assert told is not None
        return told[0], now - told[1]

    def _size(self, number: int) -> int:
        """Of one file, by how well its pages are packed."""
        return round(sum(self.files[number]) * 40 * random.Random(number).uniform(0.6, 1.4))

    def _next(self, steps: deque[Step]) -> Step | None:
        """The first one that may be done: pages after their file was opened, its writing after all of them."""
        for step in steps:
            left = self._pages_left.get(step.number)
            if step.kind == "open" or (left == 0 if step.kind == "write" else left):
                steps.remove(step)
                return step
        return None

    def _steps(self) -> list[Step]:
        steps = []
        for number, weights in enumerate(self.files):
            steps.append(Step(number, "open"))
            for page in range(len(weights)):
                steps += [Step(number, "fail", page)] if self.failing(page) else []
                steps.append(Step(number, "page", page))
            steps.append(Step(number, "write"))
        return steps

    def _is_first(self, step: Step, process: int) -> bool:
        return (process, step.kind) not in self._done

    def _seconds(self, step: Step, process: int) -> float:
        more = self.first_seconds[step.kind in {"open", "write"}]
        return self._own_seconds(step) + more * self._is_first(step, process)

    def _own_seconds(self, step: Step) -> float:
        weights = self.files[step.number]
        match step.kind:
            case "open":
                return self.opening_seconds
            case "write":
                return self.writing_seconds * len(weights)
            case _:
                return self.page_seconds(weights[step.page])

    def _end(self, step: Step, seconds: float, *, is_first: bool) -> None:
        weights = self.files[step.number]
        match step.kind:
            case "open":
                self.effort.opening_took(seconds, is_first=is_first)
                self.effort.file_opened(step.number, len(weights), weights, self._size(step.number))
                self._pages_left[step.number] = len(weights)
            case "page":
                self.effort.page_took(weights[step.page], seconds, is_first=is_first)
                self.effort.page_ended(step.number, weights[step.page])
                self._pages_left[step.number] -= 1
            case "fail":
                self.effort.try_took(seconds)
            case "write":
                self.effort.writing_took(len(weights), seconds, is_first=is_first)
                self.effort.file_ended(step.number)

    def _told(self, steps: deque[Step], running: list[tuple[float, float, Step, int]], now: float) -> float:
        in_work = [
            InWork("", step.number, step.page, self._weight(step), now - begun)
            for _, begun, step, _ in running
        ]
        opening = [step.kind for step in (*steps, *(step for _, _, step, _ in running))].count("open")
        left = self.effort.seconds_left(in_work, self.processes, opening)
        assert left is not None
        return left

    def _weight(self, step: Step) -> int | None:
        return None if step.kind in {"open", "write"} else self.files[step.number][step.page]


def uneven(seed: int) -> Callable[[int], float]:
    """Pages of one size take from half to one and a half of what their size and they themselves take on average."""
    luck = random.Random(seed)
    return lambda weight: (0.3 + weight / 5000) * luck.uniform(0.5, 1.5)


def sizes(count: int, seed: int) -> list[int]:
    luck = random.Random(seed)
    return [luck.choice((900, 4000, 8700, 8700, 8700, 17_000)) for _ in range(count)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("processes", [1, 2, 8])
def test_a_long_file_of_pages_of_many_sizes(processes: int, seed: int) -> None:
    told, took = Game([sizes(200, seed)], processes, uneven(seed), 0.2, 0.015).play()

    assert told == pytest.approx(took, rel=0.3)


@pytest.mark.parametrize("processes", [1, 2, 8])
def test_pages_in_work_count_for_what_is_done_of_them(processes: int) -> None:
    told, took = Game([[8700] * 40], processes, lambda _: 2.0, 0.0, 0.03).play()

    assert told == pytest.approx(took, rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_many_small_files_whose_opening_and_writing_take_their_part(seed: int) -> None:
    files = [[weight] for weight in sizes(100, seed)]

    told, took = Game(files, 2, uneven(seed), 0.3, 0.4).play()

    assert told == pytest.approx(took, rel=0.3)


@pytest.mark.parametrize("seed", range(5))
def test_pages_that_are_tried_twice(seed: int) -> None:
    first = (0.4, 0.05)
    told, took = Game([sizes(100, seed)], 2, uneven(seed), 0.0, 0.0, first, lambda page: page % 4 == 0).play()

    assert told == pytest.approx(took, rel=0.3)


def test_what_each_page_takes_of_itself_is_told_from_what_its_size_takes() -> None:
    """The large pages come last: by size alone they would be taken to need ten times as long."""
    files = [[1000, 2000] * 10 + [15_000] * 20]

    told, took = Game(files, 2, lambda weight: 1.0 + weight / 15_000).play()

    assert told == pytest.approx(took, rel=0.3)


def test_a_long_document_behind_letters_is_known_by_its_bytes() -> None:
    told, took = Game([*[[8700]] * 9, [8700] * 81], 2, lambda _: 2.0).play()

    assert told == pytest.approx(took, rel=0.3)


def test_a_rate_that_was_asked_for_is_kept_to() -> None:
    effort = Effort(least_page_seconds=6)
    effort.file_opened(1, 10, [1] * 10)
    effort.page_took(1, 0.5)
    effort.page_ended(1, 1)

    assert effort.seconds_left([], 8, 0) == 9 * 6


def test_a_page_that_takes_much_longer_than_expected_is_nearly_done_and_not_over_due() -> None:
    effort = Effort()
    effort.file_opened(1, 2, [1, 1])
    effort.page_took(1, 2.0)
    effort.page_ended(1, 1)

    assert effort.seconds_left([InWork("", 1, 2, 1, 100.0)], 2, 0) == pytest.approx(0.2)


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    "files",
    [[[8700] * 2] * 20, [[8700] * 40], [[630]] * 200, [[8700, 630, 630] * 20]],
    ids=["letters of two pages", "one long scan", "cards", "pages of all sizes"],
)
def test_what_a_process_does_for_the_first_time_does_not_count_for_the_rest(
    files: list[list[int]], processes: int
) -> None:
    """Times as on two cores at rest: 0.4 s beside 0.05 for a card, and 0.45 for a sheet."""
    game = Game(files, processes, lambda weight: 0.05 + weight / 22_000, 0.001, 0.01, (0.4, 0.05))

    told, took = game.play()

    assert told == pytest.approx(took, rel=0.2)


@pytest.mark.parametrize("kind", ["page", "opening", "writing"])
def test_first_ones_count_as_they_are_while_there_are_no_others(kind: str) -> None:
    effort, rest = of_ten_files()
    took(effort, "writing" if kind == "page" else "page", 0.0)
    for _ in range(2):
        took(effort, kind, 3.0, is_first=True)
    assert rest() == pytest.approx(10 * 3.0)

    # Of two seconds more one half is believed.
    took(effort, kind, 1.0)
    assert rest() == pytest.approx(10 * (1.0 + 2 * 2.0) / 3)

    for _ in range(98):
        took(effort, kind, 1.0)
    assert rest() == pytest.approx(10 * 1.0, rel=0.002)


def test_first_ones_that_took_no_longer_are_like_the_others() -> None:
    effort, rest = of_ten_files()
    took(effort, "writing", 0.0)
    took(effort, "page", 1.0, is_first=True)
    took(effort, "page", 3.0)

    assert rest() == pytest.approx(10 * 2.0)


def test_a_file_is_written_by_one_process_once_all_its_pages_have_ended() -> None:
    effort = Effort()
    effort.file_opened(1, 100, [1] * 100)
    for _ in range(90):
        effort.page_took(1, 1.0)
        effort.page_ended(1, 1)
    assert effort.seconds_left([], 2, 0) == pytest.approx(10 * 1.0 / 2 + 100 * WRITING_SHARE)

    for _ in range(10):
        effort.page_took(1, 1.0)
        effort.page_ended(1, 1)
    writing = [effort.seconds_left([InWork("", 1, None, None, seconds)], 2, 0) for seconds in (0.5, 100.0)]
    assert writing == pytest.approx([100 * WRITING_SHARE - 0.5, 100 * WRITING_SHARE * (1 - NEARLY)])

    effort.writing_took(50, 4.0)
    assert effort.seconds_left([InWork("", 1, None, None, 3.0)], 2, 0) == pytest.approx(8.0 - 3.0)


@pytest.mark.parametrize(("lost", "told"), [(0.0, 6 * 0.5), (0.8, 6 * (0.5 + 0.2))])
def test_a_resumed_job_learns_from_its_new_processes_alone(lost: float, told: float) -> None:
    """Thirty of forty pages were read before. Of 0.3 s more for first ones two thirds are believed; lost tries are shared out."""
    effort = Effort()
    effort.writing_took(1, 0.0)
    effort.file_opened(1, 40, [8700] * 10)
    for seconds, is_first in ((0.75, True), (0.75, True), (0.45, False), (0.45, False)):
        effort.page_took(8700, seconds, is_first=is_first)
        effort.page_ended(1, 8700)
    effort.try_took(lost)

    assert effort.seconds_left([], 2, 0) == pytest.approx(told / 2)


def of_ten_files() -> tuple[Effort, Callable[[], float]]:
    """A job of which one file of one page is done, and what one process will take for the ten that are left."""
    effort = Effort()
    effort.file_opened(1, 1, [1])
    effort.page_ended(1, 1)
    effort.file_ended(1)

    def rest() -> float:
        left = effort.seconds_left([], 1, 10)
        assert left is not None
        return left

    return effort, rest


def took(effort: Effort, kind: str, seconds: float, *, is_first: bool = False) -> None:
    match kind:
        case "page":
            effort.page_took(1, seconds, is_first=is_first)
        case "opening":
            effort.opening_took(seconds, is_first=is_first)
        case _:
            effort.writing_took(1, seconds, is_first=is_first)
