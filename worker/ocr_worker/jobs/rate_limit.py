"""At most so many pages a minute, evenly spread: for machines that must stay cool. On a clock that never jumps."""

from __future__ import annotations

import time
from collections.abc import Callable


class PageRate:
    def __init__(self, per_minute: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = 60 / per_minute if per_minute else 0.0
        self._clock = clock
        self.next_at = 0.0
        """When the next page may start."""

    def may_start(self) -> bool:
        """Whether a page may start now; it is then taken to do so."""
        now = self._clock()
        if now < self.next_at:
            return False
        self.next_at = now + self._seconds
        return True
