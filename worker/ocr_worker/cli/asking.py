"""Ask a page process for single answers: what a file is, what stands on a page."""

from __future__ import annotations

import queue
import time
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from typing_extensions import Self

from ocr_worker.errors import EngineError, OcrError
from ocr_worker.jobs.course import with_name
from ocr_worker.model.tasks import Failure, Outcome, Task
from ocr_worker.processes.guard import Guard
from ocr_worker.processes.pool import PagePool, TaskEnded
from ocr_worker.processes.slot import SlotMessage
from ocr_worker.settings import Settings

LIMIT_SECONDS = 120
Wanted = TypeVar("Wanted", bound=Outcome)


class TaskFailedError(OcrError):
    """What a page process answered when it could not."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.code = failure.code


class Asker:
    """One page process, which ends with the context. It may write into `output` and the settings' folder of page results."""

    def __init__(self, settings: Settings, output: Path | None = None) -> None:
        self._inbox: queue.SimpleQueue[SlotMessage] = queue.SimpleQueue()
        self._pool = PagePool(1, settings, Guard(), self._inbox.put)
        if output is not None:
            self._pool.warm(1, None, (str(output), None))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

    def ask(self, task: Task, wanted: type[Wanted], name: str) -> Wanted:
        """The outcome, which is of the wanted class. Raises OcrError, which names the file."""
        self._pool.start(1, task, LIMIT_SECONDS)
        while (ended := self._next()) is None:
            pass
        if isinstance(ended.outcome, Failure):
            raise TaskFailedError(with_name(ended.outcome, name, None))
        if not isinstance(ended.outcome, wanted):
            raise EngineError(f"The page process answered with {type(ended.outcome).__name__}.")
        return ended.outcome

    def _next(self) -> TaskEnded | None:
        due = self._pool.next_tick()
        try:
            message = self._inbox.get(timeout=None if due is None else max(0.0, due - time.monotonic()))
        except queue.Empty:
            return next(iter(self._pool.tick()), None)
        return self._pool.handle(message)


def absolute(file: Path) -> Path:
    """The same name from any folder; links stay as they are."""
    return Path.cwd() / file
