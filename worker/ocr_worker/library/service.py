"""OCRBatchService: a batch in one call, with progress and cancelling by functions of the caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from typing_extensions import Unpack

from ocr_worker.errors import InvalidParamsError
from ocr_worker.files.paths import AnyPath
from ocr_worker.library.callbacks import METHODS, NullProgress, ProgressCallback, ProgressFunction
from ocr_worker.library.options import Options
from ocr_worker.library.sidecar import Job, Sidecar
from ocr_worker.model.events import FileDone, JobEnded, JobFailed, ProgressMade
from ocr_worker.model.fields import batch_fields, file_done_fields

FLAG_SECONDS = 0.05
"""The cancellation flag is asked for at least so often."""


class OCRBatchService:
    """Runs batches, one after the other, and keeps its page processes warm between them.

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
                batch, `eta` in seconds; or an object with the methods of `ProgressCallback`. Both are called in the
                thread that called `process_batch`.
            cancellation_flag: asked at least every 50 ms; True cancels the batch within a second.
        """
        callback = progress_callback
        if not (callback is None or callable(callback) or isinstance(callback, ProgressCallback)):
            raise InvalidParamsError(
                f"progress_callback must be a function, or have the methods {', '.join(METHODS)}.",
                field="progress_callback",
            )
        self._files: ProgressCallback = callback if isinstance(callback, ProgressCallback) else NullProgress()
        self._pages = callback if callable(callback) else None
        self._cancelled = cancellation_flag or (lambda: False)
        self._sidecar = Sidecar()

    def process_batch(
        self, files: AnyPath | Iterable[AnyPath], output_dir: AnyPath, **options: Unpack[Options]
    ) -> dict[str, Any]:
        """Do a batch and return when it has ended, well or not.

        Args:
            files: paths of PDFs and images; a path alone is one file.
            output_dir: made if missing.
            options: see `Options`.

        Returns:
            The `data` of the wire's batch result: `status`, `successful` [{file, pages, output}], `failed`
            [{file, error, code, retryable}], `skipped`, `total_files`, `total_pages_processed`, `duration_seconds`, ….

        Raises:
            OcrError: nothing was begun: no files, a bad option, a language that is not installed, a folder that can't
                be written. What befalls single files stands in the result.
        """
        job = self._sidecar.start(files, output_dir, **options)
        self._files.on_start(job.file_count)
        try:
            self._follow(job)
        except BaseException:
            # An interrupted caller must not leave a job at work.
            job.cancel()
            raise
        result = batch_fields(job.result())
        self._files.on_complete(result.get("successful", []), result.get("failed", []))
        return result

    def cleanup(self) -> None:
        """End all page processes, have manifests written, and let the store go. Safe to call again; the next batch starts anew."""
        self._sidecar.close()

    def _follow(self, job: Job) -> None:
        ended = 0
        while not job.has_ended:
            match job.next_event(FLAG_SECONDS):
                case ProgressMade(_, progress) if self._pages is not None:
                    self._pages(
                        progress.current,
                        progress.total,
                        progress.message,
                        progress.percent,
                        progress.eta_seconds,
                    )
                case FileDone() as done:
                    ended += 1
                    self._tell_file(ended, job.file_count, done)
                case JobEnded() | JobFailed():
                    return
                case _:
                    pass
            if self._cancelled():
                job.cancel()

    def _tell_file(self, current: int, total: int, done: FileDone) -> None:
        result = done.result
        if result.error is not None:
            self._files.on_error(current, total, result.file, result.error.message)
        else:
            self._files.on_progress(current, total, result.file, file_done_fields(result))
