"""JobService: takes in jobs, queues them, runs them, and cleans up. The loop and the library use the same one.

Everything here belongs to one thread; page processes only post to its inbox.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain, count

from ocr_worker.errors import BusyError, JobActiveError
from ocr_worker.jobs.active_runs import Runs
from ocr_worker.jobs.admission import require_folder
from ocr_worker.jobs.arrivals import Arrivals, Stop
from ocr_worker.jobs.file_window import RunOrder
from ocr_worker.jobs.intake import Intake, IntakeSteps
from ocr_worker.jobs.job_queue import JobQueue
from ocr_worker.jobs.run import JobRun
from ocr_worker.jobs.run_context import Workshop
from ocr_worker.jobs.runtime import Surroundings
from ocr_worker.model.jobs import ACTIVE, RESUMABLE, JobEvent, JobId, JobRequest, JobState, Origin
from ocr_worker.processes.pool import PagePool, TaskEnded
from ocr_worker.processes.slot import SlotMessage
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.leases import Ledger
from ocr_worker.store.records import StoredJob

log = logging.getLogger(__name__)

REQUEST_SECONDS = 0.5
"""Between two looks whether another process asks for a job's cancel."""
MANIFEST_SECONDS = 0.2
"""How long a job's result, and each answer behind it, waits for its manifest; that of a very large job lags behind."""


class JobService:
    """Jobs and their runs.

    It belongs to the thread that makes it: page processes end with the thread that started them, and the store is one
    thread's. Its owner passes pool messages to `handle` and calls `tick` when `next_tick` has come.
    """

    def __init__(self, around: Surroundings) -> None:
        """Start nothing yet: page processes come with the first batch."""
        self._around, self._settings = around, around.settings
        self.ledger = Ledger(around.settings)
        self.pool = around.pool or PagePool(
            around.settings.page_processes, around.settings, around.guard, around.post
        )
        self._tickets = count(1)
        self._queue, self._arrivals = JobQueue(), Arrivals()
        self._draining, self._unattended = False, False
        self._requests_at = 0.0
        self._progress_seconds = around.progress_seconds
        self._runs = Runs(self._workshop, self.ledger.manifests.begun)
        steps = IntakeSteps(
            lambda: self.store,
            self.ledger.hold,
            self._enqueue,
            self.pause,
            self._withdraw,
            self.ledger.late.store_is_free,
        )
        self._intake = Intake(self._arrivals, steps)
        self._outcomes: deque[TaskEnded] = deque()
        """Taken in as soon as the store can keep what comes of them."""

    @property
    def store(self) -> JobStore:
        """Opened at the first job."""
        return self.ledger.store

    def cleanup(self) -> None:
        """End all page processes, have manifests written, and let the store go; errors on the way are only logged. Safe to call again."""
        self._let_go(at_once=False)

    def end_at_once(self) -> None:
        """As `cleanup`, but a manifest that would take long stays as it was."""
        self._let_go(at_once=True)

    def _let_go(self, *, at_once: bool) -> None:
        for step in (self.pool.close, *self.ledger.closing(at_once=at_once)):
            _only_logged(step)

    def submit(self, request: JobRequest, origin: Origin) -> tuple[JobId, int]:
        """Take in a job; its id and the number of its files.

        Raises:
            BusyError: too many jobs wait.
            OutputPermissionError: the output or the state folder can't be written.
        """
        self._require_room()
        self.ledger.require_free()
        return self._intake.at_once(request, origin)

    def take_in(
        self,
        request: JobRequest,
        origin: Origin,
        accepted: Callable[[JobId, int], None],
        refused: Callable[[Exception], None],
    ) -> None:
        """As `submit`, but a large request goes on in `tick`; what came of it is told to one of the two.

        Raises:
            BusyError, OutputPermissionError: at once, as `submit` does.
        """
        self._require_room()
        self._intake.add(request, origin, accepted, refused)
        self._admit()

    def _admit(self) -> None:
        """Go on with the request that came first, for a slice."""
        arrival = self._intake.step()
        if arrival is None:
            return
        if arrival.stop:
            self._stop(arrival.job_id, arrival.stop)
        self.advance()

    def _withdraw(self, job_id: JobId) -> None:
        """Take back a job that could not be stored whole, or not paused."""
        self._queue.take(job_id)
        # What can't be removed now is at the next start.
        _only_logged(lambda: self.store.delete_job(job_id))
        self.ledger.release(job_id)

    def active(self, job_id: JobId | None) -> list[JobId]:
        """Which jobs of this process that have not ended are meant: the one, or all for None.

        Raises:
            JobNotFoundError: there is no such job, ended or not.
            JobActiveError: it is at work in another process.
        """
        mine = [run.job.job_id for run in self._runs] + self._queue.ids() + self._arrivals.ids()
        if job_id is None:
            return mine
        if job_id in mine:
            return [job_id]
        if self.ledger.get(job_id).state in ACTIVE and job_id not in self.ledger.late:
            raise JobActiveError(f"Job {job_id} is at work in another process. Ask there.")
        return []

    def paused(self, job_id: JobId | None) -> list[JobId]:
        """Which of the jobs that `active` names are paused."""
        paused = (
            self._queue.held() | self._arrivals.held() | {run.job.job_id for run in self._runs if run.paused}
        )
        return [job for job in self.active(job_id) if job in paused]

    def cancel(self, job_id: JobId | None) -> None:
        """End a job, or all, for good unless it is resumed by order."""
        stop = Stop("cancelled", "cancelled", None)
        self._arrivals.stop(job_id, stop)
        self._stop(job_id, stop)
        self.advance()

    def interrupt(self, reason: str) -> None:
        """End all jobs so that they can be taken up again: shutdown, a signal, or the host's death."""
        for arrival in self._arrivals.clear():
            arrival.refused(shutting_down())
        self._stop(None, Stop("cancelled", "interrupted", reason))
        self.advance()

    def pause(self, job_ids: Sequence[JobId]) -> None:
        """Start no more pages of these jobs; pages in work are finished. A job that waits is held back."""
        self.ledger.require_free()
        # What was finished before the order is told before the answer to it.
        self._take_outcomes()
        for run in self._runs:
            if run.job.job_id in job_ids:
                run.pause()
                self.ledger.manifests.state_changed(run.job.job_id)
        self._arrivals.hold(job_ids, held=True)
        for job_id in self._queue.hold(job_ids):
            self.ledger.set_state(job_id, "paused")

    def unpause(self, job_ids: Sequence[JobId]) -> None:
        """Go on with paused jobs."""
        self.ledger.require_free()
        for run in self._runs:
            if run.job.job_id in job_ids:
                run.unpause()
                self.ledger.manifests.state_changed(run.job.job_id)
        self._arrivals.hold(job_ids, held=False)
        for job_id in self._queue.let_go(job_ids):
            self.ledger.set_state(job_id, "queued")
        self.advance()

    def reopen(self, job_id: JobId, order: RunOrder) -> JobState:
        """Start a new run of an ended job for its pending files; its state before. Of a completed job: nothing to do."""
        job = self.ledger.ended(job_id)
        if job.state in RESUMABLE:
            self._require_room()
            require_folder(job)
            self.ledger.hold(job_id)
            self.store.reopen_files(job_id, "processing")
            self._enqueue(job, order)
        return job.state

    def retry_failed(self, job_id: JobId, order: RunOrder) -> int:
        """Start a new run for the failed files alone; their number."""
        job = self.ledger.ended(job_id)
        failed = self.store.file_numbers(job_id, "failed")
        if failed:
            self._require_room()
            require_folder(job)
            self.ledger.hold(job_id)
            self.store.reopen_files(job_id, "failed")
            self._enqueue(job, RunOrder(order.origin, order.passwords, frozenset(failed)))
        return len(failed)

    def handle(self, message: SlotMessage) -> None:
        """Hear what a page process said; the next `tick` takes it in."""
        if (ended := self.pool.handle(message)) is not None:
            self._outcomes.append(ended)

    def advance(self) -> None:
        """Take in what has ended, and start all work that can be started now. All of it waits for a store that is held."""
        self._runs.drop_ended()
        if self._may_write():
            self._go_on()

    def _go_on(self) -> None:
        self.ledger.catch_up()
        self._take_outcomes()
        self._runs.each(lambda run: run.advance())
        if self._unattended:
            self._leave_paused()
        self._runs.drop_ended()
        while (waiting := self._queue.peek()) and all(run.paused for run in self._runs):
            self._queue.remove(waiting)
            self._runs.begin(waiting.job, waiting.order)

    def _take_outcomes(self) -> None:
        while self._outcomes:
            ended = self._outcomes.popleft()
            self._runs.each(lambda run, ended=ended: run.take(ended))  # type: ignore[misc]
        self._runs.drop_ended()

    def tick(self) -> None:
        self._heed_requests()
        self._outcomes.extend(self.pool.tick())
        self._admit()
        if self._may_write():
            self._runs.each(lambda run: run.tick())
            self._go_on()

    def next_tick(self) -> float | None:
        """When `tick` has something to do, on the monotonic clock."""
        ours = [run.next_tick() for run in self._runs]
        if self._at_work and (held := self.ledger.late.held_until):
            ours = [held]
        elif self._arrivals:
            ours.append(self._arrivals.next_tick)
        if self.ledger.holds_jobs:
            ours.append(self._requests_at)
        return min((at for at in (self.pool.next_tick(), *ours) if at is not None), default=None)

    @property
    def state(self) -> str:
        if self._arrivals or self._queue.peek() or any(not run.paused for run in self._runs):
            return "running"
        return "paused" if self._runs or self._queue else "idle"

    def doing(self) -> tuple[JobId | None, str | None, int | None]:
        """The job, file and page in work."""
        return self._runs.doing()

    @property
    def queued(self) -> int:
        return len(self._queue) + len(self._arrivals)

    @property
    def runs(self) -> tuple[JobRun, ...]:
        return tuple(self._runs)

    def drain(self) -> None:
        """Take no more jobs; those that are paused end here."""
        self._draining = True
        self.stop_paused()

    def stop_paused(self) -> None:
        """From now on end paused jobs, once their pages in work are finished: nothing will continue them in this process."""
        self._unattended = True
        self.advance()

    @property
    def _at_work(self) -> bool:
        return bool(self._runs or self._queue or self._arrivals or self.ledger.late)

    def _may_write(self) -> bool:
        """Something is to be done, and no other process holds the store."""
        return self._at_work and self.ledger.late.store_is_free()

    def _heed_requests(self) -> None:
        """Cancel the jobs of ours that another process asks for."""
        if time.monotonic() >= self._requests_at:
            self._requests_at = time.monotonic() + REQUEST_SECONDS
            for job_id in self.ledger.cancels_asked():
                self.cancel(job_id)

    def _leave_paused(self) -> None:
        resting = [run.job.job_id for run in self._runs if run.paused and run.at_rest]
        for job_id in [*resting, *self._queue.held()]:
            self._stop(job_id, Stop("stopped", "stopped", "paused"))

    def _stop(self, job_id: JobId | None, stop: Stop) -> None:
        if self._may_write():
            # What was finished before the order counts, though no tick has taken it in yet.
            self._take_outcomes()
        running = [run for run in self._runs if job_id in (None, run.job.job_id)]
        waiting = (self._runs.make(waiting.job, waiting.order) for waiting in self._queue.take(job_id))
        for run in chain(running, waiting):
            if run is not None:
                self._runs.guarded(run, lambda run: run.stop(*stop))

    def _require_room(self) -> None:
        if self._draining:
            raise shutting_down()
        if self.queued >= self._settings.queue_limit:
            raise BusyError(f"{self.queued} jobs are waiting. Ask again when one of them has ended.")

    def _enqueue(self, job: StoredJob, order: RunOrder) -> None:
        self.ledger.hold(job.job_id)
        self.ledger.set_state(job.job_id, "queued")
        self._queue.add(job, order)

    def _workshop(self) -> Workshop:
        return Workshop(
            self.store, self.pool, self._settings, self._emit, self._tickets, self.ledger.late.write,
            self.ledger.manifests.file_changed, self._progress_seconds,
        )  # fmt: skip

    def settle(self, job_id: JobId, seconds: float = MANIFEST_SECONDS) -> None:
        """Wait, in any thread, until a job's manifest says what the store does; a moment, or as long as it must."""
        self.ledger.manifests.settle(job_id, seconds)

    @property
    def settled(self) -> bool:
        """All manifests say what the store does, or can't be written."""
        return self.ledger.manifests.settled

    def set_progress_hz(self, hz: float) -> None:
        """How often the progress of a job is told from now on, at most."""
        self._progress_seconds = 1 / hz
        for run in self._runs:
            run.tell_progress_every(self._progress_seconds)

    def _emit(self, event: JobEvent) -> None:
        self.ledger.note(event)
        self._around.emit(event)


def shutting_down() -> BusyError:
    return BusyError("The worker is shutting down and takes no more jobs. Start another.")


def _only_logged(step: Callable[[], None]) -> None:
    try:
        step()
    except Exception:
        log.exception("cleaning up failed")
