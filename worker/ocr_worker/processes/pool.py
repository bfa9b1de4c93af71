"""The page processes: which of them does what, and which come and go. One death is one slot's.

Owned by one thread, to whose inbox the slots post.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ocr_worker.errors import CrashedError, PageTimeoutError
from ocr_worker.files.sweep import leave_temp_folder
from ocr_worker.model.tasks import Failure, Outcome, PageDone, PageSettings, Task
from ocr_worker.processes import messages
from ocr_worker.processes.guard import Guard
from ocr_worker.processes.slot import WARM_UP, Slot, SlotEnded, SlotMessage, SlotSpoke, await_gone
from ocr_worker.settings import MIB, Settings

log = logging.getLogger(__name__)

LEAVE_SECONDS = 2.0
"""How long a process that was let go or killed may take before it is killed (again)."""
KILL_SECONDS = 0.5
"""How long is waited for killed processes to be gone, for all of them together."""


@dataclass(frozen=True, slots=True)
class TaskEnded:
    ticket: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class PoolStats:
    """Counted since the pool was made."""

    deaths: int = 0
    """Processes that ended without an order."""
    recycled: int = 0
    """Processes that were replaced to give memory back."""


class Pool(Protocol):
    """Runs tasks somewhere else, each of which can be killed without the others noticing. One thread owns it."""

    @property
    def size(self) -> int:
        """How many tasks may be at work; may change between two ticks."""
        ...

    def free(self) -> int:
        """How many tasks can be started now."""
        ...

    def warm(self, count: int, settings: PageSettings | None) -> None:
        """Be ready for up to `count` tasks, with engine and model loaded where settings name them."""
        ...

    def start(self, ticket: int, task: Task, limit_seconds: float) -> None:
        """Start a task; needs a free place. Its end comes from `handle`, soon after its limit at the latest.

        Raises:
            OSError: it can't be started.
        """
        ...

    def kill(self, tickets: set[int]) -> None:
        """End tasks at once; nothing more is heard of them, and they write no more."""
        ...

    def owns(self, message: object) -> bool:
        """Whether a message in the owner's inbox is this pool's."""
        ...

    def handle(self, message: Any) -> list[TaskEnded]:
        """Take in a message that this pool posted to its owner's inbox; the tasks that ended with it."""
        ...

    def tick(self) -> None:
        """Kill what is overdue; let go what is idle for long."""
        ...

    def next_tick(self) -> float | None:
        """When `tick` has something to do, on the monotonic clock."""
        ...

    def shift(self, seconds: float) -> None:
        """Move all deadlines: the clock ran on while nothing could."""
        ...

    def touch(self) -> None:
        """Count idle time from now."""
        ...

    def stats(self) -> PoolStats: ...

    def rss_bytes(self) -> int:
        """Resident memory of all that works for it on this machine."""
        ...

    def close(self) -> None:
        """End everything, by force, and leave no temporary file."""
        ...


def make_pool(size: int, settings: Settings, guard: Guard, post: Callable[[SlotMessage], None]) -> Pool:
    """The pool that a runtime works with.

    Args:
        size: how many tasks may be at work.
        settings: of the worker.
        guard: sees to it that no process outlives this one.
        post: puts a message into the owner's inbox, from any thread.
    """
    return PagePool(size, settings, guard, post)


class PagePool:
    """Runs tasks in at most `size` page processes, each of which can be killed without the others noticing."""

    def __init__(
        self, size: int, settings: Settings, guard: Guard, post: Callable[[SlotMessage], None]
    ) -> None:
        self.size, self._deaths, self._recycled = size, 0, 0
        self._settings, self._guard, self._post = settings, guard, post
        self._slots: list[Slot] = []
        self._leaving: dict[Slot, float] = {}
        """Processes that were let go or killed and are not known to be gone, and when they are killed (again)."""

    def free(self) -> int:
        """How many tasks can be started now."""
        return self.size - len(self.tickets())

    def tickets(self) -> set[int]:
        """The tasks in work."""
        return {slot.ticket for slot in self._slots if slot.ticket}

    def warm(self, count: int, settings: PageSettings | None) -> None:
        """Have up to `count` processes ready, with engine and model loaded where settings name them."""
        for slot in self._slots if settings is not None else ():
            if slot.is_bare and not slot.ticket:
                slot.warm(settings)
        for _ in range(min(count, self.size) - len(self._slots)):
            try:
                slot = self._spawn()
            except OSError as error:
                log.warning("no page process can be started ahead of its work: %s", error)
                return
            slot.warm(settings)

    def start(self, ticket: int, task: Task, limit_seconds: float) -> None:
        """Start a task; needs a free slot. Its end comes as TaskEnded from `handle`, soon after its limit at the latest.

        Raises:
            OSError: no process can be started.
        """
        for slot in [slot for slot in self._slots if slot.ticket is None and slot.has_died()]:
            # At rest, and its reader has not said so yet.
            self._kill(slot)
        idle = [slot for slot in self._slots if slot.ticket is None]
        warming = [slot for slot in self._slots if slot.ticket == WARM_UP]
        if idle:
            slot = idle[-1]
        elif warming:
            # Its pipe holds the task until the warm-up is over; another process would be one more than was asked for.
            slot = warming[0]
        else:
            slot = self._spawn()
        slot.give(ticket, task, limit_seconds)

    def kill(self, tickets: set[int]) -> None:
        """End tasks at once; nothing more is heard of them, and they write no more."""
        killed = [slot for slot in self._slots if slot.ticket in tickets]
        for slot in killed:
            self._kill(slot)
        await_gone(killed, KILL_SECONDS)

    def owns(self, message: object) -> bool:
        """Whether it comes from one of this pool's processes."""
        if not isinstance(message, SlotSpoke | SlotEnded):
            return False
        return message.slot in self._slots or message.slot in self._leaving

    def handle(self, message: SlotMessage) -> list[TaskEnded]:
        """Take in what a slot posted; what came of its task, where that says so."""
        ended = self._handle(message)
        return [] if ended is None else [ended]

    def _handle(self, message: SlotMessage) -> TaskEnded | None:
        slot = message.slot
        if isinstance(message, SlotEnded):
            return self._bury(slot, message.last_words)
        if slot not in self._slots:
            return None
        try:
            ticket, outcome = messages.load_outcome(message.line)
        except (ValueError, KeyError, TypeError, RecursionError):
            return self._astray(slot, "answered with something that is no outcome")
        if ticket == WARM_UP:
            self._warmed(slot, outcome)
            return None
        if ticket != slot.ticket:
            return self._astray(slot, "answered what it was not asked")
        return self._finish(slot, outcome)

    def tick(self) -> None:
        """Kill what is overdue; let go what is idle for long. The ends come through the slots' pipes."""
        now = time.monotonic()
        for slot in self._slots[:]:
            if slot.ticket is not None and now >= slot.deadline and not slot.timed_out:
                slot.timed_out = True
                slot.kill()
            elif slot.ticket is None and now - slot.idle_since >= self._settings.idle_seconds:
                self._retire(slot)
        for slot, deadline in self._leaving.items():
            if now >= deadline:
                slot.kill()
                self._leaving[slot] = now + LEAVE_SECONDS

    def next_tick(self) -> float | None:
        """When `tick` has something to do, on the monotonic clock."""
        idle = self._settings.idle_seconds
        times = [
            slot.idle_since + idle if slot.ticket is None else slot.deadline
            for slot in self._slots
            if not slot.timed_out
        ]
        return min([*times, *self._leaving.values()], default=None)

    def shift(self, seconds: float) -> None:
        """Move all deadlines: the clock ran on while nothing could."""
        for slot in self._slots:
            slot.deadline += seconds
            slot.idle_since += seconds
        self._leaving = {slot: deadline + seconds for slot, deadline in self._leaving.items()}

    def touch(self) -> None:
        """Count the idle time of all processes from now."""
        for slot in self._slots:
            slot.idle_since = time.monotonic()

    def stats(self) -> PoolStats:
        return PoolStats(self._deaths, self._recycled)

    def rss_bytes(self) -> int:
        """Resident memory of all page processes together."""
        return sum(slot.rss_bytes() for slot in self._slots)

    def close(self) -> None:
        """End all processes, by force, and leave no temporary file of theirs."""
        for slot in [*self._slots, *self._leaving]:
            self._kill(slot)
        await_gone(self._leaving, KILL_SECONDS)
        leave_temp_folder(self._settings.temp_dir)

    def _warmed(self, slot: Slot, outcome: Outcome) -> None:
        """A warm-up that failed costs nothing: the first task says so as well, and there somebody listens."""
        if isinstance(outcome, Failure):
            log.warning("page process %d is not warm: %s", slot.pid, outcome.message)
        # It may have been given a task meanwhile.
        if slot.ticket == WARM_UP:
            self._rest(slot)

    def _rest(self, slot: Slot) -> None:
        slot.rest()
        if slot.timed_out:
            # Its answer and its end by force crossed: it is given nothing more.
            self._kill(slot)

    def _astray(self, slot: Slot, how: str) -> TaskEnded | None:
        self._kill(slot)
        return _ended(slot, _crash(how))

    def _finish(self, slot: Slot, outcome: Outcome) -> TaskEnded | None:
        slot.pages += isinstance(outcome, PageDone)
        ended = _ended(slot, outcome)
        self._rest(slot)
        worn = (
            slot.pages >= self._settings.recycle_pages or slot.rss_bytes() > self._settings.recycle_mib * MIB
        )
        if worn and slot in self._slots:
            self._recycled += 1
            self._retire(slot)
        return ended

    def _bury(self, slot: Slot, last_words: str) -> TaskEnded | None:
        self._guard.release(slot.pid)
        if self._leaving.pop(slot, None) is not None or slot not in self._slots:
            return None
        self._slots.remove(slot)
        # What it started may have outlived it.
        slot.kill()
        self._deaths += 1
        if slot.timed_out:
            late = PageTimeoutError(
                f"no result within {slot.limit_seconds:g} seconds; allow more time, or lower the dpi"
            )
            return _ended(slot, Failure.of(late))
        log.warning("page process %d %s; its last words: %s", slot.pid, slot.how_it_ended(), last_words)
        return _ended(slot, _crash(slot.how_it_ended(), slot.signal_name()))

    def _spawn(self) -> Slot:
        slot = Slot(self._settings, self._post)
        self._guard.adopt(slot.pid)
        self._slots.append(slot)
        return slot

    def _retire(self, slot: Slot) -> None:
        """Let an idle process go; by force should it be stuck."""
        slot.let_go()
        self._leave(slot)

    def _kill(self, slot: Slot) -> None:
        slot.kill()
        self._leave(slot)

    def _leave(self, slot: Slot) -> None:
        if slot in self._slots:
            self._slots.remove(slot)
        self._leaving[slot] = time.monotonic() + LEAVE_SECONDS


def _ended(slot: Slot, outcome: Outcome) -> TaskEnded | None:
    return TaskEnded(slot.ticket, outcome) if slot.ticket else None


def _crash(how: str, signal_name: str | None = None) -> Failure:
    error = CrashedError(
        f"the page's process {how}; try again with more memory free, or take the page out of the file"
    )
    return Failure.of(error, {"signal": signal_name} if signal_name else {})
