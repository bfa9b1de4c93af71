"""Single answers of a page process: what a file is, what stands on a page. They wait for no job."""

from __future__ import annotations

import logging
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

from ocr_worker.errors import BusyError, CrashedError, EngineError, OcrError, PageTimeoutError
from ocr_worker.jobs.course import with_name
from ocr_worker.model.results import Inspection, PageFacts
from ocr_worker.model.tasks import Failure, Inspected, InspectTask, Outcome, OverlayTask, PageTask, Source
from ocr_worker.processes.pool import Pool
from ocr_worker.processes.slot import SlotSpoke

log = logging.getLogger(__name__)

INSPECT_SECONDS = 20
"""An inspection that takes longer is given up."""
PATIENCE_SECONDS = 1
"""From then on a second question is begun beside one that takes long."""
MOST_WAITING = 1000

Question = InspectTask | PageTask | OverlayTask


class PageTaskError(OcrError):
    """What a page process answered when it could not."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.code = failure.code


@dataclass(eq=False, slots=True)
class _Asked:
    question: Question
    limit_seconds: float
    answer: Future[Outcome] = field(default_factory=Future)
    since: float = 0.0


class PageRequests:
    """Questions in the order of asking: one at a time, and a second one should the first hold it up."""

    def __init__(self, pool: Pool) -> None:
        """The pool is its own, so that it answers while all page processes of jobs are busy."""
        self.pool = pool
        self.waiting: deque[_Asked] = deque()
        self._asked: dict[int, _Asked] = {}
        """Those in work by their tickets, the oldest first."""
        self._last_ticket, self._can_start = 0, True

    @property
    def busy(self) -> bool:
        return bool(self._asked or self.waiting)

    def warm(self) -> None:
        """Have a process ready before it is asked. After one that died before its first word, the next is for somebody who asks."""
        if self._can_start:
            try:
                self.pool.warm(1, None)
            except OSError as error:
                self._can_start = False
                log.warning("no process to inspect with: %s", error)

    def ask(self, question: Question, limit_seconds: float) -> Future[Outcome]:
        """Answer in turn.

        Raises:
            BusyError: too many questions wait.
        """
        if len(self.waiting) >= MOST_WAITING:
            raise BusyError(f"{MOST_WAITING} inspections are waiting. Ask again when some are answered.")
        asked = _Asked(question, limit_seconds)
        asked.answer.set_running_or_notify_cancel()
        self.waiting.append(asked)
        self._begin_next()
        return asked.answer

    def handle(self, message: object) -> None:
        """Take in what the pool posted."""
        self._can_start = isinstance(message, SlotSpoke) or bool(self._asked)
        for ended in self.pool.handle(message):
            self._asked.pop(ended.ticket).answer.set_result(ended.outcome)
        self._begin_next()

    def step(self) -> None:
        """Begin what has its turn."""
        self._begin_next()

    def next_step(self) -> float | None:
        """When `step` has something to do, on the monotonic clock."""
        return self._turn() if self.waiting and self.pool.free() else None

    def close(self) -> None:
        """End all processes; who still waits for an answer is told."""
        self.pool.close()
        gone = Failure.of(CrashedError("the worker has ended"))
        for asked in [*self._asked.values(), *self.waiting]:
            asked.answer.set_result(gone)
        self._asked.clear()
        self.waiting.clear()

    def _begin_next(self) -> None:
        while self.waiting and self.pool.free() and time.monotonic() >= self._turn():
            self._begin(self.waiting.popleft())

    def _turn(self) -> float:
        """From when on another question is begun: at once, but where one is in work, when that takes long."""
        oldest = next(iter(self._asked.values()), None)
        return oldest.since + PATIENCE_SECONDS if oldest else 0.0

    def _begin(self, asked: _Asked) -> None:
        self._last_ticket += 1
        try:
            self.pool.start(self._last_ticket, asked.question, asked.limit_seconds)
        except OSError as error:
            none = Failure.of(CrashedError(f"no process could be started for it: {error}"))
            asked.answer.set_result(none)
            return
        asked.since = time.monotonic()
        self._asked[self._last_ticket] = asked


def inspection(file: str, source: Source, outcome: Outcome) -> Inspection:
    """What a file is, from what a page process says of it.

    Args:
        file: its path, as it was given.
        source: the file.
        outcome: of an InspectTask.

    Raises:
        OcrError: it could not be looked into; the message names the file.
    """
    if isinstance(outcome, Inspected):
        report = {**outcome.report, "file": file}
        page_list = tuple(PageFacts(**page) for page in report.pop("page_list"))
        return Inspection(**report, page_list=page_list)
    raise failed(outcome, source.name, INSPECT_SECONDS)


def failed(outcome: Outcome, name: str, limit_seconds: float) -> OcrError:
    """The error that a question ends with, naming the file."""
    if not isinstance(outcome, Failure):
        return EngineError(f"The page process answered with {type(outcome).__name__}.")
    if traceback := outcome.details.get("traceback"):
        log.error("%s:\n%s", name, traceback)
    if outcome.code == "timeout":
        late = f"it could not be looked into within {limit_seconds:g} seconds; try again when the machine is less busy"
        outcome = Failure.of(PageTimeoutError(late))
    return PageTaskError(with_name(outcome, name, None))
