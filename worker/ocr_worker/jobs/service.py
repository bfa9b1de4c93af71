"""All jobs of this process: admit, queue, run, pause, cancel. Owned by the runtime's thread."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from itertools import count

from ocr_worker.errors import BusyError, JobActiveError, OcrError
from ocr_worker.jobs.admission import AdmissionQueue, require_folder
from ocr_worker.jobs.course import RunEnds
from ocr_worker.jobs.file_window import RunOrder
from ocr_worker.jobs.job_queue import JobQueue, Waiting
from ocr_worker.jobs.outcomes import run_error
from ocr_worker.jobs.run import JobRun
from ocr_worker.jobs.run_context import Listener, RunContext
from ocr_worker.model.events import JobEnded, JobEvent, JobFailed, JobPaused
from ocr_worker.model.jobs import ACTIVE, RESUMABLE, Doing, FileState, JobId, JobRequest
from ocr_worker.model.results import Accepted
from ocr_worker.model.tasks import Failure
from ocr_worker.processes.pool import Pool, TaskEnded
from ocr_worker.settings import Settings
from ocr_worker.store.job_lock import Request
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.leases import JobLeases, holder
from ocr_worker.store.records import StoredJob

log = logging.getLogger(__name__)

REQUEST_SECONDS = 0.5
"""How often to look for requests of other processes."""


class JobService:
    """The runtime passes it messages of the pool (`handle`), and calls `step` when `next_step` is due."""

    def __init__(
        self, settings: Settings, pool: Pool, listener: Listener, *, progress_seconds: float = 0.1
    ) -> None:
        """Start nothing yet: page processes start with the first job."""
        self._settings, self._listener = settings, listener
        self.pool: Pool = pool
        self.leases: JobLeases = JobLeases(settings)
        self._tickets = count(1)
        self._queue, self._admissions, self._runs = JobQueue(), AdmissionQueue(self.leases), list[JobRun]()
        self._progress_seconds = progress_seconds
        self._draining, self._unattended = False, False
        self._changed, self._queue_moved = False, False
        self._is_stale, self._is_free = False, False
        """Whether the next due time must be computed again; whether the store was free a moment ago."""
        self._writing: JobRun | None = None
        """The run whose writes are not stored yet: those of steps that follow each other at once are one transaction."""
        self._runs_due_at: float | None = None
        self._blocked_until = 0.0
        self._requests_at = 0.0
        self.doing: Doing = Doing("idle")
        """The job, file and page in work, as of the last step; can be read from any thread."""
        self._resting: list[JobId] = []
        """Waiting jobs that were paused, which is to be told."""
        self._outcomes: deque[TaskEnded] = deque()
        """Handled as soon as the store is free."""

    @property
    def store(self) -> JobStore:
        """Opened at the first job."""
        return self.leases.store

    @property
    def state(self) -> str:
        """idle, running or paused."""
        if (
            self._admissions.arrivals
            or self._queue.peek()
            or any(not run.course.paused for run in self._runs)
        ):
            return "running"
        return "paused" if self._runs or self._queue.waiting else "idle"

    @property
    def queued(self) -> int:
        return len(self._queue.waiting) + len(self._admissions.arrivals)

    # Orders

    def admit(self, request: JobRequest) -> Future[Accepted]:
        """Admit a job, in several steps if it is large.

        The future resolves when all of it is stored, or fails if the output folder can't be used.

        Raises:
            BusyError: too many jobs wait.
            OutputPermissionError: the state folder can't be written.
        """
        self._require_room()
        return self._admissions.add(request)

    def active(self, job_id: JobId | None) -> list[JobId]:
        """The job, or all jobs for None, if this process has it and it has not ended.

        Raises:
            JobNotFoundError: there is no such job, ended or not.
            JobActiveError: it is running in another process.
        """
        mine = [run.job.job_id for run in self._runs] + self._queue.ids() + self._admissions.ids()
        if job_id is None:
            return mine
        if job_id in mine:
            return [job_id]
        job = self.leases.get(job_id)
        if job.state in ACTIVE and job_id not in self.leases.deferred:
            message = f"Job {job_id} is running in another process. Send the command to that one."
            raise JobActiveError(message, **holder(job))
        return []

    def paused(self, job_id: JobId | None) -> list[JobId]:
        """Those of the `active` jobs that are paused."""
        runs = {run.job.job_id for run in self._runs if run.course.paused}
        paused = self._queue.paused() | self._admissions.paused() | runs
        return [job for job in self.active(job_id) if job in paused]

    def cancel(self, job_id: JobId | None) -> None:
        """Cancel a job, or all. It stays cancelled until somebody resumes it."""
        end = RunEnds("cancelled", "cancelled", None)
        self._admissions.stop(job_id, end)
        self._stop(job_id, end)

    def interrupt(self, reason: str) -> None:
        """End all jobs so that they can be resumed: at a shutdown, a signal, or the death of the host."""
        self._admissions.refuse_all(shutting_down())
        self._stop(None, RunEnds("cancelled", "interrupted", reason))

    def pause(self, job_ids: Sequence[JobId]) -> None:
        """Start no more pages of these jobs; finish pages in work. Waiting jobs are skipped in the queue."""
        self.leases.require_free()
        # Results from before the order are published before its answer.
        self._take_outcomes()
        for run in self._chosen(job_ids):
            run.pause()
            self.leases.manifests.state_changed(run.job.job_id)
        self._admissions.set_paused(job_ids, paused=True)
        for job_id in self._queue.set_paused(job_ids, paused=True):
            self.leases.set_state(job_id, "paused")
            self._resting.append(job_id)
        self._changed = self._queue_moved = True
        # A heartbeat behind the answer tells of the pause.
        self.doing = self._look()

    def unpause(self, job_ids: Sequence[JobId]) -> None:
        """Go on with paused jobs."""
        self.leases.require_free()
        for run in self._chosen(job_ids):
            run.unpause()
            self.leases.manifests.state_changed(run.job.job_id)
        self._admissions.set_paused(job_ids, paused=False)
        for job_id in self._queue.set_paused(job_ids, paused=False):
            self.leases.set_state(job_id, "queued")
        self._changed = self._queue_moved = True
        self.doing = self._look()

    def resume(self, job_id: JobId, passwords: dict[str, str]) -> Accepted | None:
        """Start a new run of an ended job for its pending files; None if there are none.

        Raises:
            JobActiveError, JobNotFoundError, BusyError, OutputPermissionError: nothing was started.
        """
        job = self.leases.get_ended(job_id)
        if job.state not in RESUMABLE:
            return None
        return self._run_again(job, "processing", RunOrder(passwords))

    def retry_failed(self, job_id: JobId, passwords: dict[str, str]) -> Accepted | None:
        """Start a new run for the failed files only; None if there are none. Raises as `resume`."""
        job = self.leases.get_ended(job_id)
        failed = frozenset(self.store.file_numbers(job_id, "failed"))
        if not failed:
            return None
        return self._run_again(job, "failed", RunOrder(passwords, failed))

    def drain(self) -> None:
        """Accept no more jobs, and end paused ones."""
        self._draining = True
        self.stop_paused()

    def stop_paused(self) -> None:
        """From now on, end paused jobs once their pages in work are finished: nobody can continue them here."""
        self._unattended, self._changed = True, True

    def set_progress_seconds(self, seconds: float) -> None:
        """Set the least time between two progress events of a job."""
        self._progress_seconds = seconds
        for run in self._runs:
            run.journal.throttle.least_seconds = seconds

    # The loop's

    def handle(self, message: object) -> None:
        """Queue the outcomes in a message of the pool; later steps handle them."""
        self._outcomes.extend(self.pool.handle(message))
        self._changed = True

    def step(self) -> None:
        """Do one thing that is due; anything else stays due."""
        now = time.monotonic()
        if self.leases.locks and now >= self._requests_at:
            self.settle()
            self._heed_requests(now)
        elif self._admissions.arrivals and now >= self._admissions.next_slice_at:
            self.settle()
            self._admit()
        elif not self._at_work:
            self._come_to_rest()
        elif self._is_stale and not self._has_news:
            self._reckon()
        elif self._is_free:
            # This holds for one step only, so that no step waits for the store.
            self._is_free, self._is_stale = False, True
            self._go_on()
            if not self._has_news:
                self.settle()
        else:
            self._look_at_store()

    def next_step(self) -> float | None:
        """When `step` has something to do, on the monotonic clock."""
        times = [self._requests_at] if self.leases.locks else []
        if self._admissions.arrivals:
            times.append(self._admissions.next_slice_at)
        if not self._at_work:
            at = 0.0 if self._changed else None
        else:
            at = self._blocked_until or (0.0 if self._has_news or self._is_stale else self._runs_due_at)
        return min((*times, at) if at is not None else times, default=None)

    def settle(self) -> None:
        """Store what steps have written, before anybody asks or something is waited for."""
        run, self._writing = self._writing, None
        try:
            self.leases.settle()
        except sqlite3.Error as error:
            log.exception("what was done can't be stored")
            if run is not None and not run.ended:
                run.fail(error)
                self._drop_ended()

    def _look_at_store(self) -> None:
        """Check that the store is free: nothing is done while another process has it locked."""
        self._is_free = self.leases.begin()
        self._blocked_until = self.leases.deferred.blocked_until

    def _reckon(self) -> None:
        """Compute when runs are due although nothing happens."""
        due = (run.next_tick() for run in self._runs)
        self._runs_due_at = min((at for at in due if at is not None), default=None)
        self._is_stale, self.doing = False, self._look()

    def _come_to_rest(self) -> None:
        self._changed = self._queue_moved = self._is_stale = False
        self.doing = self._look()

    def _go_on(self) -> None:
        """Handle outcomes first; then begin the next job, start tasks, and publish progress."""
        if self.leases.deferred.waiting:
            self.leases.catch_up()
        elif self._outcomes:
            self._take_outcome()
        elif self._queue_moved:
            self._begin_next()
        elif self._changed:
            self._advance()
        else:
            self._tick()

    def shift(self, seconds: float) -> None:
        """Move all deadlines, because this process was stopped for so long; the pool's are not its own."""
        for run in self._runs:
            run.course.shift(seconds)

    def on_event(self, event: JobEvent) -> None:
        """Publish an event of a job; one that has ended is named no longer."""
        if isinstance(event, JobEnded | JobFailed) and self.doing.job_id == event.job_id:
            self.doing = Doing(self.doing.state)
        self._listener.on_event(event)

    def close(self, *, at_once: bool) -> None:
        """Write manifests, and close the store, when the pool is closed. Errors are only logged."""
        self.leases.close(at_once=at_once)

    def _advance(self) -> None:
        """Start all tasks that can be started."""
        self._changed = False
        self._tell_resting()
        for run in self._runs:
            self._isolated(run, JobRun.advance)
        if self._unattended:
            self._end_paused()
        self._drop_ended()

    def _tell_resting(self) -> None:
        """A waiting job that was paused is at rest at once; told here, after the answer to its pause."""
        paused, self._resting = [job for job in self._resting if job in self._queue.paused()], []
        for job_id in paused:
            self.on_event(JobPaused(job_id))

    def _tick(self) -> None:
        """Publish progress that was held back, and give up what is overdue."""
        for run in self._runs:
            self._isolated(run, JobRun.tick)
        self._changed = True
        self._drop_ended()

    def _begin_next(self) -> None:
        """Begin the next job in the queue, if no job is running."""
        # A folder and processes take their time.
        self.settle()
        self._queue_moved, waiting = False, self._queue.peek()
        if waiting is None or not all(run.course.paused for run in self._runs):
            return
        self._queue.remove(waiting)
        run = self._make_run(waiting)
        if run is not None:
            self._runs.append(run)
            self._isolated(run, JobRun.begin)
        self._changed = True
        self._drop_ended()

    def _take_outcome(self) -> None:
        ended, self._changed = self._outcomes.popleft(), True
        for run in self._runs:
            self._isolated(run, lambda run: run.task_ended(ended))
        self._drop_ended()

    def _take_outcomes(self) -> None:
        while self._outcomes:
            self._take_outcome()

    def _isolated(self, run: JobRun, step: Callable[[JobRun], object]) -> None:
        """Do a step of a run unless it has ended. An exception fails this run; other runs go on."""
        if run.ended:
            return
        if self._writing not in (None, run):
            # A transaction that fails is one run's.
            self.settle()
        self._writing = run
        try:
            step(run)
        except Exception as error:
            log.exception("job %s failed", run.job.job_id)
            run.fail(error)

    def _drop_ended(self) -> None:
        if any(run.ended for run in self._runs):
            self._runs = [run for run in self._runs if not run.ended]
            self._changed = self._queue_moved = True

    def _look(self) -> Doing:
        """What is being done now; the same object if nothing has changed."""
        now = Doing(self.state)
        if self._runs:
            file, page = self._runs[0].in_flight.longest() or (None, None)
            now = Doing(self.state, self._runs[0].job.job_id, file, page)
        return self.doing if now == self.doing else now

    def _make_run(self, waiting: Waiting) -> JobRun | None:
        """Make the run of a job from the queue; if that fails, the job has failed."""
        job = waiting.job
        context = RunContext(
            self.store, self.pool, self._settings, self.leases, self, self._tickets, self._progress_seconds
        )  # fmt: skip
        try:
            return JobRun(job, waiting.order, context)
        except Exception as error:
            log.exception("job %s can't begin", job.job_id)
            failure = Failure.of(run_error(error, job.job_id))
            self.on_event(JobFailed(job.job_id, failure, job.last_seq + 1))
            return None

    def _admit(self) -> None:
        """Store a slice of a request; queue its job once all of it is stored."""
        arrival = self._admissions.next()
        if not arrival.is_stored:
            self._admissions.step(arrival)
            return
        self._admissions.arrivals.remove(arrival)
        job_id = arrival.job_id
        try:
            self._enqueue(arrival.admission.job, arrival.order)
            if arrival.paused:
                self.pause([job_id])
        except Exception as error:
            log.exception("job %s can't be queued", job_id)
            self._queue.pop(job_id)
            self.on_event(JobFailed(job_id, Failure.of(run_error(error, job_id)), 1))
        if arrival.stop:
            self._stop(job_id, arrival.stop)

    def _heed_requests(self, now: float) -> None:
        """Do with jobs of this process what other processes ask for."""
        self._requests_at = now + REQUEST_SECONDS
        for job_id in self.leases.cancel_requests():
            self.cancel(job_id)
        for job_id, request in self.leases.pause_requests():
            # While the store is not free, it stays asked.
            with suppress(OcrError):
                self._heed_pause(job_id, request)

    def _heed_pause(self, job_id: JobId, request: Request) -> None:
        is_paused = job_id in self.paused(job_id)
        if request == "pause" and not is_paused:
            self.pause([job_id])
        elif request == "resume" and is_paused:
            self.unpause([job_id])
        self.leases.locks[job_id].answered(request)

    def _end_paused(self) -> None:
        resting = [run.job.job_id for run in self._runs if run.course.paused and not run.in_flight]
        for job_id in [*resting, *self._queue.paused()]:
            self._stop(job_id, RunEnds("stopped", "stopped", "paused"))

    def _stop(self, job_id: JobId | None, end: RunEnds) -> None:
        self.settle()
        if self._at_work and self.leases.store_is_free():
            # Results from before the order count, even if no step has handled them yet.
            self._take_outcomes()
        runs = [run for run in self._runs if job_id in (None, run.job.job_id)]
        waiting = [self._make_run(waiting) for waiting in self._queue.pop(job_id)]
        for run in (*runs, *waiting):
            if run is not None:
                self._isolated(run, lambda run: run.stop(end))
        self._drop_ended()
        self._changed = True

    def _run_again(self, job: StoredJob, state: FileState, order: RunOrder) -> Accepted | None:
        self._require_room()
        require_folder(job)
        job = self.leases.acquire_ended(job.job_id)
        try:
            left = self._what_is_left(job, order)
            if left is None:
                self.leases.release(job.job_id)
                return None
            order = left
            self.store.reopen_files(job.job_id, state)
            self._enqueue(job, order)
        except Exception:
            self.leases.release(job.job_id)
            raise
        stats = self.store.stats(job.job_id)
        return Accepted(
            job.job_id, stats["pending"] if order.only is None else len(order.only), stats["total"]
        )

    def _what_is_left(self, job: StoredJob, order: RunOrder) -> RunOrder | None:
        """The order as it is to be carried out: another process may have done some of it between our look and our lock."""
        if order.only is None:
            return order if job.state in RESUMABLE else None
        failed = order.only.intersection(self.store.file_numbers(job.job_id, "failed"))
        return replace(order, only=failed) if failed else None

    def _enqueue(self, job: StoredJob, order: RunOrder) -> None:
        self.leases.acquire(job.job_id)
        self.leases.take_up(job.job_id)
        self._queue.add(job, order)
        self._changed = self._queue_moved = True

    def _chosen(self, job_ids: Sequence[JobId]) -> list[JobRun]:
        return [run for run in self._runs if run.job.job_id in job_ids]

    def _require_room(self) -> None:
        if self._draining:
            raise shutting_down()
        if self.queued >= self._settings.queue_limit:
            raise BusyError(f"{self.queued} jobs are waiting. Try again when one of them has ended.")

    @property
    def urgent(self) -> bool:
        """Whether a request has just come: a small one becomes a job before the next message."""
        return self._admissions.has_new

    @property
    def _at_work(self) -> bool:
        return bool(
            self._runs or self._queue.waiting or self._admissions.arrivals or self.leases.deferred.waiting
        )

    @property
    def _has_news(self) -> bool:
        return bool(self._changed or self._outcomes or self._queue_moved or self.leases.deferred.waiting)


def shutting_down() -> BusyError:
    return BusyError("The worker is shutting down and accepts no more jobs. Start another worker.")
