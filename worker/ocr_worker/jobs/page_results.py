"""What earlier runs of a job left of its pages, and what this one leaves: results, and attempts that ended the worker."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from ocr_worker.files.private import make_private
from ocr_worker.jobs.course import Past
from ocr_worker.jobs.file_window import FileWindow, OpenFile
from ocr_worker.model.tasks import Opened
from ocr_worker.processes.machine import ended_by_itself, machine_state
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredJob, StoredPage


class PageResults:
    def __init__(self, job: StoredJob, window: FileWindow, store: JobStore) -> None:
        self._job_id, self._window, self._store = job.job_id, window, store
        self.unused: list[Path] = []
        """Page results of finished files; thrown away once the page processes have work again."""

    def past(self, number: int) -> Past:
        """What earlier runs left of a file's own steps."""
        step = self._store.whole_file(self._job_id, number)
        return _past(step) if step else Past()

    def begin(self, file: OpenFile, opened: Opened) -> dict[int, Past | None]:
        """Make room for results, and keep what the file is; results of another content don't count.

        Returns:
            Pages of which earlier runs left something: a result (None), or no end.
        """
        number = file.number
        results = self._window.result_folder(number)
        make_private(results.parent, results)
        if file.stored.sha256 != opened.sha256:
            self._store.forget_pages(self._job_id, number)
        fields = {"state": "processing", "pages": opened.pages, "sha256": opened.sha256}
        self._store.set_file(self._job_id, number, **fields, started_at=time.time())
        return {page.page: self._known(number, page) for page in self._store.pages(self._job_id, number)}

    def _known(self, number: int, page: StoredPage) -> Past | None:
        if page.status and self._window.page_result(number, page.page).exists():
            return None
        return Past() if page.status else _past(page)

    def forget(self, number: int) -> None:
        """Take away results that are of no use."""
        shutil.rmtree(self._window.result_folder(number), ignore_errors=True)
        self._store.forget_pages(self._job_id, number)

    def discard_later(self, number: int) -> None:
        """The file's outputs are there: its page results go by and by."""
        self.unused.append(self._window.result_folder(number))

    def discard(self) -> None:
        """Throw away what is of no use any more."""
        while self.unused:
            shutil.rmtree(self.unused.pop(), ignore_errors=True)


def _past(step: StoredPage) -> Past:
    guilty = step.attempts > 0 and step.alone is not None and ended_by_itself(step.alone, machine_state())
    return Past(step.attempts, guilty=guilty)
