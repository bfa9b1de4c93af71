"""A pool without processes: tasks end when its owner hears of them, as a script says. A whole batch runs in a moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ocr_worker.files.private import make_private
from ocr_worker.model.crew import Crew
from ocr_worker.model.tasks import (
    Composed,
    ComposeTask,
    CorrectTask,
    Drawn,
    Inspected,
    InspectTask,
    Opened,
    OpenTask,
    Outcome,
    OverlayTask,
    PageDone,
    PageSettings,
    PageTask,
    PictureTask,
    Task,
    Warmed,
    WarmTask,
)
from ocr_worker.processes.pool import PoolStats, TaskEnded
from ocr_worker.processes.reach import Place

PAGES = 3


@dataclass(frozen=True, slots=True)
class FakeEnd:
    pool: FakePool
    ticket: int


def well(task: Task) -> Outcome:
    """Every task ends well; every file has three pages."""
    match task:
        case OpenTask():
            return Opened("png", PAGES, "0" * 64, (1, 1, 1))
        case PageTask():
            make_private(Path(task.result_path).parent)
            Path(task.result_path).write_bytes(b"a result")
            return PageDone(task.page, "ok", 7, 90.0, 0.1)
        case ComposeTask() | CorrectTask():
            return Composed(task.outputs, 90.0, 7 * PAGES)
        case InspectTask():
            return Inspected({"type": "png", "bytes": 1, "pages": 1, "page_list": []})
        case OverlayTask() | PictureTask():
            return Drawn(7)
        case WarmTask():
            return Warmed()


@dataclass(eq=False)
class FakePool:
    """Answers in the order of asking. `outcome` says what comes of a task; None leaves it at work until it is killed."""

    post: Callable[[object], None]
    size: int = 2
    outcome: Callable[[Task], Outcome | None] = well
    started: list[Task] = field(default_factory=list)
    warmed: list[int] = field(default_factory=list)
    closed: bool = False
    took: Callable[[Task], tuple[float | None, bool]] = lambda task: (None, False)
    """How long, and whether it was the first of its kind of a process."""
    _tasks: dict[int, Task] = field(default_factory=dict)

    def free(self) -> int:
        return self.size - len(self._tasks)

    def free_here(self) -> int:
        return self.free()

    def warm(self, count: int, settings: PageSettings | None, output: Place | None = None) -> None:
        self.warmed.append(count)

    def start(self, ticket: int, task: Task, limit_seconds: float) -> None:
        assert self.free() > 0, "more tasks than there are places"
        self._tasks[ticket] = task
        self.started.append(task)
        self.post(FakeEnd(self, ticket))

    def kill(self, tickets: set[int]) -> None:
        for ticket in tickets:
            self._tasks.pop(ticket, None)

    def owns(self, message: object) -> bool:
        return isinstance(message, FakeEnd) and message.pool is self

    def handle(self, message: object) -> list[TaskEnded]:
        assert isinstance(message, FakeEnd)
        task = self._tasks.get(message.ticket)
        outcome = None if task is None else self.outcome(task)
        if task is None or outcome is None:
            return []
        del self._tasks[message.ticket]
        return [TaskEnded(message.ticket, outcome, *self.took(task))]

    def tick(self) -> None: ...

    def next_tick(self) -> float | None:
        return None

    def shift(self, seconds: float) -> None: ...

    def touch(self) -> None: ...

    def waiting(self) -> set[int]:
        return set()

    def recall(self, tickets: set[int]) -> set[int]:
        return set()

    def crew(self) -> Crew:
        return Crew(self.size)

    def stats(self) -> PoolStats:
        return PoolStats()

    def rss_bytes(self) -> int:
        return 0

    def close(self) -> None:
        self.closed = True
        self._tasks.clear()
