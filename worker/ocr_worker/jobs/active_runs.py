"""The runs of jobs that have not ended: one job's fault is that job's, the others and the worker go on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from ocr_worker.jobs.file_window import RunOrder
from ocr_worker.jobs.outcomes import run_error
from ocr_worker.jobs.run import JobRun
from ocr_worker.jobs.run_context import RunContext
from ocr_worker.model.events import JobFailed
from ocr_worker.model.results import Doing
from ocr_worker.model.tasks import Failure
from ocr_worker.processes.pool import TaskEnded
from ocr_worker.store.records import StoredJob

log = logging.getLogger(__name__)


class ActiveRuns:
    def __init__(self) -> None:
        self._runs: list[JobRun] = []

    def __iter__(self) -> Iterator[JobRun]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    @property
    def all_paused(self) -> bool:
        return all(run.paused for run in self._runs)

    def begin(self, job: StoredJob, order: RunOrder, context: RunContext) -> None:
        """Begin a run and keep it until it has ended."""
        run = make_run(job, order, context)
        if run is None:
            return
        self._runs.append(run)
        run_isolated(run, JobRun.begin)
        context.leases.manifests.begun(job.job_id, run.window.folder_id)
        self.drop_ended()

    def advance(self) -> None:
        """Do what has become due, and all that can be done now."""
        for run in self._runs[:]:
            run_isolated(run, JobRun.tick)
            run_isolated(run, JobRun.advance)
        self.drop_ended()

    def take(self, ended: TaskEnded) -> None:
        """Take in the end of a task, whosever it was."""
        for run in self._runs[:]:
            run_isolated(run, lambda run: run.take(ended))
        self.drop_ended()

    def next_tick(self) -> float | None:
        """When `advance` has something to do though nothing has happened, on the monotonic clock."""
        return min((at for run in self._runs if (at := run.next_tick()) is not None), default=None)

    def drop_ended(self) -> None:
        self._runs = [run for run in self._runs if not run.ended]

    def doing(self, state: str, before: Doing) -> Doing:
        """The job, file and page at work; `before` itself where nothing has changed."""
        now = Doing(state)
        if self._runs:
            file, page = self._runs[0].in_flight.longest() or (None, None)
            now = Doing(state, self._runs[0].job.job_id, file, page)
        return before if now == before else now


def make_run(job: StoredJob, order: RunOrder, context: RunContext) -> JobRun | None:
    """The run of a job that was taken from the queue; one that can't be made has ended with that."""
    try:
        return JobRun(job, order, context)
    except Exception as error:
        log.exception("job %s can't begin", job.job_id)
        ours = run_error(error, job.job_id)
        failure = Failure.of(ours)
        context.listener.on_event(JobFailed(job.job_id, failure, job.last_seq + 1))
        return None


def run_isolated(run: JobRun, step: Callable[[JobRun], object]) -> None:
    """Have a run do a step, unless it has ended; it fails with what goes wrong."""
    if run.ended:
        return
    try:
        step(run)
    except Exception as error:
        log.exception("job %s failed", run.job.job_id)
        run.fail(error)
