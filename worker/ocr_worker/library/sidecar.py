"""Sidecar: jobs from Python. Start one, iterate what happens, cancel it, have its result."""

from __future__ import annotations

import io
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from typing_extensions import Self, Unpack

from ocr_worker.errors import InvalidParamsError, NotFoundError, OcrError
from ocr_worker.files.paths import AnyPath
from ocr_worker.jobs import queries
from ocr_worker.jobs.one_off import INSPECT_SECONDS, failed, inspection
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.jobs.service import JobService
from ocr_worker.jobs.subscriptions import Heard, Subscription
from ocr_worker.library.options import Options
from ocr_worker.library.requests import make_page_settings, make_request
from ocr_worker.model.events import JobEnded, JobFailed
from ocr_worker.model.jobs import JobId
from ocr_worker.model.page import Page
from ocr_worker.model.results import BatchResult, Inspection
from ocr_worker.model.tasks import InspectTask, PageDone, PageTask, Source
from ocr_worker.pages.page_results import read_page
from ocr_worker.settings import Settings, settings_from_environment
from ocr_worker.store.job_store import JobStore

PAGE_SECONDS = 120.0
"""A single page that takes longer is given up."""
MANIFEST_SECONDS = 600.0
"""A result waits so long for its manifest, however large that is."""


class JobBrokenError(OcrError):
    """A run was ended by a fault of ours or of the state folder, whose code it carries. What was finished is kept: resume the job."""


class SavesPicture(Protocol):
    """A PIL image, as far as it is needed here."""

    def save(self, fp: Any, format: str | None = None) -> None:  # noqa: A002  # as PIL names it
        """Write the picture into a stream."""


class Job:
    """A job at work, or ended. Iterate it in one thread; its other methods may be called from any."""

    def __init__(self, runtime: Runtime, job_id: JobId, file_count: int, after_seq: int = 0) -> None:
        self._runtime, self.job_id, self.file_count = runtime, job_id, file_count
        self._events: Subscription = runtime.subscribe(job_id, after_seq)
        self._end: JobEnded | JobFailed | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the end was heard: by iterating, `next_event` or `result`."""
        return self._end is not None

    def __iter__(self) -> Iterator[Heard]:
        """ProgressMade and FileDone as they happen, and at last JobEnded or JobFailed."""
        while not self.has_ended and (event := self.next_event()) is not None:
            yield event

    def next_event(self, timeout: float | None = None) -> Heard | None:
        """What happened next; None when nothing did within `timeout` seconds, or the job's runtime was closed."""
        event = self._events.get(timeout)
        if isinstance(event, JobEnded | JobFailed):
            self._end = event
            self._events.close()
        return event

    def result(self) -> BatchResult:
        """Wait for the end.

        Returns:
            How the run ended, with all files of the job.

        Raises:
            JobBrokenError: a fault ended the run.
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
        self._runtime.settle(self.job_id, MANIFEST_SECONDS)
        # In this thread: a long list holds up no other job, and a closed sidecar still tells how it ended.
        with closing(JobStore(self._runtime.settings.state_dir)) as store:
            return queries.batch_result(store, self.job_id, self._end.run)

    def cancel(self) -> None:
        """End it within a second, in mid-page; what is finished stays, and the rest can be resumed."""
        self._order(lambda service: service.cancel(self.job_id))

    def pause(self) -> None:
        """Start no more pages; those at work are finished."""
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
    """Runs jobs in page processes of its own and keeps them warm; use it as a context, from any thread.

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
            state_dir: where jobs are remembered; by default the user's, or that of OCR_WORKER_STATE_DIR.
            max_workers: page processes at most; by default one a processor.
            settings: all of it at once, in place of the two.
        """
        if settings is None:
            settings = _settings(state_dir, max_workers)
        self._settings = settings
        self._runtime: Runtime | None = None
        self._starting = threading.Lock()

    @property
    def runtime(self) -> Runtime:
        """Started when it is first needed, and anew after `close`."""
        with self._starting:
            if self._runtime is None:
                self._runtime = Runtime(self._settings).start()
            return self._runtime

    def start(
        self, files: AnyPath | Iterable[AnyPath], output_dir: AnyPath, **options: Unpack[Options]
    ) -> Job:
        """Begin a batch.

        Args:
            files: paths of PDFs and images; a path alone is one file.
            output_dir: where outputs go; made if missing.
            options: see `Options`.

        Raises:
            OcrError: nothing was begun: no files, a bad option, a language that is not installed, a folder that can't
                be written. What befalls single files stands in the result.
        """
        request, runtime = make_request(files, output_dir, options), self.runtime
        accepted = runtime.admit(request)
        return Job(runtime, accepted.job_id, accepted.file_count)

    def resume(self, job_id: str, passwords: dict[str, str] | None = None) -> Job | None:
        """Go on with a job that was cancelled, stopped or interrupted; None where nothing is left to do.

        Raises:
            JobNotFoundError, JobActiveError: it is not there, or has not ended.
        """
        return self._again(
            lambda service: (service.leases.get(job_id).last_seq, service.resume(job_id, passwords or {}))
        )

    def retry_failed(self, job_id: str, passwords: dict[str, str] | None = None) -> Job | None:
        """Do the failed files of a job again; None where none has failed. Raises as `resume`."""
        return self._again(
            lambda service: (
                service.leases.get(job_id).last_seq,
                service.retry_failed(job_id, passwords or {}),
            )
        )

    def inspect(self, file: AnyPath, password: str | None = None) -> Inspection:
        """Say what a file is, without recognition. Raises OcrError, which names the file."""
        source = Source(_absolute(file), password)
        return inspection(os.fspath(file), source, self.runtime.ask(InspectTask(source)).result())

    def read_page(
        self,
        image: AnyPath | bytes | SavesPicture,
        page: int = 1,
        password: str | None = None,
        **options: Unpack[Options],
    ) -> Page:
        """Read one picture, or one page of a file, in memory: no job, no files.

        Args:
            image: a path, the bytes of an image or PDF, or a PIL image.
            page: of a file with several, from 1.
            password: of a protected PDF.
            options: those of `Options` that say how a page is read.

        Returns:
            The page: its text, lines, words with boxes in pixels and confidence from 0 to 100.

        Raises:
            OcrError: it can't be read; the message names it.
        """
        settings = make_page_settings(options)
        with tempfile.TemporaryDirectory(prefix="ocr-sidecar-") as scratch:
            path = _file_of(image, Path(scratch))
            source, result = Source(path, password), Path(scratch) / "result.page"
            if page > 1:
                self._require_page(source, page)
            task = PageTask(source, settings, page, str(result), threads=self._settings.page_processes)
            outcome = self.runtime.ask(task, PAGE_SECONDS).result()
            if not isinstance(outcome, PageDone):
                raise failed(outcome, source.name, PAGE_SECONDS)
            return read_page(result)

    def close(self) -> None:
        """End all page processes and let the store go; jobs at work can be resumed. Safe to call again."""
        with self._starting:
            runtime, self._runtime = self._runtime, None
        if runtime is not None:
            runtime.call(lambda service: service.interrupt("closed"))
            runtime.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _require_page(self, source: Source, page: int) -> None:
        found = inspection(
            source.path, source, self.runtime.ask(InspectTask(source), INSPECT_SECONDS).result()
        )
        if page > found.pages:
            raise NotFoundError(f"{source.name} has no page {page}, only {found.pages}.")

    def _again(self, order: Any) -> Job | None:
        runtime = self.runtime
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
        if max_workers < 1:
            raise InvalidParamsError("max_workers must be 1 or more.", field="max_workers")
        settings = replace(settings, page_processes=max_workers)
    return settings


def _file_of(image: AnyPath | bytes | SavesPicture, scratch: Path) -> str:
    if isinstance(image, str | os.PathLike):
        return _absolute(image)
    if hasattr(image, "save"):
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        image = buffer.getvalue()
    if not isinstance(image, bytes | bytearray | memoryview):
        raise InvalidParamsError(
            f"image must be a path, bytes or a PIL image, not {type(image).__name__}.", field="image"
        )
    path = scratch / "image"
    path.write_bytes(image)
    return str(path)


def _absolute(path: AnyPath) -> str:
    return os.path.abspath(os.fspath(path))  # noqa: PTH100  # resolve() would follow links
