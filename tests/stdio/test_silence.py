"""A host that says nothing for as long as it allowed itself is gone; each word starts the time anew."""

from __future__ import annotations

from ocr_worker.stdio.silence import LOOKS, Silence


def test_a_silent_host_is_given_up_after_its_time_and_not_before() -> None:
    silence = Silence(30.0)

    looks = [silence.look() for _ in range(LOOKS + 1)]

    assert looks == [False] * LOOKS + [True]
    assert LOOKS * silence.pause_seconds == 30.0


def test_a_word_of_the_host_starts_its_time_anew() -> None:
    silence = Silence(30.0)
    for _ in range(LOOKS):
        silence.look()

    silence.heard()

    assert not any(silence.look() for _ in range(LOOKS))
