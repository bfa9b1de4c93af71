"""Answers `inspect` from processes of its own, so that it does so while all page processes are busy."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ocr_protocol import Error, Event, Result
from ocr_protocol.commands import Inspect
from ocr_worker.errors import BusyError
from ocr_worker.jobs.course import with_name
from ocr_worker.jobs.requests import absolute_path
from ocr_worker.model.tasks import Failure, Inspected, InspectTask, Outcome, Source
from ocr_worker.processes.guard import Guard
from ocr_worker.processes.pool import PagePool, TaskEnded
from ocr_worker.processes.slot import SlotMessage, SlotSpoke
from ocr_worker.settings import Settings

log = logging.getLogger(__name__)

LIMIT_SECONDS = 20
PATIENCE_SECONDS = 1
MOST_WAITING = 1000


@dataclass(frozen=True, slots=True)
class _Asked:
    command: Inspect
    since: float


class Inspector:
    """One process with its own queue, in the order of asking; a second one should a file hold up the first."""

    def __init__(
        self,
        settings: Settings,
        guard: Guard,
        post: Callable[[SlotMessage], None],
        send: Callable[[Event], None],
    ) -> None:
        self._pool, self._send = PagePool(2, settings, guard, post), send
        self._waiting: deque[Inspect] = deque()
        self._asked: dict[int, _Asked] = {}
        """Those in work by their tickets, the oldest first."""
        self._number, self._can_start = 0, True

    @property
    def busy(self) -> bool:
        return bool(self._asked)

    def warm(self) -> None:
        """Have a process ready before it is asked. After one that couldn't start, the next is for somebody who asks."""
        if self._can_start:
            try:
                self._pool.warm(1, None)
            except OSError as error:
                self._can_start = False
                log.warning("no process to inspect with: %s", error)

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
        self._can_start = isinstance(message, SlotSpoke) or message.slot.ticket != 0
        ended = self._pool.handle(message)
        if ended is not None:
            self._tell(ended)
            self._next()

    def _tell(self, ended: TaskEnded) -> None:
        self._send(_answer(self._asked.pop(ended.ticket).command, ended.outcome))

    def keep(self) -> None:
        """Put off its end: while there are jobs, a cold start would be too slow an answer."""
        self._pool.touch()

    def owns(self, message: SlotMessage) -> bool:
        return self._pool.owns(message)

    def tick(self) -> None:
        for ended in self._pool.tick():
            self._tell(ended)
        self._next()

    def next_tick(self) -> float | None:
        times = [self._pool.next_tick(), self._turn() if self._waiting and self._pool.free() else None]
        return min((at for at in times if at is not None), default=None)

    def close(self) -> None:
        self._pool.close()

    def _next(self) -> None:
        while self._waiting and self._pool.free() and time.monotonic() >= self._turn():
            self._begin(self._waiting.popleft())

    def _turn(self) -> float:
        """From when on another file is begun: at once, but where one is in work, when that takes long."""
        oldest = next(iter(self._asked.values()), None)
        return oldest.since + PATIENCE_SECONDS if oldest else 0.0

    def _begin(self, command: Inspect) -> None:
        task = InspectTask(Source(absolute_path(command.file), command.password))
        self._number += 1
        try:
            self._pool.start(self._number, task, LIMIT_SECONDS)
        except OSError as error:
            none = Failure("crashed", f"no process could be started to inspect it: {error}", retryable=True)
            self._send(_answer(command, none))
            return
        self._asked[self._number] = _Asked(command, time.monotonic())


def _answer(command: Inspect, outcome: Outcome) -> Event:
    if isinstance(outcome, Inspected):
        data: dict[str, Any] = {**outcome.report, "kind": "inspect", "file": command.file}
        return Result(id=command.id, command="inspect", data=data)
    failure = (
        outcome
        if isinstance(outcome, Failure)
        else Failure("internal", "The inspection gave no report.", retryable=False)
    )
    if failure.code == "timeout":
        late = f"it could not be looked into within {LIMIT_SECONDS} seconds; try again when the machine is less busy"
        failure = Failure("timeout", late, retryable=True)
    failure = with_name(failure, Source(absolute_path(command.file)).name, None)
    failure.details.pop("traceback", None)
    fields = {
        "message": failure.message,
        "code": failure.code,
        "retryable": failure.retryable,
        "details": {"file": command.file},
    }
    return Error(id=command.id, command="inspect", data=fields)
