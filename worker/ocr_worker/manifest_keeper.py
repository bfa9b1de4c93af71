"""Keeps manifests up to date from a thread of its own, so that a batch of 100,000 files never holds up the loop."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from pathlib import Path

from ocr_worker.errors import OcrError
from ocr_worker.job_store import JobStore, store_as_it_is
from ocr_worker.jobs import JobId
from ocr_worker.manifest import write_manifest
from ocr_worker.outputs.whole import FolderId

log = logging.getLogger(__name__)

LEAST_SECONDS = 1.0
COST_FACTOR = 20
"""Between two writes at least so many times the last one's duration."""


class ManifestKeeper:
    """Files that change are written when it is time; a change of a job's state at once."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._news = threading.Condition()
        self._due: dict[JobId, float] = {}
        self._folders: dict[JobId, FolderId | None] = {}
        self._not_before: dict[JobId, float] = {}
        self._writing: JobId | None = None
        self._thread: threading.Thread | None = None
        self._closing = False

    def begun(self, job_id: JobId, folder: FolderId | None) -> None:
        """Write the manifest now, and from now on into no other folder."""
        self._folders[job_id] = folder
        self._note(job_id, 0.0)

    def file_changed(self, job_id: JobId) -> None:
        """Write the manifest as soon as the last write is long enough ago."""
        self._note(job_id, self._not_before.get(job_id, 0.0))

    def state_changed(self, job_id: JobId) -> None:
        """Write the manifest now."""
        self._note(job_id, 0.0)

    def settle(self, job_id: JobId, seconds: float) -> None:
        """Wait until what was noted of a job is written, or could not be."""
        with self._news:
            self._news.wait_for(lambda: job_id not in self._due and self._writing != job_id, seconds)

    def close(self, seconds: float = 0.3) -> None:
        """Write what is due, and end."""
        with self._news:
            self._closing = True
            self._due = dict.fromkeys(self._due, 0.0)
            self._news.notify_all()
        if self._thread is not None:
            self._thread.join(seconds)
        self._thread, self._closing = None, False

    def _note(self, job_id: JobId, at: float) -> None:
        with self._news:
            self._due[job_id] = min(at, self._due.get(job_id, at))
            self._news.notify_all()
            if self._thread is None:
                self._start()

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="manifest", daemon=True)
        try:
            thread.start()
            self._thread = thread
        except RuntimeError as error:
            # No room for a thread: the store is the truth, and the next change tries again.
            self._due.clear()
            log.warning("Manifests can't be written: %s", error)

    def _run(self) -> None:
        try:
            store = JobStore(self._state_dir)
        except OcrError as error:
            log.warning("Manifests can't be written: %s", error.message)
            with self._news:
                self._due.clear()
                self._thread = None
                self._news.notify_all()
            return
        while (job_id := self._next()) is not None:
            begun = time.monotonic()
            try:
                if store.job(job_id) is None:
                    store = store_as_it_is(store, self._state_dir)
                write_manifest(store, job_id, self._folders.get(job_id))
            except (OcrError, sqlite3.Error) as error:
                # The store is the truth; the copy is tried again at the next change.
                log.warning("The manifest of job %s can't be written: %s", job_id, error)
            ended = time.monotonic()
            with self._news:
                self._not_before[job_id] = ended + max(LEAST_SECONDS, COST_FACTOR * (ended - begun))
                self._writing = None
                self._news.notify_all()
        store.close()

    def _next(self) -> JobId | None:
        """Wait for a manifest that is due; None when it is time to end."""
        with self._news:
            while True:
                now = time.monotonic()
                ready = [job_id for job_id, at in self._due.items() if at <= now]
                if ready:
                    del self._due[ready[0]]
                    self._writing = ready[0]
                    return ready[0]
                if self._closing:
                    return None
                self._news.wait(min(self._due.values()) - now if self._due else None)
