"""Jobs from Python: start one, follow its events, cancel it, wait for its result."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typing_extensions import Self, Unpack

from ocr_worker.errors import InvalidParamsError, NotFoundError, OcrError
from ocr_worker.files.paths import AnyPath
from ocr_worker.files.sweep import leave_temp_folder, make_temp_folder
from ocr_worker.jobs import queries
from ocr_worker.jobs.one_off import INSPECT_SECONDS, failed, inspection
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.jobs.service import JobService
from ocr_worker.jobs.subscriptions import Heard, Subscription
from ocr_worker.library.options import Options
from ocr_worker.library.pictures import Picture, image_bytes
from ocr_worker.library.requests import make_page_settings, make_request
from ocr_worker.model.events import JobEnded, JobFailed
from ocr_worker.model.jobs import JobId
from ocr_worker.model.page import Page
from ocr_worker.model.results import BatchResult, Inspection
from ocr_worker.model.tasks import InspectTask, PageDone, PageTask, Source
from ocr_worker.pages.page_results import read_page
from ocr_worker.settings import Settings, settings_from_environment
from ocr_worker.store.job_store import open_store

PAGE_SECONDS = 120.0
"""Time limit of a single page."""
MANIFEST_SECONDS = 600.0
"""How long a result waits for its manifest."""


class JobBrokenError(OcrError):
    """A bug or the state folder ended the run; `code` says which. Finished files are kept: resume the job."""


class Job:
    """A job, running or ended. Iterate it in one thread; call its other methods from any thread."""

    def __init__(self, runtime: Runtime, job_id: JobId, file_count: int, after_seq: int = 0) -> None:
        self._runtime = runtime
        self.job_id: str = job_id
        """The id that `ocr-worker jobs` lists and `Sidecar.resume` takes."""
        self.file_count: int = file_count
        """Files of this run."""
        self._events: Subscription = runtime.subscribe(job_id, after_seq)
        self._end: JobEnded | JobFailed | None = None

    @property
    def has_ended(self) -> bool:
        """Whether its last event was read, by iterating, `next_event` or `result`."""
        return self._end is not None

    def __iter__(self) -> Iterator[Heard]:
        """ProgressMade and FileDone as they happen, and at last JobEnded or JobFailed."""
        while not self.has_ended and (event := self.next_event()) is not None:
            yield event

    def next_event(self, timeout: float | None = None) -> Heard | None:
        """Wait for the next event.

        Args:
            timeout: seconds; None waits for ever.

        Returns:
            The event; None after `timeout` seconds, or if the sidecar was closed.
        """
        event = self._events.get(timeout)
        if isinstance(event, JobEnded | JobFailed):
            self._end = event
            self._events.close()
        return event

    def result(self) -> BatchResult:
        """Wait for the end of the job.

        Returns:
            The result of the run, with all files of the job.

        Raises:
            JobBrokenError: a bug or the state folder ended the run, or the sidecar was closed.
        """
        for _ in self:
            continue
        if self._end is None:
            raise JobBrokenError("The sidecar was closed before the job had ended. Resume the job.")
        if isinstance(self._end, JobFailed):
            failure = self._end.failure
            error = JobBrokenError(failure.message, job_id=self.job_id)
            error.code = failure.code
            raise error
        self._runtime.await_manifest(self.job_id, MANIFEST_SECONDS)
        # In this thread: a long list holds up no other job, and a closed sidecar still tells how it ended.
        with open_store(self._runtime.settings.state_dir) as store:
            return queries.batch_result(store, self.job_id, self._end.run)

    def cancel(self) -> None:
        """End the job within a second, in the middle of a page. Finished files stay; the rest can be resumed."""
        self._order(lambda service: service.cancel(self.job_id))

    def pause(self) -> None:
        """Start no more pages; finish those that have begun."""
        self._order(lambda service: service.pause([self.job_id]))

    def resume(self) -> None:
        """Go on after a pause."""
        self._order(lambda service: service.unpause([self.job_id]))

    def _order(self, order: Any) -> None:
        def give(service: JobService) -> None:
            if service.active(self.job_id):
                order(service)

        self._runtime.call(give)


class Sidecar:
    """Runs jobs in page processes, and keeps these warm. Use it as a context manager, from any thread.

    with Sidecar() as sidecar:
        job = sidecar.start(["scan.pdf"], "out", languages="deu+eng")
        for event in job:
            print(event)
        result = job.result()
    """

    def __init__(
        self,
        *,
        state_dir: AnyPath | None = None,
        max_workers: int | None = None,
        settings: Settings | None = None,
    ) -> None:
        """Start nothing yet.

        Args:
            state_dir: where jobs are stored; by default OCR_WORKER_STATE_DIR or the user's state folder.
            max_workers: most page processes; by default one per processor.
            settings: all settings, instead of the other two.
        """
        if settings is None:
            settings = _settings(state_dir, max_workers)
        self._settings = settings
        self._started: Runtime | None = None
        self._starting = threading.Lock()

    @property
    def _runtime(self) -> Runtime:
        """Started when it is first needed, and anew after `close`."""
        with self._starting:
            if self._started is None:
                self._started = Runtime(self._settings).start()
            return self._started

    def start(
        self, files: AnyPath | Iterable[AnyPath], output_dir: AnyPath, **options: Unpack[Options]
    ) -> Job:
        """Start a batch.

        Args:
            files: paths of PDFs and images; a single path is one file.
            output_dir: where outputs go; made if missing.
            options: see `Options`.

        Raises:
            OcrError: nothing was started: no files, an invalid option, a language that is not installed, a folder
                that can't be written. Failures of single files are in the result.
        """
        request, runtime = make_request(files, output_dir, options), self._runtime
        accepted = runtime.admit(request)
        return Job(runtime, accepted.job_id, accepted.file_count)

    def resume(self, job_id: str, passwords: dict[str, str] | None = None) -> Job | None:
        """Go on with a job that was cancelled, stopped or interrupted.

        Args:
            job_id: of the job.
            passwords: by path; they are never stored.

        Returns:
            The job; None if nothing is left to do.

        Raises:
            JobNotFoundError: there is no such job.
            JobActiveError: it has not ended.
        """
        return self._again(
            lambda service: (service.leases.get(job_id).last_seq, service.resume(job_id, passwords or {}))
        )

    def retry_failed(self, job_id: str, passwords: dict[str, str] | None = None) -> Job | None:
        """Retry the failed files of a job; None if no file failed. Arguments and errors are those of `resume`."""
        return self._again(
            lambda service: (
                service.leases.get(job_id).last_seq,
                service.retry_failed(job_id, passwords or {}),
            )
        )

    def inspect(self, file: AnyPath, password: str | None = None) -> Inspection:
        """Say what a file is, without OCR: type by content, pages, sizes in points, protection, forms.

        Args:
            file: a PDF or an image.
            password: of a protected PDF.

        Raises:
            OcrError: the file can't be inspected; the message names it.
        """
        source = Source(_absolute(file), password)
        return inspection(os.fspath(file), source, self._runtime.ask(InspectTask(source)).result())

    def read_page(
        self,
        image: AnyPath | bytes | Picture,
        page: int = 1,
        password: str | None = None,
        **options: Unpack[Options],
    ) -> Page:
        """Read one image, or one page of a file. Makes no job and writes no outputs.

        Args:
            image: a path, the bytes of an image or PDF, or a PIL image.
            page: of a file with several, from 1.
            password: of a protected PDF.
            options: those of `Options` that say how pages are read.

        Returns:
            The page: text, lines, and words with boxes in pixels of the upright page and confidence from 0 to 100.

        Raises:
            OcrError: the page can't be read; the message names the file.
        """
        settings = make_page_settings(options)
        with _scratch(self._settings.jobs_dir) as scratch:
            source, result = Source(_file_of(image, scratch), password), scratch / "result.page"
            if page > 1:
                self._require_page(source, page)
            task = PageTask(source, settings, page, str(result))
            outcome = self._runtime.ask(task, PAGE_SECONDS).result()
            if not isinstance(outcome, PageDone):
                raise failed(outcome, source.name, PAGE_SECONDS)
            return read_page(result)

    def close(self) -> None:
        """End all page processes and close the store. Running jobs can be resumed. Safe to call again."""
        with self._starting:
            runtime, self._started = self._started, None
        if runtime is not None:
            runtime.call(lambda service: service.interrupt("closed"))
            runtime.close()
            leave_temp_folder(self._settings.jobs_dir)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _require_page(self, source: Source, page: int) -> None:
        found = inspection(
            source.path, source, self._runtime.ask(InspectTask(source), INSPECT_SECONDS).result()
        )
        if page > found.pages:
            raise NotFoundError(f"{source.name} has no page {page}, only {found.pages}.")

    def _again(self, order: Any) -> Job | None:
        runtime = self._runtime
        seen, accepted = runtime.call(order)
        return Job(runtime, accepted.job_id, accepted.file_count, seen) if accepted else None


def _settings(state_dir: AnyPath | None, max_workers: int | None) -> Settings:
    from dataclasses import replace

    try:
        settings = settings_from_environment()
    except ValueError as error:
        raise InvalidParamsError(str(error)) from error
    if state_dir is not None:
        settings = replace(settings, state_dir=Path(state_dir).absolute())
    if max_workers is not None:
        if type(max_workers) is not int or max_workers < 1:
            raise InvalidParamsError("max_workers must be an integer of 1 or more.", field="max_workers")
        settings = replace(settings, page_processes=max_workers)
    return settings


@contextmanager
def _scratch(jobs_dir: Path) -> Iterator[Path]:
    """A folder where page processes may write a result. What a dead process leaves is removed by the next call."""
    folder = make_temp_folder(jobs_dir)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _file_of(image: AnyPath | bytes | Picture, scratch: Path) -> str:
    if isinstance(image, str | os.PathLike):
        return _absolute(image)
    path = scratch / "image"
    path.write_bytes(image_bytes(image))
    return str(path)


def _absolute(path: AnyPath) -> str:
    return os.path.abspath(os.fspath(path))  # noqa: PTH100  # resolve() would follow links
