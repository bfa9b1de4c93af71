"""How the store stands: asked once in a moment, and anew wherever clients were told something."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

MOMENT_SECONDS = 0.04
"""Of a job in work the store is written a hundred times a second, and each time its answers would be made anew."""


class Moment:
    """For the thread of the event loop."""

    def __init__(self, version: Callable[[], Hashable | None], seconds: float = MOMENT_SECONDS) -> None:
        """`version` differs whenever what is told of jobs may; None if that has to be found out."""
        self._version, self._seconds = version, seconds
        self._last: Hashable | None = None
        self._until: float = 0.0

    def lately(self) -> Hashable | None:
        """The version as it is, or as it was a moment ago if nothing was told since."""
        return self._last if time.monotonic() < self._until else self.now()

    def now(self) -> Hashable | None:
        """The version as it is."""
        self._last = self._version()
        self._until = time.monotonic() + self._seconds if self._last is not None else 0.0
        return self._last

    def pass_by(self) -> None:
        """Clients are told of something now: what they are told from here on is not older."""
        self._until = 0.0
