"""What tests and benchmark both drive: clusters in one process and on four machines (network namespaces), the service."""

from __future__ import annotations

import time
from collections.abc import Callable

HANG_SECONDS = 300
"""Whatever takes longer here hangs."""


def await_that(holds: Callable[[], bool], what: str, seconds: float = HANG_SECONDS) -> float:
    """Wait until it holds; how long that took."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > seconds:
            raise TimeoutError(what)
        time.sleep(0.02)
    return time.monotonic() - begun
