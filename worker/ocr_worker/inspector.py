"""Answers `inspect` from a process of its own, so that it does so while all page processes are busy."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ocr_protocol import Error, Event, Result
from ocr_protocol.commands import Inspect
from ocr_worker.errors import BusyError
from ocr_worker.guard import Guard
from ocr_worker.job_state import with_name
from ocr_worker.options import absolute_path
from ocr_worker.page_pool import PagePool
from ocr_worker.page_slot import SlotMessage
from ocr_worker.pipeline.tasks import Failure, Inspected, InspectTask, Outcome, Source
from ocr_worker.settings import Settings

LIMIT_SECONDS = 60
MOST_WAITING = 1000


class Inspector:
    """A pool of one process with its own queue, in the order of asking."""

    def __init__(
        self,
        settings: Settings,
        guard: Guard,
        post: Callable[[SlotMessage], None],
        send: Callable[[Event], None],
    ) -> None:
        self._pool, self._send = PagePool(1, settings, guard, post), send
        self._waiting: deque[Inspect] = deque()
        self._asked: Inspect | None = None
        self._number = 0

    @property
    def busy(self) -> bool:
        return self._asked is not None

    def warm(self) -> None:
        """Have the process ready before it is asked."""
        self._pool.warm(1, None)

    def ask(self, command: Inspect) -> None:
        """Answer in turn.

        Raises:
            BusyError: too many inspections wait.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise BusyError(f"{MOST_WAITING} inspections are waiting. Ask again when some are answered.")
        self._waiting.append(command)
        self._next()

    def handle(self, message: SlotMessage) -> None:
        ended = self._pool.handle(message)
        if ended is not None and self._asked is not None:
            self._send(_answer(self._asked, ended.outcome))
            self._asked = None
            self._next()

    def keep_warm(self) -> None:
        """Put off its end: while a batch runs, a cold start would be too slow an answer."""
        self._pool.touch()

    def owns(self, message: SlotMessage) -> bool:
        return self._pool.owns(message)

    def tick(self) -> None:
        self._pool.tick()

    def next_tick(self) -> float | None:
        return self._pool.next_tick()

    def close(self) -> None:
        self._pool.close()

    def _next(self) -> None:
        if self._asked is None and self._waiting:
            self._asked = self._waiting.popleft()
            self._number += 1
            source = Source(absolute_path(self._asked.file), self._asked.password)
            self._pool.start(self._number, InspectTask(source), LIMIT_SECONDS)


def _answer(command: Inspect, outcome: Outcome) -> Event:
    if isinstance(outcome, Inspected):
        data: dict[str, Any] = {**outcome.report, "kind": "inspect", "file": command.file}
        return Result(id=command.id, command="inspect", data=data)
    failure = (
        outcome
        if isinstance(outcome, Failure)
        else Failure("internal", "The inspection gave no report.", retryable=False)
    )
    failure = with_name(failure, Path(command.file).name, None)
    failure.details.pop("traceback", None)
    fields = {
        "message": failure.message,
        "code": failure.code,
        "retryable": failure.retryable,
        "details": {"file": command.file},
    }
    return Error(id=command.id, command="inspect", data=fields)
