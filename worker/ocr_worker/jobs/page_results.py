"""Page results on disk: those of earlier runs, those of this run, and attempts that ended the worker."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from ocr_worker.files.private import make_private
from ocr_worker.jobs.course import Past
from ocr_worker.jobs.file_window import OpenFile
from ocr_worker.model.tasks import Opened
from ocr_worker.processes.machine import ended_by_itself, machine_state
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredJob, StoredPage


class PageResults:
    def __init__(self, job: StoredJob, store: JobStore) -> None:
        self._job_id, self._store = job.job_id, store
        self.unused: list[Path] = []
        """Folders of finished files, deleted once the page processes have work again."""

    def past(self, number: int) -> Past:
        """What earlier runs left of the steps of a whole file."""
        step = self._store.whole_file(self._job_id, number)
        return _past(step) if step else Past()

    def prepare(self, file: OpenFile, opened: Opened) -> dict[int, Past | None]:
        """Prepare the folder of a file's page results, and forget those of other content.

        Returns:
            Pages of which earlier runs left something: a result (None), or no end.
        """
        number = file.number
        make_private(file.results.parent, file.results)
        if file.stored.sha256 != opened.sha256:
            self._store.forget_pages(self._job_id, number)
        fields = {"state": "processing", "pages": opened.pages, "sha256": opened.sha256}
        self._store.set_file(self._job_id, number, **fields, started_at=time.time())
        return {page.page: _known(file, page) for page in self._store.pages(self._job_id, number)}

    def delete(self, file: OpenFile) -> None:
        """Delete results that can't be used."""
        shutil.rmtree(file.results, ignore_errors=True)
        self._store.forget_pages(self._job_id, file.number)

    def discard_later(self, file: OpenFile) -> None:
        """Delete the page results of a finished file later."""
        self.unused.append(file.results)

    def discard(self) -> None:
        """Delete the results of finished files."""
        while self.unused:
            shutil.rmtree(self.unused.pop(), ignore_errors=True)


def _known(file: OpenFile, page: StoredPage) -> Past | None:
    if page.status and file.page_result(page.page).exists():
        return None
    return Past() if page.status else _past(page)


def _past(step: StoredPage) -> Past:
    guilty = step.attempts > 0 and step.alone is not None and ended_by_itself(step.alone, machine_state())
    return Past(step.attempts, guilty=guilty)
