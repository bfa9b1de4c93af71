"""A pool that opens a file once its copy is there. Everything else is the business of the pool below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ocr_worker.model.crew import Crew
from ocr_worker.model.tasks import Failure, OpenTask, PageSettings, Task
from ocr_worker.processes.failures import none_started
from ocr_worker.processes.pool import Pool, PoolStats, TaskEnded
from ocr_worker.processes.reach import Place


@dataclass(frozen=True, slots=True)
class Arrived:
    """An input's copy is there, or is known not to come."""

    path: str
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class _Held:
    task: OpenTask
    limit_seconds: float


class GatedPool:
    """Owned by the runtime's thread, in whose inbox `Arrived` are put."""

    def __init__(self, below: Pool, post: Callable[[Arrived], None], begun: Callable[[str], None]) -> None:
        """Hold nothing yet.

        Args:
            below: does the tasks.
            post: puts a message into the owner's inbox.
            begun: is told the path of each file that is opened.
        """
        self._below, self._post, self._begun = below, post, begun
        self._held: dict[int, _Held] = {}
        """By ticket: files that are to be opened and are not there yet. Each keeps a place."""
        self._arrived: dict[str, Arrived] = {}

    @property
    def size(self) -> int:
        return self._below.size

    def free(self) -> int:
        return max(0, self._below.free() - len(self._held))

    def free_here(self) -> int:
        return self.free()

    def start(self, ticket: int, task: Task, limit_seconds: float) -> None:
        if not isinstance(task, OpenTask):
            self._below.start(ticket, task, limit_seconds)
            return
        arrived = self._arrived.get(task.source.path)
        if arrived is not None and arrived.failure is None:
            self._open(ticket, _Held(task, limit_seconds))
            return
        self._held[ticket] = _Held(task, limit_seconds)
        if arrived is not None:
            # Its end comes from `handle`, like all others.
            self._post(arrived)

    def kill(self, tickets: set[int]) -> None:
        for ticket in tickets:
            self._held.pop(ticket, None)
        self._below.kill(tickets)

    def owns(self, message: object) -> bool:
        return isinstance(message, Arrived) or self._below.owns(message)

    def handle(self, message: Any) -> list[TaskEnded]:
        if not isinstance(message, Arrived):
            return self._below.handle(message)
        self._arrived[message.path] = message
        waiting = [ticket for ticket, held in self._held.items() if held.task.source.path == message.path]
        return [ended for ticket in waiting if (ended := self._let_go(ticket, message)) is not None]

    def _let_go(self, ticket: int, arrived: Arrived) -> TaskEnded | None:
        held = self._held.pop(ticket)
        if arrived.failure is not None:
            return TaskEnded(ticket, arrived.failure)
        try:
            self._open(ticket, held)
        except OSError as error:
            return TaskEnded(ticket, none_started(str(error)))
        return None

    def _open(self, ticket: int, held: _Held) -> None:
        self._begun(held.task.source.path)
        self._below.start(ticket, held.task, held.limit_seconds)

    def warm(self, count: int, settings: PageSettings | None, output: Place | None = None) -> None:
        self._below.warm(count, settings, output)

    def waiting(self) -> set[int]:
        return self._held.keys() | self._below.waiting()

    def recall(self, tickets: set[int]) -> set[int]:
        return self._below.recall(tickets)

    def crew(self) -> Crew:
        return self._below.crew()

    def tick(self) -> None:
        self._below.tick()

    def next_tick(self) -> float | None:
        return self._below.next_tick()

    def shift(self, seconds: float) -> None:
        self._below.shift(seconds)

    def touch(self) -> None:
        self._below.touch()

    def stats(self) -> PoolStats:
        return self._below.stats()

    def rss_bytes(self) -> int:
        return self._below.rss_bytes()

    def close(self) -> None:
        self._below.close()
