"""The runs of jobs that have not ended: one job's fault is that job's, the others and the worker go on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from ocr_worker.files.atomic import FolderId
from ocr_worker.jobs.file_window import RunOrder
from ocr_worker.jobs.outcomes import run_error
from ocr_worker.jobs.run import JobRun
from ocr_worker.jobs.run_context import Workshop
from ocr_worker.model.jobs import JobFailed, JobId
from ocr_worker.store.records import StoredJob

log = logging.getLogger(__name__)


class Runs:
    def __init__(self, shop: Callable[[], Workshop], begun: Callable[[JobId, FolderId | None], None]) -> None:
        self._shop, self._begun = shop, begun
        self._runs: list[JobRun] = []

    def __iter__(self) -> Iterator[JobRun]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def begin(self, job: StoredJob, order: RunOrder) -> None:
        run = self.make(job, order)
        if run is None:
            return
        self._runs.append(run)
        self.guarded(run, lambda run: run.begin())
        self._begun(job.job_id, run.folder_id)
        self.guarded(run, lambda run: run.advance())
        self.drop_ended()

    def make(self, job: StoredJob, order: RunOrder) -> JobRun | None:
        """The run of a job that was taken from the queue; one that can't be made has ended with that."""
        shop = self._shop()
        try:
            return JobRun(job, order, shop)
        except Exception as error:
            log.exception("job %s can't begin", job.job_id)
            ours = run_error(error, job.job_id)
            shop.emit(JobFailed(job.job_id, order.origin, ours.code, ours.message, ours.retryable))
            return None

    def each(self, step: Callable[[JobRun], object]) -> None:
        for run in self._runs[:]:
            self.guarded(run, step)

    def guarded(self, run: JobRun, step: Callable[[JobRun], object]) -> None:
        """Have a run do a step, unless it has ended; it fails with what goes wrong."""
        if run.ended:
            return
        try:
            step(run)
        except Exception as error:
            log.exception("job %s failed", run.job.job_id)
            run.fail(error)

    def drop_ended(self) -> None:
        self._runs = [run for run in self._runs if not run.ended]

    def doing(self) -> tuple[JobId | None, str | None, int | None]:
        """The job, file and page in work."""
        for run in self._runs:
            file, page = run.at_work() or (None, None)
            return run.job.job_id, file, page
        return None, None, None
