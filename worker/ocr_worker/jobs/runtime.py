"""One thread owns all jobs; any number of faces, from any thread, submit calls to it and subscribe to events.

    with Runtime(settings) as runtime:
        accepted = runtime.admit(request).result()
        for event in runtime.subscribe(accepted.job_id):
            ...

The stdio worker runs it in its main thread (`run`); every other face has it start a thread of its own (`start`).
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Union

from typing_extensions import Self

from ocr_worker.errors import InternalError
from ocr_worker.model.jobs import Doing, JobId, JobRequest
from ocr_worker.processes.guard import Guard, guard_of_page_processes
from ocr_worker.settings import Settings

if TYPE_CHECKING:
    from ocr_worker.jobs.one_off import PageRequests, Question
    from ocr_worker.jobs.run_context import Face
    from ocr_worker.jobs.service import JobService
    from ocr_worker.jobs.subscriptions import Subscription
    from ocr_worker.model.events import JobEvent
    from ocr_worker.model.results import Accepted
    from ocr_worker.model.tasks import Outcome
    from ocr_worker.processes.pool import Pool

log = logging.getLogger(__name__)

T = TypeVar("T")
MANIFEST_SECONDS = 0.2
"""How long a job's result waits for its manifest; the manifest of a very large job comes later."""
TIDY_SECONDS = 0.5
"""How long that waits: a host that has just said hello has more urgent wishes."""
BURST = 16
"""Most messages in a row while something is due."""
LOOK_UP_SECONDS = 5.0
GAP_SECONDS = 2.0
"""If a wait takes this much longer than it should, this process was stopped meanwhile."""


class Inbox(Protocol):
    """The messages for the runtime's thread."""

    def put(self, item: Any) -> None: ...

    def get(self, block: bool = ..., timeout: float | None = ...) -> Any: ...  # noqa: FBT001  # as queues have it


Call = Callable[[], object]
Message = Union[Call, object]
"""A call, or a message of a pool."""


class Runtime:
    def __init__(
        self,
        settings: Settings,
        *,
        guard: Guard | None = None,
        inbox: Inbox | None = None,
        pool: Pool | None = None,
        progress_seconds: float = 0.1,
    ) -> None:
        """Start nothing yet.

        Args:
            settings: of the worker.
            guard: sees to it that no page process outlives this process.
            inbox: a queue of the owner's making, where messages already are.
            pool: that does the tasks of jobs; by default, page processes of this machine, and the cluster of the settings.
            progress_seconds: least time between two progress events of a job.
        """
        self.settings = settings
        self._inbox: Inbox = inbox or queue.Queue()
        self._guard, self._given_pool = guard or guard_of_page_processes(), pool
        self._progress_seconds = progress_seconds
        self._has_work = False
        """Whether there are the three that do the work."""
        self._pool: Pool
        self._service: JobService
        self._requests: PageRequests
        self._listeners: tuple[Face, ...] = ()
        self._listing = threading.Lock()
        self._timers: list[tuple[float, Call]] = []
        self._thread: threading.Thread | None = None
        self._ended, self._in_call, self._burst = False, False, 0
        self._looked_up_at = 0.0
        """When the last step had what it was to do, on the monotonic clock."""
        self._next: Message | None = None
        """A message that is heard and not handled yet."""
        self._events: deque[JobEvent] = deque()
        self.keeps_requests_warm = False
        """Whether a process for single questions is kept ready while jobs run."""
        self._gone = threading.Event()

    # From any thread

    def start(self) -> Self:
        """Run it in a thread of its own.

        Raises:
            UnsupportedError, ClusterInsecureError: there is no way to the cluster of the settings.
        """
        self._require_work()
        self._thread = threading.Thread(target=self._run_and_close, name="runtime", daemon=True)
        self._thread.start()
        return self

    def post(self, call: Call) -> None:
        """Run a call in the runtime's thread; an exception in it ends the runtime."""
        self._inbox.put(call)

    def submit(self, call: Callable[[JobService], T]) -> Future[T]:
        """Run a call on the service in the runtime's thread; the future has its result or exception, which is an OcrError unless it is a fault of ours."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        if self._gone.is_set():
            future.set_exception(_closed())
            return future

        def answer() -> None:
            if self._gone.is_set():
                future.set_exception(_closed())
                return
            try:
                future.set_result(call(self.service))
            except Exception as error:  # noqa: BLE001  # handed on
                # Late: a worker that says hello does without.
                from ocr_worker.store.faults import told

                future.set_exception(told(error))

        self._inbox.put(answer)
        return future

    def call(self, call: Callable[[JobService], T]) -> T:
        """Submit, and wait for the result."""
        return self.submit(call).result()

    def admit(self, request: JobRequest) -> Accepted:
        """Admit a job, and wait until all of it is stored. Raises OcrError."""
        return self.call(lambda service: service.admit(request)).result()

    def ask(self, question: Question, limit_seconds: float | None = None) -> Future[Outcome]:
        """Ask a page process a single question, which waits for no job. Raises BusyError."""
        return self.call(lambda _: self.ask_here(question, limit_seconds))

    def subscribe(self, job_id: JobId | None = None, after_seq: int = 0) -> Subscription:
        """Subscribe to the events of a job, or of all jobs.

        Args:
            job_id: of the job; None means all jobs, from now on.
            after_seq: events of the job after this one are replayed from the store first.
        """
        # Late: a worker that says hello does without.
        from ocr_worker.jobs.subscriptions import Subscription

        subscription = Subscription(self.settings.state_dir, job_id, after_seq, self.detach)
        self.call(lambda _: self.attach(subscription))
        return subscription

    @property
    def doing(self) -> Doing:
        """What is being done, as of the last step."""
        return self._service.doing if self._has_work else Doing("idle")

    def await_manifest(self, job_id: JobId, seconds: float = MANIFEST_SECONDS) -> None:
        """Wait until a job's manifest is up to date, for this many seconds at most."""
        self.service.leases.manifests.await_written(job_id, seconds)

    @property
    def manifests_written(self) -> bool:
        """Whether all manifests are up to date, or can't be written."""
        return not self._has_work or self._service.leases.manifests.all_written

    def close(self, *, at_once: bool = False) -> None:
        """End all page processes, write manifests, and close the store. Safe to call again.

        Args:
            at_once: leave manifests as they are that would take long to write.
        """
        if self._thread is None:
            self._close(at_once=at_once)
            return
        self._inbox.put(lambda: self._close(at_once=at_once))
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    # In the owner's thread

    @property
    def service(self) -> JobService:
        """All jobs."""
        self._require_work()
        return self._service

    def _require_work(self) -> None:
        if self._has_work:
            return
        # Late: a worker that says hello does without.
        from ocr_worker.jobs.one_off import PageRequests
        from ocr_worker.jobs.pools import pool_of_jobs
        from ocr_worker.jobs.service import JobService
        from ocr_worker.processes.pool import make_pool

        settings, guard, post = self.settings, self._guard, self._inbox.put
        self._pool = self._given_pool or pool_of_jobs(settings, guard, post)
        self._service = JobService(settings, self._pool, self, progress_seconds=self._progress_seconds)
        self._requests = PageRequests(make_pool(2, settings, guard, post, "questions"))
        self._has_work = True

    def run(self) -> None:
        """Run the loop in this thread until `stop`."""
        while not self._ended:
            self._step()

    def stop(self) -> None:
        """Let `run` return."""
        self._ended = True

    def attach(self, listener: Face) -> None:
        with self._listing:
            self._listeners = (*self._listeners, listener)

    def detach(self, listener: Face) -> None:
        """Stop sending events to a listener; from any thread."""
        with self._listing:
            self._listeners = tuple(one for one in self._listeners if one is not listener)

    def on_event(self, event: JobEvent) -> None:
        """Publish an event in the next step, or at once during a call, whose answer must come after it."""
        self._events.append(event)
        if self._in_call:
            self._publish_all()

    def ask_here(self, question: Question, limit_seconds: float | None = None) -> Future[Outcome]:
        """As `ask`, from the runtime's own thread."""
        self._require_work()
        return self._requests.ask(question, limit_seconds)

    def warm_requests(self) -> None:
        """Have a process ready for single questions."""
        self._require_work()
        self._requests.warm()

    def set_progress_seconds(self, seconds: float) -> None:
        """Set the least time between two progress events of a job."""
        self._progress_seconds = seconds
        if self._has_work:
            self._service.set_progress_seconds(seconds)

    def tidy_soon(self) -> None:
        """Take away what killed workers left, though no command may ever ask for a job."""

        def tidy() -> None:
            self.service.leases.tidy()

        self.after(TIDY_SECONDS, tidy)

    @property
    def at_rest(self) -> bool:
        """Whether no job and no question is running or waiting."""
        if not self._has_work:
            return True
        return self._service.state == "idle" and not (self._requests.busy or self._events)

    def after(self, seconds: float, call: Call) -> None:
        """Run a call after some seconds."""
        self._timers.append((time.monotonic() + seconds, call))

    def _step(self) -> None:
        """Handle one message, or do one thing that is due."""
        due, self._looked_up_at = self._next_due(), self._looked_up_at or time.monotonic()
        # Short waits tell a long wait from a time in which this process was stopped.
        patience = None if due is None else min(LOOK_UP_SECONDS, max(0.0, due - time.monotonic()))
        if self._next is None and (self._burst < BURST or patience != 0.0):
            with contextlib.suppress(queue.Empty):
                self._next = self._inbox.get(timeout=patience)
        now = time.monotonic()
        # Since the step before: it may have been stopped in the midst of that as well.
        if patience is not None and (gap := now - self._looked_up_at - patience) > GAP_SECONDS:
            self._mind_the_gap(gap)
        self._looked_up_at = now
        message = self._next
        # A small request is a job before the command that came after it is heard.
        if message is None or (self._has_work and self._service.urgent):
            self._burst = 0
            self._do_due(now)
        else:
            self._burst, self._next = self._burst + 1, None
            self._take(message)

    def _take(self, message: Message) -> None:
        if callable(message):
            # What happened before a call is stored and published before its answer.
            self._settle()
            self._publish_all()
            self._in_call = True
            message()
            self._in_call = False
        else:
            self._take_in(message)
            # Not earlier: the first page must not wait for it.
            self._keep_warm()

    def _take_in(self, message: object) -> None:
        """Hand a message of a pool to whoever has it."""
        if not self._has_work:
            # There is no task yet: a process is warm, or a node is there.
            assert self._given_pool is not None
            self._given_pool.handle(message)
            # Though no command may ever ask for work: a process at rest is let go.
            self.after(TIDY_SECONDS, self._require_work)
        elif self._requests.pool.owns(message):
            self._requests.handle(message)
        else:
            self._service.handle(message)

    def _keep_warm(self) -> None:
        if self.keeps_requests_warm and self.doing.state != "idle":
            self._requests.warm()

    def _next_due(self) -> float | None:
        if self._events:
            return 0.0
        times: list[float | None] = [at for at, _ in self._timers]
        if self._has_work:
            times += [self._service.next_step(), self._pool.next_tick(), self._requests.pool.next_tick()]
            if self._requests.waiting:
                times.append(self._requests.next_step())
        return min((at for at in times if at is not None), default=None)

    def _do_due(self, now: float) -> None:
        """Do one thing that is due."""
        if self._events:
            self._publish()
        elif any(at <= now for at, _ in self._timers):
            self._call_timers()
        elif self._has_work:
            self._do_due_work(now)

    def _do_due_work(self, now: float) -> None:
        if _is_due(self._service.next_step(), now):
            # Before the pool's: where a file's time and its page's are up together, it is the file's that counts.
            self.service.step()
        elif _is_due(self._pool.next_tick(), now):
            self._pool.tick()
        elif _is_due(self._requests.pool.next_tick(), now):
            self._tick_requests()
        elif self._requests.waiting and _is_due(self._requests.next_step(), now):
            self._requests.step()

    def _tick_requests(self) -> None:
        if self._service.state != "idle":
            # While jobs run, a cold start would answer too slowly.
            self._requests.pool.touch()
        self._requests.pool.tick()

    def _publish(self) -> None:
        event = self._events.popleft()
        self.service.leases.on_event(event)
        for listener in self._listeners:
            listener.on_event(event)

    def _publish_all(self) -> None:
        while self._events:
            self._publish()

    def _settle(self) -> None:
        if self._has_work:
            self._service.settle()

    def _call_timers(self) -> None:
        self._settle()
        ripe, now = self._timers, time.monotonic()
        self._timers = [(at, call) for at, call in ripe if at > now]
        for at, call in ripe:
            if at <= now:
                call()

    def _mind_the_gap(self, gap: float) -> None:
        """Move deadlines: while this process was stopped, it could not hear its page processes."""
        log.warning("This process was stopped for %.0f s: all deadlines move by so much", gap)
        if self._has_work:
            self._pool.shift(gap)
            self._service.shift(gap)
            self._requests.pool.shift(gap)

    def _run_and_close(self) -> None:
        try:
            self.run()
        except BaseException:
            log.critical("the runtime failed", exc_info=True)
            self._close(at_once=True)
            raise

    def _close(self, *, at_once: bool) -> None:
        self._ended = True
        self._gone.set()
        self._publish_all()
        if self._has_work:
            self._requests.close()
            self._pool.close()
            self._service.close(at_once=at_once)
        elif self._given_pool is not None:
            self._given_pool.close()
        left = self._next
        with contextlib.suppress(queue.Empty):
            while True:
                if callable(left):
                    left()
                left = self._inbox.get(block=False)
        for listener in self._listeners:
            listener.end()


def _is_due(at: float | None, now: float) -> bool:
    return at is not None and at <= now


def _closed() -> InternalError:
    return InternalError("This runtime is closed. Make another.")
