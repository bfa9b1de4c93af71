"""Single questions to a page process: inspect a file, read, draw or correct a page. They wait for no job."""

from __future__ import annotations

import logging
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

from ocr_worker.errors import BusyError, CrashedError, EngineError, OcrError, PageTimeoutError, error_of
from ocr_worker.model.results import Inspection, PageFacts
from ocr_worker.model.tasks import (
    CorrectTask,
    Failure,
    Inspected,
    InspectTask,
    Outcome,
    OverlayTask,
    PageTask,
    PictureTask,
    Source,
    WarmTask,
)
from ocr_worker.processes.messages import has_its_types
from ocr_worker.processes.pool import Pool
from ocr_worker.processes.slot import WARM_UP, SlotEnded

log = logging.getLogger(__name__)

INSPECT_SECONDS = 20
"""Time limit of an inspection."""
PATIENCE_SECONDS = 1
"""After so long a second question starts beside the first."""
MOST_WAITING = 1000

Question = InspectTask | PageTask | CorrectTask | OverlayTask | PictureTask | WarmTask


@dataclass(eq=False, slots=True)
class _Asked:
    question: Question
    limit_seconds: float
    answer: Future[Outcome] = field(default_factory=Future)
    since: float = 0.0


class PageRequests:
    """Questions in order, one at a time; a second one starts if the first takes long."""

    def __init__(self, pool: Pool) -> None:
        """The pool is separate from that of jobs, so that it can answer while all of those are busy."""
        self.pool = pool
        self.waiting: deque[_Asked] = deque()
        self._asked: dict[int, _Asked] = {}
        """Questions in work by ticket, the oldest first."""
        self._last_ticket, self._can_start = 0, True

    @property
    def busy(self) -> bool:
        return bool(self._asked or self.waiting)

    def warm(self) -> None:
        """Have a process ready. If one died before it answered, start the next only for a question."""
        if self._can_start:
            try:
                self.pool.warm(1, None)
            except OSError as error:
                self._can_start = False
                log.warning("no process to inspect with: %s", error)

    def ask(self, question: Question, limit_seconds: float | None) -> Future[Outcome]:
        """Answer in turn, within the limit of an inspection if none is given.

        Raises:
            BusyError: too many questions wait.
        """
        if len(self.waiting) >= MOST_WAITING:
            raise BusyError(f"{MOST_WAITING} inspections are waiting. Try again when some are answered.")
        asked = _Asked(question, limit_seconds or INSPECT_SECONDS)
        asked.answer.set_running_or_notify_cancel()
        self.waiting.append(asked)
        self._begin_next()
        return asked.answer

    def handle(self, message: object) -> None:
        """Handle a message of the pool."""
        self._can_start = not (isinstance(message, SlotEnded) and message.slot.ticket == WARM_UP)
        for ended in self.pool.handle(message):
            self._asked.pop(ended.ticket).answer.set_result(ended.outcome)
        self._begin_next()

    def step(self) -> None:
        """Start the next question if it is due."""
        self._begin_next()

    def next_step(self) -> float | None:
        """When `step` is due, on the monotonic clock."""
        return self._turn() if self.waiting and self.pool.free() else None

    def close(self) -> None:
        """End all processes, and fail questions that wait."""
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
        """When the next question may start: at once, or after a while if one is in work."""
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
    """Turn the outcome of an InspectTask into an Inspection.

    Args:
        file: its path, as it was given.
        source: the file.
        outcome: of an InspectTask.

    Raises:
        OcrError: the file can't be inspected; the message names it.
    """
    if isinstance(outcome, Inspected):
        with suppress(KeyError, TypeError):
            report = {**outcome.report, "file": file}
            page_list = tuple(PageFacts(**page) for page in report.pop("page_list"))
            if has_its_types(found := Inspection(**report, page_list=page_list)):
                return found
        raise EngineError(f"{source.name}: the page process answered with no report.")
    raise failed(outcome, source.name, INSPECT_SECONDS)


def failed(outcome: Outcome, name: str, limit_seconds: float) -> OcrError:
    """The error of a question that failed; it names the file."""
    if not isinstance(outcome, Failure):
        return EngineError(f"The page process answered with {type(outcome).__name__}.")
    if traceback := outcome.details.get("traceback"):
        log.error("%s:\n%s", name, traceback)
    if outcome.code == "timeout":
        late = f"it took longer than {limit_seconds:g} seconds; try again when the machine is less busy"
        outcome = Failure.of(PageTimeoutError(late))
    return error_of(outcome.code, outcome.with_name(name).message)
