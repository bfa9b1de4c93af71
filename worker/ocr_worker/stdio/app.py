"""The stdio worker: wires everything together, and the loop that owns all state."""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from dataclasses import dataclass
from typing import Any, Union

from ocr_protocol.commands import Hello
from ocr_worker.jobs.runtime import Surroundings
from ocr_worker.jobs.service import JobService
from ocr_worker.model.jobs import JobEnded, JobEvent, JobFailed
from ocr_worker.processes.guard import HostGone, ending_signals, watch_host
from ocr_worker.processes.slot import SlotEnded, SlotMessage, SlotSpoke
from ocr_worker.stdio.heartbeat import Heart
from ocr_worker.stdio.inspector import Inspector
from ocr_worker.stdio.job_events import Announcer
from ocr_worker.stdio.router import Router, Session
from ocr_worker.stdio.startup import HeadStart
from ocr_worker.stdio.streams import Drained, LineReceived, Reader, StdinEnded, Writer

log = logging.getLogger(__name__)

EXIT_CLEAN, EXIT_INTERNAL = 0, 1
SETTLE_SECONDS = 0.05
"""How often is looked, before the end, whether the manifests are written."""
FLUSH_SECONDS = 0.5
"""How long the last events wait for a host that reads slowly, once the worker was told to end."""


@dataclass(frozen=True, slots=True)
class SignalReceived:
    number: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A thread of ours ended by an exception: the worker can't go on."""


Message = Union[LineReceived, StdinEnded, Drained, SlotMessage, HostGone, SignalReceived, Broken]


class App:
    """One worker process on one pair of pipes."""

    def __init__(self, start: HeadStart) -> None:
        settings, guard, self._inbox = start.settings, start.guard, start.inbox
        self._guard, self._channel = guard, start.channel
        self._writer = Writer(start.channel, self._inbox.put)
        self._reader = Reader(start.channel, self._inbox.put, settings.max_line_bytes, start.heard)
        self.session = Session()
        self._heart = Heart(lambda beat: self._writer.put_latest("heartbeat", beat))
        self._announcer = Announcer(self._writer, settings.state_dir)
        around = Surroundings(settings, self._inbox.put, self._announce, guard, pool=start.pool)
        self._service = JobService(around)
        self._inspector = Inspector(settings, guard, self._inbox.put, self._writer.put)
        self._router = Router(
            settings, self.session, self._service, self._inspector, self._writer.put, self._announcer.answer, self
        )  # fmt: skip
        self._exit_code: int | None = None
        self._stdin_ended = False

    def run(self) -> int:
        """Serve the host to the end; the exit code."""
        threading.excepthook = self._thread_died
        self._hear_signals()
        self._writer.start()
        self._reader.start()
        watch_host(self._channel.stdout, lambda: self.session.parent_pid, self._inbox.put)
        try:
            while self._exit_code is None:
                self._step()
        finally:
            self._clean_up()
        return self._exit_code

    def _step(self) -> None:
        try:
            message = self._inbox.get(timeout=self._patience())
        except queue.Empty:
            pass
        else:
            self._take(message)
        if self._service.state != "idle":
            # Before the clock is heard: it would let go what is idle.
            self._inspector.keep()
        self._service.tick()
        self._inspector.tick()
        self._heart.note("draining" if self.session.draining else self._service.state, *self._service.doing())
        if self._is_done():
            self._exit_code = EXIT_CLEAN

    def _patience(self) -> float | None:
        """Seconds until the clock has something to say."""
        now = time.monotonic()
        times = [at for at in (self._service.next_tick(), self._inspector.next_tick()) if at is not None]
        if self._is_ending and not self._service.settled:
            times.append(now + SETTLE_SECONDS)
        return max(0.0, min(times) - now) if times else None

    def _take(self, message: Message) -> None:
        match message:
            case LineReceived(line):
                self._router.route(line)
                # A draft of nothing: it has its turn when the answers are written.
                self._writer.put(self._reader.answered)
            case SlotSpoke() | SlotEnded():
                self._hear(message)
            case Drained():
                log.debug("all events are written")
            case StdinEnded():
                self._stdin_ended = True
                self._end_of_commands()
            case HostGone(reason):
                log.warning("the host is gone: %s", reason)
                self._end(EXIT_CLEAN, "host_gone")
            case SignalReceived(number):
                self._end(128 + number, signal.Signals(number).name)
            case Broken():
                self._end(EXIT_INTERNAL, "internal")

    def _hear(self, message: SlotMessage) -> None:
        (self._inspector if self._inspector.owns(message) else self._service).handle(message)
        if self._service.state != "idle" and not self._is_ending:
            # Not sooner: the first page is waited for, and who has closed the pipe asks nothing more.
            self._inspector.warm()

    def _end_of_commands(self) -> None:
        if self.session.on_stdin_end == "shutdown":
            self._end(EXIT_CLEAN, "stdin_end")
        else:
            self._service.stop_paused()

    def meet_host(self, hello: Hello) -> None:
        """Keep to what the host asked for."""
        session = self.session
        session.on_stdin_end, session.parent_pid = hello.on_stdin_end, hello.parent_pid
        self._announcer.summary_result = hello.summary_result
        self._guard.watch_parent(hello.parent_pid)
        self._service.set_progress_hz(hello.progress_hz)
        self._heart.beat_every(hello.heartbeat_seconds)

    def owes(self, job_id: str) -> bool:
        """Whether a job's result is still to be given to the host."""
        return self._announcer.owes(job_id)

    def shut_down(self) -> None:
        """End at once, on the host's order."""
        self._end(EXIT_CLEAN, "shutdown")

    def _end(self, exit_code: int, reason: str) -> None:
        """End at once: cancel all work, keep what is done."""
        self._guard.end_within_grace()
        self._service.interrupt(reason)
        self._exit_code = exit_code

    @property
    def _is_ending(self) -> bool:
        """No more commands can come."""
        return self._stdin_ended or self.session.draining

    def _is_done(self) -> bool:
        """All that was accepted is finished, the host has read of it, and the manifests tell of it."""
        at_rest = self._service.state == "idle" and not self._inspector.busy and self._writer.idle
        return self._is_ending and at_rest and self._service.settled

    def _clean_up(self) -> None:
        self._inspector.close()
        # Manifests are written by now, or there is no time for them.
        self._service.end_at_once()
        self._announcer.close()
        self._writer.flush(FLUSH_SECONDS)

    def _announce(self, event: JobEvent) -> None:
        if isinstance(event, JobEnded | JobFailed):
            self._heart.forget(event.job_id)
        self._announcer.tell(event, self._service.settle)

    def _hear_signals(self) -> None:
        for number in ending_signals():
            signal.signal(number, lambda received, _: self._inbox.put(SignalReceived(received)))

    def _thread_died(self, args: Any) -> None:
        log.critical(
            "thread %s ended",
            args.thread and args.thread.name,
            exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
        )
        self._inbox.put(Broken())
