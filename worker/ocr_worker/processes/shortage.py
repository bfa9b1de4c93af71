"""Tasks for which the machine had no process to give: kept until one is free, or one can be started after all."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from ocr_worker.model.tasks import Task

log = logging.getLogger(__name__)

SHORT = {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM}
"""The machine, or what it allows us, is used up for the moment."""
TRY_SECONDS = 0.5
STARVED_SECONDS = 10.0
"""So long without any process at all a task waits for one."""


@dataclass(frozen=True, slots=True)
class Order:
    ticket: int
    task: Task
    limit_seconds: float


class Shortage:
    """The orders that wait, in turn. Owned by the pool, whose `begin` raises OSError where no process can be had."""

    def __init__(self, begin: Callable[[Order], None]) -> None:
        self._begin = begin
        self.waiting: list[Order] = []
        self._since: float | None = None
        self.again_at, self._reason = 0.0, ""
        """When to try again, on the monotonic clock, while orders wait; why they do."""

    def begin(self, order: Order) -> None:
        """Begin it now or later. Raises OSError for what waiting does not mend."""
        if not self._begun(order):
            self.waiting.append(order)

    def drop(self, tickets: set[int]) -> None:
        self.waiting = [order for order in self.waiting if order.ticket not in tickets]

    def try_again(self, *, is_free: bool, has_any: bool) -> tuple[list[int], str]:
        """Begin what can be begun, at once where a process is free; the tickets of those given up, and why."""
        now = time.monotonic()
        if not self.waiting or (now < self.again_at and not is_free):
            return [], ""
        waiting, self.waiting = self.waiting, []
        while waiting and self._begun(waiting[0]):
            waiting.pop(0)
        self.waiting = waiting
        if not waiting or has_any or self._since is None or now - self._since < STARVED_SECONDS:
            return [], ""
        self.waiting = []
        return [order.ticket for order in waiting], self._reason

    def _begun(self, order: Order) -> bool:
        try:
            self._begin(order)
        except OSError as error:
            if error.errno not in SHORT:
                raise
            self._note(error)
            return False
        self._since = None
        return True

    def _note(self, error: OSError) -> None:
        now, self._reason = time.monotonic(), error.strerror or str(error)
        if self._since is None:
            self._since = now
            log.warning("the machine has no room for another page process (%s): going on with fewer", error)
        self.again_at = now + TRY_SECONDS
