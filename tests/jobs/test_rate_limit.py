from __future__ import annotations

import pytest

from ocr_worker.jobs.rate_limit import PageRate


@pytest.mark.parametrize(("per_minute", "expected"), [(20, 20), (0.5, 1), (6000, 600), (None, 600)])
def test_in_a_minute_so_many_pages_start_and_no_more(per_minute: float | None, expected: int) -> None:
    ticks = [number / 10 for number in range(600)]
    clock = iter(ticks)
    rate = PageRate(per_minute, lambda: next(clock))

    started = sum(rate.may_start() for _ in ticks)

    assert started == expected
