"""What earlier runs of a job left of its pages, and what this one leaves: results, and attempts that ended the worker."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from ocr_worker.errors import CrashedError
from ocr_worker.files.private import make_private
from ocr_worker.jobs.file_window import FileInWork, JobWindow
from ocr_worker.model.tasks import FailedPage, Opened
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredJob

FATAL_RUNS = 5
"""A page that was in work when so many runs ended, beyond its retries, or a file that was opened or written, is not tried again."""


class KeptPages:
    def __init__(self, job: StoredJob, window: JobWindow, store: JobStore) -> None:
        self._job, self._window, self._store = job, window, store
        self._litter: list[Path] = []
        """Page results of finished files; thrown away once the page processes have work again."""

    def fatal_runs(self, number: int) -> int:
        """How many runs ended while the file was opened or written, if it is not to be tried again for that."""
        deaths = self._store.file_attempts(self._job.job_id, number)
        return deaths if deaths >= FATAL_RUNS else 0

    def begin(self, file: FileInWork, opened: Opened) -> None:
        """Make room for results, and keep what the file is; results of another content don't count."""
        job_id, number = self._job.job_id, file.number
        results = self._window.result_folder(number)
        make_private(results.parent, results)
        if file.stored.sha256 != opened.sha256:
            self._store.forget_pages(job_id, number)
        fields = {"state": "processing", "pages": opened.pages, "sha256": opened.sha256}
        self._store.set_file(job_id, number, **fields, started_at=time.time())

    def known(self, number: int) -> dict[int, FailedPage | None]:
        """Pages of an earlier run: the good whose results are there (None), and those that ended all before them."""
        known: dict[int, FailedPage | None] = {}
        for page in self._store.pages(self._job.job_id, number):
            if page.status and self._window.page_result(number, page.page).exists():
                known[page.page] = None
            elif page.attempts > self._job.options.retries + FATAL_RUNS:
                error = CrashedError(f"the worker ended {page.attempts} times while this page was in work")
                known[page.page] = FailedPage(page.page, "crashed", error.code, error.message)
        return known

    def forget(self, number: int) -> None:
        """Take away results that are of no use."""
        shutil.rmtree(self._window.result_folder(number), ignore_errors=True)
        self._store.forget_pages(self._job.job_id, number)

    def done_with(self, number: int) -> None:
        """The file's outputs are there: its page results go by and by."""
        self._litter.append(self._window.result_folder(number))

    def clear_litter(self) -> None:
        while self._litter:
            shutil.rmtree(self._litter.pop(), ignore_errors=True)
