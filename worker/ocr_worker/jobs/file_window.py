"""The files of a run that are in memory, read from the store in order, and the tasks for them."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from ocr_worker.files.atomic import FolderId, folder_id
from ocr_worker.files.bounded import MOMENT_SECONDS, Look, nearest
from ocr_worker.files.paths import folder_above
from ocr_worker.files.sweep import sweep_parts
from ocr_worker.jobs.course import Compose, Open, Recognise, Task
from ocr_worker.jobs.output_names import output_paths
from ocr_worker.model import tasks
from ocr_worker.model.tasks import ComposeTask, Opened, OpenTask, PageTask, Source
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredFile, StoredJob

_ONE_PAGE = frozenset({".bmp", ".jpeg", ".jpg", ".png"})
"""What such a file is named holds one page, as far as its name tells."""

LOOK_AGAIN_SECONDS = 0.2
"""How often to ask whether the output folder's disk has answered."""
MOST_LOOKS = 10
"""So often is looked whether an output folder has answered, before it is taken for one that doesn't."""


@dataclass(frozen=True, slots=True)
class RunOrder:
    """The part of a run's order that is never stored."""

    passwords: dict[str, str] = field(default_factory=dict, repr=False)
    """Path of this system to password."""
    only: frozenset[int] | None = None
    """The files to process; None means all pending files."""


@dataclass(slots=True)
class OpenFile:
    """A file in the window."""

    stored: StoredFile
    source: Source
    results: Path
    """The folder of its page results."""
    opened: Opened | None = None
    weights: tuple[int, ...] = ()
    """The relative cost of each page, once it is opened; all equal if unknown."""
    is_started: bool = False
    """A page of it was given out, or what is left of it."""

    @property
    def number(self) -> int:
        return self.stored.number

    @property
    def name(self) -> str:
        return self.source.name

    def page_result(self, page: int) -> Path:
        return self.results / f"{page}.page"


class FileWindow:
    """The files in work, and the next one."""

    def __init__(self, job: StoredJob, order: RunOrder, store: JobStore, jobs_dir: Path) -> None:
        self._job, self._order, self._store = job, order, store
        self._results = jobs_dir / job.job_id
        self._backlog: list[StoredFile] = []
        self._last_read = 0
        self.files: dict[int, OpenFile] = {}
        self.folder = Path(os.fsdecode(job.output_path))
        self.folder_id: FolderId | None = None
        """Identifies the output folder as this run found it."""
        self.free_bytes = 0
        """Room on its disk, which a dry run tells."""
        self._preparing: Look[tuple[FolderId | None, int]] | None = None
        self._looks = 0
        self.look_again_at = 0.0
        """When to ask for the folder again, on the monotonic clock."""

    def prepare_folder(self) -> bool:
        """Make the output folder, and remove partial files of dead processes; False as long as its disk has not answered.

        For a dry run, only ask for the room there.

        Raises:
            OcrError, OSError: it can't be had, or has not answered for too long.
        """
        if self._preparing is None:
            self._preparing = Look(self._measured if self._job.options.dry_run else self._made)
            self._preparing.wait(MOMENT_SECONDS)
        self._looks += 1
        # Counted, as a time may be one in which this process was stopped.
        if not self._preparing.wait(0) and self._looks < MOST_LOOKS:
            self.look_again_at = time.monotonic() + LOOK_AGAIN_SECONDS
            return False
        self.folder_id, self.free_bytes = self._preparing.answer(f"The output folder {self.folder}")
        if not self._job.options.dry_run:
            self.sweep()
        return True

    def sweep(self) -> None:
        """Remove partial files that killed processes left in the output folder."""
        # What takes longer goes on beside the run.
        Look(lambda: sweep_parts(self.folder)).wait(MOMENT_SECONDS)

    def _made(self) -> tuple[FolderId | None, int]:
        self.folder.mkdir(parents=True, exist_ok=True)
        return folder_id(self.folder), 0

    def _measured(self) -> tuple[None, int]:
        """Where files will be written, once the folder is made."""
        return None, shutil.disk_usage(nearest(self.folder)).free

    def tasks_at_once(self, most: int) -> int:
        """How many tasks there will be at once, up to `most`, as far as the files' names tell."""
        files = self._store.files(self._job.job_id, "pending", 0, most)
        if all(Path(os.fsdecode(file.path)).suffix.lower() in _ONE_PAGE for file in files):
            return max(1, len(files))
        return most

    def read_next(self) -> OpenFile | None:
        """The next file, which is in the window from now on; at most `chunk_size` of those that come are in memory."""
        only = self._order.only
        while not self._backlog:
            chunk = self._store.files(
                self._job.job_id, "pending", self._last_read, self._job.options.chunk_size
            )
            if not chunk:
                return None
            self._last_read = chunk[-1].number
            self._backlog = [file for file in chunk if only is None or file.number in only]
        stored = self._backlog.pop(0)
        path = os.fsdecode(stored.path)
        fixed = folder_above(path, self._job.options.no_links_below)
        source = Source(path, self._order.passwords.get(path), no_links_below=fixed)
        file = self.files[stored.number] = OpenFile(stored, source, self._results / str(stored.number))
        return file

    def message(self, task: Task) -> tasks.Task:
        """The message for a page process."""
        file, options = self.files[task.number], self._job.options
        settings = options.page
        if file.opened is not None and file.opened.languages:
            settings = replace(settings, languages=file.opened.languages)
        match task:
            case Open():
                existing = self.outputs(file.stored) if options.on_existing == "skip" else {}
                return OpenTask(file.source, settings, existing, options.dry_run)
            case Recognise(_, page):
                return PageTask(file.source, settings, page, str(file.page_result(page)))
            case Compose(_, failed_pages):
                assert file.opened is not None
                opened, outputs = file.opened, self.outputs(file.stored)
                return ComposeTask(
                    file.source, settings, opened.pages, opened.sha256, str(file.results), outputs,
                    failed_pages, opened.warnings, options.on_existing, self._results_file(file.stored), self.folder_id,
                )  # fmt: skip

    def outputs(self, file: StoredFile) -> dict[str, str]:
        """Output kind to path, as settled before any work."""
        return output_paths(self.folder, os.fsdecode(file.name or b""), self._job.options.page.outputs)

    def _results_file(self, file: StoredFile) -> str:
        return output_paths(self.folder, os.fsdecode(file.name or b""), ("json",))["json"]

    def leave_results(self) -> None:
        """Remove the folder of page results if it is empty."""
        with suppress(OSError):
            self._results.rmdir()
