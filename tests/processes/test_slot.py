"""Waiting for killed processes takes one time, however many they are."""

from __future__ import annotations

from typing import cast

from ocr_worker.processes.slot import Slot, await_gone


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Undying:
    """A killed process that the system does not let go: each wait for it takes all the time it is given."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def wait_gone(self, seconds: float) -> None:
        self._clock.now += seconds


def test_processes_that_do_not_die_are_waited_for_together() -> None:
    clock = Clock()
    undying = [cast("Slot", Undying(clock)) for _ in range(5)]

    await_gone(undying, 0.5, clock)

    assert clock.now == 100.5
