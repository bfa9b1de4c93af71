"""The stdio worker: a runtime in the main thread, a thread that reads, and one that writes."""

from __future__ import annotations

import logging
import os
import signal
import threading
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ocr_protocol.codec import decode
from ocr_protocol.commands import Hello
from ocr_protocol.lines import Line
from ocr_protocol.refusals import WireError
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.model.jobs import Doing
from ocr_worker.processes.guard import hear_signals, watch_host
from ocr_worker.stdio import hello
from ocr_worker.stdio.heartbeat import Heart
from ocr_worker.stdio.silence import Silence
from ocr_worker.stdio.startup import HeadStart
from ocr_worker.stdio.streams import Reader, Writer

if TYPE_CHECKING:
    from ocr_worker.stdio.router import Router

log = logging.getLogger(__name__)

EXIT_CLEAN, EXIT_INTERNAL = 0, 1
MANIFEST_LOOK_SECONDS = 0.05
"""How often to check, before the end, whether the manifests are written."""
IMPORT_SECONDS = 5.0
"""How long that is waited for at most: the host may not read the answer to `hello`."""
FLUSH_SECONDS = 0.5
"""How long the last events wait for a slow host when the worker must end."""


class App:
    """One worker process on one pair of pipes. Everything but its reader and writer runs in the main thread."""

    def __init__(self, start: HeadStart) -> None:
        settings, self._guard, self._channel = start.settings, start.guard, start.channel
        self._runtime = Runtime(settings, guard=start.guard, inbox=start.inbox, pool=start.pool)
        post = self._runtime.post
        self._writer = Writer(start.channel, lambda: post(self._end_if_done), lambda: post(self._lose_stdout))
        self._reader = Reader(
            start.channel,
            self._post_line,
            lambda: post(self._end_of_commands),
            settings.max_line_bytes,
            start.heard,
        )
        self.session = hello.Session()
        self._heart = Heart(lambda beat: self._writer.put_latest("heartbeat", beat), self._doing)
        self._runtime.keeps_requests_warm = True
        self._silence: Silence | None = None
        self._exit_code = EXIT_CLEAN
        self._stdin_ended, self._is_ready = False, False
        self._is_imported = threading.Event()
        """Whether no other thread imports what commands need."""
        self._is_imported.set()

    def run(self) -> int:
        """Serve the host until the end; return the exit code."""
        threading.excepthook = self._thread_died
        self._hear_signals()
        self._writer.start()
        self._reader.start()
        watch_host(
            self._channel.stdout,
            lambda: self.session.parent_pid,
            lambda gone: self._runtime.post(lambda: self._lose_host(gone.reason)),
        )
        try:
            self._runtime.run()
        finally:
            self._clean_up()
        return self._exit_code

    def _post_line(self, line: Line) -> None:
        """In the reader's thread."""
        self._runtime.post(lambda: self._hear(line))
        if not self._is_ready:
            # Right behind it, so that no command comes in between.
            self._runtime.post(self._get_ready)

    def _hear(self, line: Line) -> None:
        if self._silence is not None:
            self._silence.heard()
        try:
            command = decode(line)
        except WireError as refusal:
            self._writer.put(refusal.event())
        else:
            if isinstance(command, Hello):
                self._greet(command)
            else:
                self._router.route(command)
        # A draft of nothing: it has its turn when the answers are written.
        self._writer.put(self._reader.answered)

    def _greet(self, host: Hello) -> None:
        try:
            # No heartbeat may come before it.
            answer = hello.answer(host, self._runtime.settings)
        except Exception as error:  # noqa: BLE001  # logged where it is no OcrError
            self._router.refuse(host, error)
            return
        self._meet(host)
        self._writer.put(answer)
        if self._is_ready:
            self._runtime.warm_requests()
        else:
            # Behind the answer, which nothing should hold up.
            self._is_imported.clear()
            self._writer.put(self._import_rest)
        self._runtime.tidy_soon()

    def _meet(self, host: Hello) -> None:
        """Apply what the host asked for."""
        self.session.meet(host)
        self._guard.watch_parent(host.parent_pid)
        self._runtime.set_progress_seconds(1 / host.progress_hz)
        self._heart.beat_every(host.heartbeat_seconds)
        self._writer.max_event_bytes = host.max_event_bytes
        self._silence = Silence(host.host_timeout_seconds) if host.host_timeout_seconds else None
        self._await_host(self._silence)

    def _get_ready(self) -> None:
        """Once a host has said hello: what it asks next should not wait for a process, nor for imports."""
        if self.session.is_met and not self._is_ready:
            self._is_ready = True
            # Two threads that import would hold each other up.
            self._is_imported.wait(IMPORT_SECONDS)
            self._runtime.warm_requests()
            _ = self._router

    def _import_rest(self) -> None:
        """In the writer's thread, which has nothing to write before the next command."""
        # What fails here fails the command that needs it, and there somebody listens.
        with suppress(Exception):
            import ocr_worker.jobs.one_off
            import ocr_worker.jobs.pools
            import ocr_worker.jobs.service
            import ocr_worker.stdio.router  # noqa: F401
        self._is_imported.set()

    @cached_property
    def _router(self) -> Router:
        # Late: a worker that says hello does without jobs.
        from ocr_worker.stdio.job_events import EventPublisher
        from ocr_worker.stdio.router import Router

        publisher = EventPublisher(self._writer, self._runtime, self.session)
        self._runtime.attach(publisher)
        return Router(self.session, self._runtime, self._writer.put, publisher, self._shut_down)

    def _shut_down(self) -> None:
        """End at once, because the host asked for it."""
        self._end(EXIT_CLEAN, "shutdown")

    def _await_host(self, silence: Silence | None) -> None:
        """Look again and again whether the host has spoken; another `hello`, or the end of stdin, ends that."""
        if silence is None or silence is not self._silence:
            return
        if silence.look():
            self._lose_host(f"it has said nothing for {silence.limit_seconds:g} s")
        else:
            self._runtime.after(silence.pause_seconds, lambda: self._await_host(silence))

    def _doing(self) -> Doing:
        doing = self._runtime.doing
        return replace(doing, state="draining") if self.session.draining else doing

    def _end_of_commands(self) -> None:
        self._stdin_ended = True
        # Who has closed the pipe asks nothing more, and has no more to say.
        self._runtime.keeps_requests_warm = False
        self._silence = None
        if self.session.on_stdin_end == "shutdown":
            self._end(EXIT_CLEAN, "stdin_end")
        else:
            self._runtime.service.stop_paused()
            self._end_if_done()

    def _lose_stdout(self) -> None:
        self._lose_host("stdout has no reader")

    def _lose_host(self, reason: str) -> None:
        log.warning("the host is gone: %s", reason)
        self._end(EXIT_CLEAN, "host_gone")

    def _end(self, exit_code: int, reason: str) -> None:
        """End at once: cancel all work, keep finished files."""
        self._guard.end_within_grace()
        self._runtime.service.interrupt(reason)
        self._exit_code = exit_code
        self._runtime.stop()

    @property
    def _is_ending(self) -> bool:
        """Whether no more commands can come."""
        return self._stdin_ended or self.session.draining

    def _end_if_done(self) -> None:
        """End once all work is finished, the host has read the results, and the manifests are written."""
        if not (self._is_ending and self._runtime.at_rest and self._writer.idle):
            return
        if self._runtime.manifests_written:
            self._runtime.stop()
        else:
            self._runtime.after(MANIFEST_LOOK_SECONDS, self._end_if_done)

    def _clean_up(self) -> None:
        # Manifests are written by now, or there is no time for them.
        self._runtime.close(at_once=True)
        self._writer.flush(FLUSH_SECONDS)
        # A disk that holds one of our threads holds up our end: the host is to see that there is nothing more to read.
        os.dup2(0, self._channel.stdout)

    def _hear_signals(self) -> None:
        hear_signals(lambda number: self._runtime.post(lambda: self._obey(number)))

    def _obey(self, number: int) -> None:
        self._end(128 + number, signal.Signals(number).name)

    def _thread_died(self, args: Any) -> None:
        log.critical(
            "thread %s ended",
            args.thread and args.thread.name,
            exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
        )
        self._runtime.post(lambda: self._end(EXIT_INTERNAL, "internal"))
