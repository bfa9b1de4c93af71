"""What hosts are told of time and of rivals: how far off the time left was, and what the table beside tesseract.js says."""

from __future__ import annotations

import pytest

from bench import hosts
from bench.eta import Course, Figure, Told, errors, key, rates, table
from bench.hosts import Figures
from bench.meter import Run
from bench.pairs import Row
from samples.scores import Score


def test_the_time_left_is_judged_at_the_first_news_beyond_each_mark_by_what_was_left() -> None:
    told = [Told(1, 0.05, 100), Told(2, 0.1, 12), Told(3, 0.15, 1), Told(6, 0.6, 2), Told(10, 1, 0)]

    found = errors(told, end=10)

    assert found == {"10%": 0.5, "20%": -0.5, "30%": -0.5, "50%": -0.5, "80%": None}


def test_nothing_told_is_no_error_and_no_miss() -> None:
    course = Course(5, errors([Told(1, 0.5, None)], end=5), (2, 2))

    assert set(course.errors.values()) == {None}
    assert Figure("cards", 10, (course,)).missed() is None
    assert "| – |" in table([Figure("cards", 10, (course,))])


def _course(error: float, had: tuple[float, float]) -> Course:
    return Course(10, dict.fromkeys(map(key, (0.1, 0.2, 0.3, 0.5, 0.8)), error), had)


@pytest.mark.parametrize(
    ("error", "had", "is_missed"),
    [(0.4, (1.5, 1.8), True), (-0.4, (1.5, 1.8), True), (0.3, (1.8, 1.8), False), (0.9, (0.5, 1.5), False)],
)
def test_a_tenth_of_the_way_counts_where_the_load_did_not_change(
    error: float,
    had: tuple[float, float],
    is_missed: bool,  # noqa: FBT001
) -> None:
    missed = Figure("cards", 10, (_course(error, had),)).missed()

    assert (missed is not None) == is_missed


def test_what_was_had_of_the_processors_is_counted_apart_before_and_after_the_mark() -> None:
    assert rates((2.0, 3.0), (10.0, 7.0)) == (1.5, 0.5)


def test_the_table_has_a_row_a_question_and_a_column_a_contender() -> None:
    good = Score(0, 100, 0, 20, 20, 20)
    runs = {
        name: [Run(seconds, 2 * seconds, 50_000_000)]
        for name, seconds in ((hosts.OURS, 5.0), (hosts.THEIRS, 20.0))
    }
    row = Row("ten-scans", 10, runs, dict.fromkeys(runs, good), {hosts.OURS: good}, {hosts.OURS: 2048})
    documents = {hosts.OURS: "searchable PDF", hosts.THEIRS: "fails: Error"}

    lines = hosts.table(Figures(row, {}, {hosts.THEIRS: 66_000_000}, None, documents)).splitlines()

    assert "| a PDF goes in | searchable PDF | fails: Error |" in lines
    assert "| pages a second, 10 scans | 2.00 | 0.50 |" in lines
    assert "| PDF larger than the scan, KiB a page | +2.0 | no PDF |" in lines
    assert "| files to carry, MB | not built: make sidecar | 66 |" in lines
