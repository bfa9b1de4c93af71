"""A caller in our own process: stands where the stdio loop stands, and runs one batch to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ocr_worker.errors import InvalidParamsError, OcrError
from ocr_worker.jobs import queries
from ocr_worker.jobs.runtime import Inbox, Surroundings
from ocr_worker.jobs.service import JobService
from ocr_worker.library.callbacks import METHODS, NullProgress, ProgressCallback, ProgressFunction
from ocr_worker.library.requests import AnyPath, make_request
from ocr_worker.model.jobs import (
    FileEnded,
    JobEnded,
    JobFailed,
    JobId,
    JobRequest,
    Origin,
    ProgressMade,
    RunEnd,
)
from ocr_worker.settings import settings_from_environment


class Caller:
    """Runs batches of a service that is used as a library, in the caller's thread."""

    def __init__(
        self,
        callback: ProgressFunction | ProgressCallback | None,
        cancellation_flag: Callable[[], bool] | None,
    ) -> None:
        if not (callback is None or callable(callback) or isinstance(callback, ProgressCallback)):
            raise InvalidParamsError(
                f"progress_callback must be a function, or have the methods {', '.join(METHODS)}.",
                field="progress_callback",
            )
        self._files: ProgressCallback = callback if isinstance(callback, ProgressCallback) else NullProgress()
        self._pages = callback if callable(callback) else None
        self._cancelled = cancellation_flag or _never
        self._inbox = Inbox()

    def surroundings(self) -> Surroundings:
        return self._inbox.surroundings(settings_from_environment())

    def run(self, service: JobService, request: JobRequest) -> dict[str, Any]:
        job_id, file_count = service.submit(request, Origin("ocr_batch", None))
        self._files.on_start(file_count)
        try:
            run = self._pump(service, job_id, file_count)
        except BaseException:
            # An interrupted caller must not leave a job at work.
            service.cancel(job_id)
            raise
        service.settle(job_id)
        result = queries.batch_result(service.store, job_id, run)
        self._files.on_complete(result.get("successful", []), result.get("failed", []))
        return result

    def _pump(self, service: JobService, job_id: JobId, file_count: int) -> RunEnd:
        service.advance()
        ended = 0
        while True:
            for event in self._inbox.take_events():
                if event.job_id != job_id:
                    # Of an earlier batch, which its caller broke off.
                    continue
                if isinstance(event, JobEnded):
                    return event.run
                if isinstance(event, JobFailed):
                    raise OcrError(event.message, job_id=job_id)
                if isinstance(event, FileEnded):
                    ended += 1
                    self._tell_file(ended, file_count, queries.file_done(service.store, job_id, event.number))
                else:
                    self._tell_pages(event)
            self._inbox.wait(service)
            if self._cancelled():
                service.cancel(job_id)
            service.tick()

    def _tell_pages(self, event: ProgressMade) -> None:
        if self._pages is not None:
            fields = event.fields
            self._pages(
                fields["current"],
                fields["total"],
                fields["message"],
                fields["percent"],
                fields["eta_seconds"],
            )

    def _tell_file(self, current: int, total: int, done: dict[str, Any]) -> None:
        if done["status"] == "failed":
            self._files.on_error(current, total, done["file"], done["error"]["message"])
        else:
            self._files.on_progress(current, total, done["file"], done)


def _never() -> bool:
    return False


class OCRBatchService(JobService):
    """Runs batches in the caller's thread.

        service = OCRBatchService(progress_callback, cancellation_flag)
        try:
            result = service.process_batch(["scan.pdf"], "out")
        finally:
            service.cleanup()

    Source: the first design note (the Python IPC handler).
    """

    def __init__(
        self,
        progress_callback: ProgressFunction | ProgressCallback | None = None,
        cancellation_flag: Callable[[], bool] | None = None,
    ) -> None:
        """Start nothing yet: page processes come with the first batch.

        Args:
            progress_callback: called as `(current, total, message, percent, eta=None)`, pages and percent of the whole
                batch, `eta` in seconds; or an object with the methods of `ProgressCallback`.
            cancellation_flag: asked at least every 50 ms; True cancels the batch within a second.
        """
        self._caller = Caller(progress_callback, cancellation_flag)
        super().__init__(self._caller.surroundings())

    def process_batch(
        self, files: AnyPath | Iterable[AnyPath], output_dir: AnyPath, **options: Any
    ) -> dict[str, Any]:
        """Do a batch and return when it has ended, well or not.

        Args:
            files: paths of PDFs and images; a path alone is one file.
            output_dir: made if missing.
            options: those of the wire's `ocr_batch`, see docs/protocol.md.

        Returns:
            The `data` of the wire's batch result: `status`, `successful` [{file, pages, output}], `failed`
            [{file, error, code, retryable}], `skipped`, `total_files`, `total_pages_processed`, `duration_seconds`, ….

        Raises:
            OcrError: nothing was begun: no files, a bad option, a language that is not installed, a folder that can't
                be written. What befalls single files stands in the result.
        """
        request = make_request(files, output_dir, options)
        return self._caller.run(self, request)
