"""The files of a job that are in work: fed in order from the store, with the tasks that each of their steps takes."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ocr_worker.files.atomic import FolderId
from ocr_worker.jobs.course import Compose, Open, Recognise, Work
from ocr_worker.jobs.output_names import output_paths
from ocr_worker.model.jobs import Origin
from ocr_worker.model.tasks import ComposeTask, Opened, OpenTask, PageTask, Source, Task
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredFile, StoredJob


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What starts a run: the command it answers, and what only memory may hold."""

    origin: Origin
    passwords: dict[str, str] = field(default_factory=dict, repr=False)
    only: frozenset[int] | None = None
    """The files to do; None does all that are pending."""


@dataclass(slots=True)
class FileInWork:
    stored: StoredFile
    source: Source
    opened: Opened | None = None
    page_ended_at: float = 0.0
    """On the monotonic clock: when one of its pages last ended, or its first was started."""
    locked_since: float = 0.0
    lock_checks: int = 0
    begun_anew: bool = False
    """Its stored page results were of no use, and were thrown away."""

    @property
    def number(self) -> int:
        return self.stored.number

    @property
    def weights(self) -> tuple[int, ...]:
        """The relative cost of each page; all alike when that is not known."""
        assert self.opened is not None
        return self.opened.page_weights or (1,) * self.opened.pages

    @property
    def name(self) -> str:
        return self.source.name


class JobWindow:
    """Knows the files that are in work, and the next one."""

    def __init__(self, job: StoredJob, order: RunOrder, store: JobStore, jobs_dir: Path) -> None:
        self._job, self._order, self._store = job, order, store
        self._results = jobs_dir / job.job_id
        self._backlog: list[StoredFile] = []
        self._last_read = 0
        self.files: dict[int, FileInWork] = {}
        self.folder = Path(os.fsdecode(job.output_path))
        self.folder_id: FolderId | None = None
        """Of the output folder as this run found it."""

    def peek(self) -> StoredFile | None:
        """The next file, which stays the next; at most `chunk_size` of them are in memory."""
        only = self._order.only
        while not self._backlog:
            chunk = self._store.files(
                self._job.job_id, "pending", self._last_read, self._job.options.chunk_size
            )
            if not chunk:
                return None
            self._last_read = chunk[-1].number
            self._backlog = [file for file in chunk if only is None or file.number in only]
        return self._backlog[0]

    def drop(self) -> None:
        """Pass over the next file."""
        self._backlog.pop(0)

    def take(self) -> FileInWork:
        """Put the next file into work."""
        stored = self._backlog.pop(0)
        path = os.fsdecode(stored.path)
        file = FileInWork(stored, Source(path, self._order.passwords.get(path)))
        self.files[file.number] = file
        return file

    def task(self, work: Work) -> Task:
        """What a page process has to do for a step."""
        file, settings, options = self.files[work.number], self._job.options.page, self._job.options
        match work:
            case Open():
                existing = self.outputs(file.stored) if options.on_existing == "skip" else {}
                return OpenTask(file.source, settings, existing, options.dry_run)
            case Recognise(number, page):
                return PageTask(file.source, settings, page, str(self.page_result(number, page)))
            case Compose(number, failed_pages):
                assert file.opened is not None
                opened, outputs = file.opened, self.outputs(file.stored)
                return ComposeTask(
                    file.source, settings, opened.pages, opened.sha256, str(self.result_folder(number)), outputs,
                    failed_pages, opened.warnings, options.on_existing, self._results_file(file.stored), self.folder_id,
                )  # fmt: skip

    def outputs(self, file: StoredFile) -> dict[str, str]:
        """Output kind to path, as settled before any work."""
        return output_paths(self.folder, os.fsdecode(file.name or b""), self._job.options.page.outputs)

    def _results_file(self, file: StoredFile) -> str:
        return output_paths(self.folder, os.fsdecode(file.name or b""), ("json",))["json"]

    def result_folder(self, number: int) -> Path:
        return self._results / str(number)

    def leave_results(self) -> None:
        """Remove the folder of the job's page results where none is left for a later run."""
        with suppress(OSError):
            self._results.rmdir()

    def page_result(self, number: int, page: int) -> Path:
        return self.result_folder(number) / f"{page}.page"
