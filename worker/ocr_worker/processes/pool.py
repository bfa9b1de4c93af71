"""The page processes: which of them does what, and which come and go. One death is one slot's.

Owned by one thread, to whose inbox the slots post.
"""

from __future__ import annotations

import errno
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ocr_worker.errors import OutputPermissionError
from ocr_worker.files.bounded import MOMENT_SECONDS, Look
from ocr_worker.files.sweep import leave_temp_folder
from ocr_worker.model.crew import Crew
from ocr_worker.model.tasks import (
    Composed,
    ComposeTask,
    Failure,
    Opened,
    OpenTask,
    Outcome,
    PageDone,
    PageSettings,
    Task,
    Warmed,
)
from ocr_worker.processes import messages, meter
from ocr_worker.processes.failures import crash, none_started, stuck, too_late, too_much, wordless
from ocr_worker.processes.guard import Guard
from ocr_worker.processes.messages import NEEDS_COMMAND, REFUSED
from ocr_worker.processes.reach import (
    Place,
    Reach,
    needs_command,
    places_of,
    reach_of,
    source_of,
)
from ocr_worker.processes.shortage import Order, Shortage
from ocr_worker.processes.slot import WARM_UP, Duty, Slot, SlotEnded, SlotMessage, SlotSpoke, await_gone
from ocr_worker.settings import MIB, Settings

log = logging.getLogger(__name__)

LEAVE_SECONDS = 2.0
"""How long a process that was let go or killed may take before it is killed (again)."""
REMEMBERED = 64
KILL_SECONDS = 0.5
"""How long is waited for processes that are killed in mid-job to be gone, for all of them together."""
STUCK_SECONDS = 10.0
"""A process that is killed and not gone by then is held in the kernel, by a disk or share that does not answer."""
MOST_STUCK = 16
"""So many of them, and no more are started: each keeps its memory."""


@dataclass(frozen=True, slots=True)
class TaskEnded:
    ticket: int
    outcome: Outcome
    seconds: float | None = None
    """How long a process worked on it, without its own start and that of an engine; None where that is not known."""
    is_first: bool = False
    """The process had done none of this kind before: part of the time went into what the next ones find ready."""


@dataclass(frozen=True, slots=True)
class TaskLost:
    """No process can do a task, or says what came of it."""

    pool: PagePool
    ticket: int
    failure: Failure


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

    def free_here(self) -> int:
        """How many of them that are for this machine alone: files are opened and composed here, wherever pages are read."""
        ...

    def warm(self, count: int, settings: PageSettings | None, output: Place | None = None) -> None:
        """Be ready for up to `count` tasks of these settings, whose outputs go to `output`."""
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

    def waiting(self) -> set[int]:
        """The tasks that were started and that nobody works on yet: no clock of theirs runs."""
        ...

    def recall(self, tickets: set[int]) -> set[int]:
        """Take those of these pages back that wait for their turn, and say which."""
        ...

    def crew(self) -> Crew:
        """Who works for it now."""
        ...

    def stats(self) -> PoolStats: ...

    def rss_bytes(self) -> int:
        """Resident memory of all that works for it on this machine."""
        ...

    def close(self) -> None:
        """End everything, by force, and leave no temporary file."""
        ...


def make_pool(
    size: int,
    settings: Settings,
    guard: Guard,
    post: Callable[[SlotMessage | TaskLost], None],
    duty: Duty = "pages",
) -> Pool:
    """The pool that a runtime works with.

    Args:
        size: how many tasks may be at work.
        settings: of the worker.
        guard: sees to it that no process outlives this one.
        post: puts a message into the owner's inbox, from any thread.
        duty: what its processes are for.
    """
    return PagePool(size, settings, guard, post, duty)


class PagePool:
    """Runs tasks in at most `size` page processes, each of which can be killed without the others noticing."""

    def __init__(
        self,
        size: int,
        settings: Settings,
        guard: Guard,
        post: Callable[[SlotMessage | TaskLost], None],
        duty: Duty = "pages",
    ) -> None:
        self.size, self._deaths, self._recycled = size, 0, 0
        self._settings, self._guard, self._post, self._duty = settings, guard, post, duty
        self._slots: list[Slot] = []
        self._measured_at = 0.0
        self._leaving: dict[Slot, float] = {}
        """Processes that were let go or killed and are not known to be gone, and when they are killed (again)."""
        self._stuck: dict[Slot, Task | None] = {}
        """Those of them that a disk or share holds, and at what."""
        self._shortage = Shortage(self._begin)
        self._commands: dict[PageSettings, Look[bool]] = {}
        """Whether an engine starts one for each page."""
        self._outputs: frozenset[Place] = frozenset()
        """Where the job at work writes."""
        self._fatal = ""
        """How a process ended that loaded ONNX Runtime: the next ones do without."""
        self._said: deque[str] = deque(maxlen=REMEMBERED)
        """What was said of engines: once is enough."""
        self._need_commands: deque[str] = deque(maxlen=REMEMBERED)
        """Files of which pages were last drawn by a command."""

    def free(self) -> int:
        """How many tasks can be started now."""
        return self.size - len(self.tickets())

    def free_here(self) -> int:
        return self.free()

    def tickets(self) -> set[int]:
        """The tasks in work, and those that wait for the machine to have room."""
        waiting = {order.ticket for order in self._shortage.waiting}
        return waiting | {slot.ticket for slot in self._slots if slot.ticket}

    def warm(self, count: int, settings: PageSettings | None, output: Place | None = None) -> None:
        """Have up to `count` processes ready, for pages of these settings, to write into `output`."""
        self._outputs = frozenset({output} if output else ())
        self._commands.clear()
        need = Reach(
            self._outputs, results=True, commands=settings is not None and self._needs_command(settings)
        )
        reader = self._reader(need)
        for slot in self._slots[:] if settings is not None else ():
            if not slot.ticket and slot is not reader:
                self._prepare(slot, settings, need)
        missing = min(count, self.size) - len(self._slots)
        for _ in range(max(missing, reader is not None and len(self._slots) == 1)):
            try:
                slot = self._spawn()
            except OSError as error:
                log.warning("no page process can be started ahead of its work: %s", error)
                return
            self._prepare(slot, settings, need)

    def _reader(self, need: Reach) -> Slot | None:
        """A warm process that is left from another job, to read the first pages while those that may write are started."""
        pages = replace(need, outputs=frozenset())
        for slot in reversed(self._slots if self.size > 1 else []):
            if slot.ticket is None and slot.reach is not None and slot.reach.covers(pages):
                return None if slot.reach.covers(need) else slot
        return None

    def _prepare(self, slot: Slot, settings: PageSettings | None, need: Reach) -> None:
        """Warm one that has nothing to do; what may not do what is needed gives way to one that may."""
        if settings is not None and slot.reach is None:
            slot.confine(need, self._settings.jobs_dir)
        if slot.reach is not None and not slot.reach.covers(need):
            self._retire(slot)
        elif slot.is_bare:
            slot.warm(settings)

    def start(self, ticket: int, task: Task, limit_seconds: float) -> None:
        """Start a task; needs a free slot. Its end comes as TaskEnded from `handle`, soon after its limit at the latest.

        Where the machine has no room for a process, it waits for one; from `tick` comes the end of one that waits in vain.

        Raises:
            OSError: no process can be started, and waiting does not mend that.
        """
        for slot in [slot for slot in self._slots if slot.ticket is None and slot.has_died()]:
            # At rest, and its reader has not said so yet.
            self._kill(slot)
        if places_of(task) & self._dead_places():
            self._post(TaskLost(self, ticket, stuck()))
            return
        self._shortage.begin(Order(ticket, task, limit_seconds))

    def _dead_places(self) -> frozenset[str]:
        """The folders in which a disk or share holds one of our processes."""
        return frozenset[str]().union(*(places_of(task) for task in self._stuck.values() if task is not None))

    def _begin(self, order: Order) -> None:
        self._slot_for(self._need(order.task)).give(order.ticket, order.task, order.limit_seconds)

    def _slot_for(self, need: Reach) -> Slot:
        """A free process that may do what is needed, or a new one in the place of one that may not."""
        # To one that is warming up the pipe holds the task until that is over; another would be one more than was asked for.
        free = [slot for slot in reversed(self._slots) if slot.ticket is None]
        free += [slot for slot in self._slots if slot.ticket == WARM_UP]
        fit = [slot for slot in free if slot.reach is not None and slot.reach.covers(need)]
        fit += [slot for slot in free if slot.reach is None]
        if not fit and len(self._slots) >= self.size:
            self._retire(free[0])
        slot = fit[0] if fit else self._spawn()
        if slot.reach is None:
            # What the job at work will need of it as well, should this be another's.
            outputs, results = need.outputs | self._outputs, need.results or bool(self._outputs)
            slot.confine(replace(need, outputs=outputs, results=results), self._settings.jobs_dir)
        return slot

    def _need(self, task: Task) -> Reach:
        need = reach_of(task, self._needs_command)
        return replace(need, commands=True) if source_of(task) in self._need_commands else need

    def _needs_command(self, settings: PageSettings) -> bool:
        """Asked for once a job: it takes a look at language data, whose disk may be dead. Then a process will say."""
        look = self._commands.get(settings)
        if look is None:
            if len(self._commands) >= REMEMBERED:
                self._commands.clear()
            look = self._commands[settings] = Look(lambda: needs_command(settings))
            look.wait(MOMENT_SECONDS)
        return look.wait(0) and look.answer(settings.tessdata_dir)

    def kill(self, tickets: set[int]) -> None:
        """End tasks at once; nothing more is heard of them, and they write no more."""
        self._shortage.drop(tickets)
        killed = [slot for slot in self._slots if slot.ticket in tickets]
        for slot in killed:
            self._kill(slot)
        await_gone(killed, KILL_SECONDS)

    def owns(self, message: object) -> bool:
        """Whether it comes from one of this pool's processes."""
        if not isinstance(message, SlotSpoke | SlotEnded):
            return isinstance(message, TaskLost) and message.pool is self
        return message.slot in self._slots or message.slot in self._leaving

    def handle(self, message: SlotMessage | TaskLost) -> list[TaskEnded]:
        """Take in what a slot posted; what came of its task, where that says so."""
        if isinstance(message, TaskLost):
            return [TaskEnded(message.ticket, message.failure)]
        ended = self._handle(message)
        return [] if ended is None else [ended]

    def _handle(self, message: SlotMessage) -> TaskEnded | None:
        slot = message.slot
        if isinstance(message, SlotEnded):
            return self._bury(slot, message)
        if slot not in self._slots:
            return None
        slot.has_spoken = True
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

    def _start_again(self, slot: Slot, ticket: int, task: Task) -> TaskEnded | None:
        """Have its task done by another process, in what is left of its time."""
        try:
            self._shortage.begin(Order(ticket, task, max(0.0, slot.deadline - time.monotonic())))
        except OSError as error:
            return TaskEnded(ticket, none_started(str(error)))
        return None

    def _wants_more(self, slot: Slot, task: Task, failure: Failure) -> bool:
        """Whether the process was held too tightly for its task, so that another should try."""
        if failure.code == NEEDS_COMMAND:
            self._need_commands.append(source_of(task))
            return True
        # Where shares give a folder a new inode, what allowed writing there is void; a new process looks anew.
        refused = failure.details.pop(REFUSED, False)
        return refused and failure.code == OutputPermissionError.code and slot.has_worked

    def tick(self) -> None:
        """Kill what is overdue or takes too much; let go what is idle for long. Ends come through the slots' pipes, or are posted."""
        is_free = any(slot.ticket is None for slot in self._slots)
        lost, reason = self._shortage.try_again(is_free=is_free, has_any=bool(self._slots))
        now = time.monotonic()
        for slot in self._slots[:]:
            if slot.ticket is not None and now >= slot.deadline and not slot.timed_out:
                slot.timed_out = True
                slot.kill()
            elif slot.ticket is None and now - slot.idle_since >= self._settings.idle_seconds:
                self._retire(slot)
        if meter.IS_NEEDED and now >= self._measured_at + meter.INTERVAL_SECONDS:
            self._measure(now)
        for slot, deadline in self._leaving.items():
            if now >= deadline:
                slot.kill()
                self._leaving[slot] = now + LEAVE_SECONDS
        self._find_stuck(now)
        for ticket in lost:
            self._post(TaskLost(self, ticket, none_started(reason)))

    def _find_stuck(self, now: float) -> None:
        """Of what is killed and does not end nothing will be heard: its task ends without it."""
        for slot in [slot for slot in (*self._slots, *self._leaving) if slot not in self._stuck]:
            if slot.killed_at is None or now < slot.killed_at + STUCK_SECONDS:
                continue
            log.warning("page process %d does not end: its disk or share does not answer", slot.pid)
            self._stuck[slot] = slot.task
            if slot in self._slots:
                if slot.ticket:
                    self._post(TaskLost(self, slot.ticket, stuck()))
                self._leave(slot)

    def _measure(self, now: float) -> None:
        self._measured_at = now
        for slot in self._slots:
            if slot.ticket and slot.excess is None:
                slot.excess = slot.taken().excess(self._settings.memory_limit_mib)
                if slot.excess is not None:
                    slot.kill()

    def next_tick(self) -> float | None:
        """When `tick` has something to do, on the monotonic clock."""
        idle = self._settings.idle_seconds
        times = [
            slot.idle_since + idle if slot.ticket is None else slot.deadline
            for slot in self._slots
            if not slot.timed_out
        ]
        times += [slot.killed_at + STUCK_SECONDS for slot in self._slots if slot.killed_at is not None]
        if self._shortage.waiting:
            times.append(self._shortage.again_at)
        if meter.IS_NEEDED and any(slot.ticket for slot in self._slots):
            times.append(self._measured_at + meter.INTERVAL_SECONDS)
        return min([*times, *self._leaving.values()], default=None)

    def shift(self, seconds: float) -> None:
        """Move all deadlines: the clock ran on while nothing could."""
        for slot in self._slots:
            slot.deadline += seconds
            slot.idle_since += seconds
        for slot in (*self._slots, *self._leaving):
            if slot.killed_at is not None:
                slot.killed_at += seconds
        self._leaving = {slot: deadline + seconds for slot, deadline in self._leaving.items()}

    def touch(self) -> None:
        """Count the idle time of all processes from now."""
        for slot in self._slots:
            slot.idle_since = time.monotonic()

    def waiting(self) -> set[int]:
        """None: what is started here is at work, or soon."""
        return set()

    def recall(self, tickets: set[int]) -> set[int]:  # noqa: ARG002  # what is started here is at work
        return set()

    def crew(self) -> Crew:
        return Crew(self.size)

    def stats(self) -> PoolStats:
        return PoolStats(self._deaths, self._recycled)

    def rss_bytes(self) -> int:
        """Resident memory of all page processes together."""
        return sum(slot.rss_bytes() for slot in self._slots)

    def close(self) -> None:
        """End all processes, by force, and leave no temporary file of theirs."""
        for slot in [*self._slots, *self._leaving]:
            self._kill(slot)
        # On a busy machine what runs at low priority also dies slowly.
        await_gone(self._leaving, LEAVE_SECONDS)
        leave_temp_folder(self._settings.temp_dir)

    def _warmed(self, slot: Slot, outcome: Outcome) -> None:
        """A warm-up that failed costs nothing: the first task says so as well, and there somebody listens."""
        if isinstance(outcome, Failure):
            log.warning("page process %d is not warm: %s", slot.pid, outcome.message)
        elif isinstance(outcome, Warmed):
            self._tell(outcome.news)
        # It may have been given a task meanwhile.
        if slot.ticket == WARM_UP:
            self._rest(slot)
        else:
            slot.begun_at = time.monotonic()

    def _tell(self, news: str) -> None:
        for line in news.splitlines():
            if line not in self._said and not (self._fatal and self._fatal in line):
                self._said.append(line)
                log.warning("%s", line)

    def _rest(self, slot: Slot) -> None:
        slot.rest()
        if slot.timed_out or slot.excess is not None:
            # Its answer and its end by force crossed: it is given nothing more.
            self._kill(slot)

    def _astray(self, slot: Slot, how: str) -> TaskEnded | None:
        self._kill(slot)
        return _ended(slot, crash(how))

    def _finish(self, slot: Slot, outcome: Outcome) -> TaskEnded | None:
        ticket, task = slot.ticket, slot.task
        if not _is_asked_for(task, outcome):
            return self._astray(slot, "told what it was not asked for")
        if ticket and task and isinstance(outcome, Failure) and self._wants_more(slot, task, outcome):
            if slot.reach is not None and slot.reach.commands and outcome.code == NEEDS_COMMAND:
                return self._astray(slot, "asked for commands that it may start")
            # Another may do more.
            self._kill(slot)
            return self._start_again(slot, ticket, task)
        if isinstance(outcome, PageDone):
            slot.pages += 1
            self._tell(outcome.news)
        ended = _ended(slot, outcome)
        self._rest(slot)
        worn = (
            slot.pages >= self._settings.recycle_pages or slot.rss_bytes() > self._settings.recycle_mib * MIB
        )
        if worn and slot in self._slots:
            self._recycled += 1
            self._retire(slot)
        return ended

    def _bury(self, slot: Slot, message: SlotEnded) -> TaskEnded | None:
        self._guard.release(slot.pid)
        self._stuck.pop(slot, None)
        if self._leaving.pop(slot, None) is not None or slot not in self._slots:
            return None
        self._slots.remove(slot)
        # What it started may have outlived it.
        slot.kill()
        self._deaths += 1
        if slot.timed_out:
            return _ended(slot, too_late(slot.limit_seconds))
        if slot.excess is not None:
            return _ended(slot, too_much(slot.excess))
        if message.loading and slot.is_at_fault():
            return self._without_runtime(slot, message.last_words)
        last_words = message.last_words
        log.warning("page process %d %s; its last words: %s", slot.pid, slot.how_it_ended(), last_words)
        if not slot.has_spoken and slot.signal_name() is None:
            return _ended(slot, wordless(slot.how_it_ended(), last_words))
        return _ended(slot, crash(slot.how_it_ended(), slot.signal_name()))

    def _without_runtime(self, slot: Slot, last_words: str) -> TaskEnded | None:
        """ONNX Runtime has ended the process: no other one tries it, and its task is done without."""
        if not self._fatal:
            self._fatal = slot.how_it_ended()
            log.warning(
                "pages are read without ONNX Runtime: the process that loaded it %s; its last words: %s",
                self._fatal,
                last_words,
            )
        return self._start_again(slot, slot.ticket, slot.task) if slot.ticket and slot.task else None

    def _spawn(self) -> Slot:
        if len(self._stuck) >= MOST_STUCK:
            raise BlockingIOError(errno.EAGAIN, f"{len(self._stuck)} wait for disks that do not answer")
        slot = Slot(self._settings, self._post, self._fatal, self._duty)
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


def _is_asked_for(task: Task | None, outcome: Outcome) -> bool:
    """Whether outputs lie where they were to be made, as hosts open them, and a survey tells what a dry run needs."""
    match task, outcome:
        case ComposeTask(), Composed():
            asked = {**task.outputs, **({"json": task.results} if task.results else {})}
            return outcome.outputs.items() <= asked.items()
        case OpenTask(survey=True), Opened(up_to_date=False):
            return all(type(outcome.survey.get(key)) is int for key in ("bytes", "pages_with_text"))
        case _:
            return True


def _ended(slot: Slot, outcome: Outcome) -> TaskEnded | None:
    if not slot.ticket:
        return None
    seconds = time.monotonic() - slot.begun_at
    if isinstance(outcome, PageDone):
        seconds = outcome.without_loading(seconds)
    return TaskEnded(slot.ticket, outcome, seconds, slot.note(outcome))
