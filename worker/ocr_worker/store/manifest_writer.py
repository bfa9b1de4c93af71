"""Write manifests from a thread of its own, so that a large one never blocks the loop."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path

from ocr_worker.errors import OcrError
from ocr_worker.files.atomic import FolderId
from ocr_worker.files.private import leave_mark, make_private
from ocr_worker.files.sweep import sweep_parts
from ocr_worker.model.jobs import ACTIVE, JobId
from ocr_worker.store.job_store import JobStore, store_as_it_is
from ocr_worker.store.manifest import write_manifest
from ocr_worker.store.records import StoredJob

log = logging.getLogger(__name__)

LEAST_SECONDS = 1.0
COST_FACTOR = 20
"""Pause between two writes, in multiples of the last one's duration."""
HANG_SECONDS = 600.0
"""Longest wait for a manifest: a disk that hangs must not keep the worker for ever."""
STUCK_SECONDS = 30.0
"""A write that takes longer is left to its thread, as its disk may never answer, and another thread writes what is due."""
MOMENT_SECONDS = 0.3
"""Longest wait when the worker must end at once."""
LEAVE_SECONDS = 0.2
"""How long an aborted write may take to remove its partial file."""
AT_ONCE = float("-inf")


JOBS, DUE = "jobs", ".due"


def due_mark(jobs_dir: Path, job_id: JobId) -> Path:
    """A file that is there from a run's begin until the manifest tells of its end, whoever is killed meanwhile."""
    return jobs_dir / f"{job_id}{DUE}"


class Schedule:
    """Which manifests are due, and when. No thread, no clock."""

    def __init__(self) -> None:
        self._due: dict[JobId, float] = {}
        self._not_before: dict[JobId, float] = {}

    def __bool__(self) -> bool:
        return bool(self._due)

    def __contains__(self, job_id: JobId) -> bool:
        return job_id in self._due

    def state_changed(self, job_id: JobId) -> None:
        """Make it due now."""
        self._due[job_id] = AT_ONCE

    def file_changed(self, job_id: JobId) -> None:
        """Make it due as soon as the last write is long enough ago."""
        self._due.setdefault(job_id, self._not_before.get(job_id, 0.0))

    def hurry(self) -> None:
        """Make all due now."""
        self._due = dict.fromkeys(self._due, AT_ONCE)

    def clear(self) -> None:
        self._due.clear()

    def pop_due(self, now: float) -> JobId | None:
        """Remove and return one that is due."""
        job_id = next((job_id for job_id, at in self._due.items() if at <= now), None)
        if job_id is not None:
            del self._due[job_id]
        return job_id

    def seconds_to_next(self, now: float) -> float | None:
        """Seconds until the next is due; None if none is."""
        return min(self._due.values()) - now if self._due else None

    def written(self, job_id: JobId, begun: float, ended: float) -> None:
        """Delay changes of files after a write; changes of state are not delayed."""
        self._not_before = {other: at for other, at in self._not_before.items() if at > ended}
        self._not_before[job_id] = ended + max(LEAST_SECONDS, COST_FACTOR * (ended - begun))
        if self._due.get(job_id, AT_ONCE) != AT_ONCE:
            self._due[job_id] = self._not_before[job_id]


class ManifestWriter:
    """Writes changes of a job's state at once, changes of its files now and then."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._news = threading.Condition()
        self._schedule = Schedule()
        self._folders: dict[JobId, FolderId | None] = {}
        self._left: set[JobId] = set()
        """Jobs of dead workers, of which the manifest may say what is not so any more."""
        self._stuck: set[JobId] = set()
        """Jobs whose manifest a thread still tries to write that was left to it."""
        self._writing: JobId | None = None
        self._begun = 0.0
        self._thread: threading.Thread | None = None
        self._closing, self._broken_off = False, threading.Event()

    def run_begun(self, job_id: JobId, folder: FolderId | None) -> None:
        """Write the manifest now, and only into this folder."""
        with suppress(OSError):
            make_private(self._state_dir / JOBS)
            leave_mark(due_mark(self._state_dir / JOBS, job_id))
        with self._news:
            self._folders[job_id] = folder
            self._schedule.state_changed(job_id)
            self._wake()

    def recover(self, job_id: JobId) -> None:
        """Write the manifest of a dead worker's job once, and remove what was begun beside it."""
        with self._news:
            self._left.add(job_id)
            self._schedule.state_changed(job_id)
            self._wake()

    def file_changed(self, job_id: JobId) -> None:
        """Write the manifest as soon as the last write is long enough ago."""
        with self._news:
            self._schedule.file_changed(job_id)
            self._wake()

    def state_changed(self, job_id: JobId) -> None:
        """Write the manifest now."""
        with self._news:
            self._schedule.state_changed(job_id)
            self._wake()

    def await_written(self, job_id: JobId, seconds: float) -> None:
        """Wait until the manifest of a job is written, or has failed."""
        with self._news:
            self._news.wait_for(lambda: job_id not in self._schedule and self._writing != job_id, seconds)

    @property
    def all_written(self) -> bool:
        """Whether all manifests are written, or have failed."""
        with self._news:
            hangs = self._writing is not None and time.monotonic() - self._begun > HANG_SECONDS
            return hangs or not (self._schedule or self._writing)

    def close(self) -> None:
        """Write what is due, and end."""
        self._end(HANG_SECONDS)

    def break_off(self, seconds: float = MOMENT_SECONDS) -> None:
        """Write what can be written in a moment, and end. Other manifests stay as they were."""
        self._end(seconds)
        self._broken_off.set()
        if self._thread is not None:
            self._thread.join(LEAVE_SECONDS)

    def _end(self, seconds: float) -> None:
        with self._news:
            self._closing = True
            self._schedule.hurry()
            self._news.notify_all()
        if self._thread is not None:
            self._thread.join(seconds)

    def _wake(self) -> None:
        self._news.notify_all()
        if self._writing is not None and time.monotonic() - self._begun > STUCK_SECONDS:
            log.warning("The manifest of job %s can't be written: its disk does not answer", self._writing)
            self._stuck.add(self._writing)
            self._writing = self._thread = None
        if self._thread is None or not self._thread.is_alive():
            self._start()

    def _start(self) -> None:
        self._closing = False
        self._broken_off.clear()
        thread = threading.Thread(target=self._run, name="manifest", daemon=True)
        try:
            thread.start()
            self._thread = thread
        except RuntimeError as error:
            # No room for a thread: the store is the truth, and the next change tries again.
            self._schedule.clear()
            log.warning("Manifests can't be written: %s", error)

    def _run(self) -> None:
        try:
            store = JobStore(self._state_dir)
        except OcrError as error:
            log.warning("Manifests can't be written: %s", error.message)
            with self._news:
                self._schedule.clear()
                self._thread = None
                self._news.notify_all()
            return
        while (job_id := self._next()) is not None:
            is_written = False
            try:
                if store.job(job_id) is None:
                    store = store_as_it_is(store, self._state_dir)
                write_manifest(store, job_id, self._folders, self._broken_off)
                is_written = True
            except (OcrError, sqlite3.Error, OSError, ImportError) as error:
                # The store is the truth; the copy is tried again at the next change. A full table of files keeps modules away too.
                log.warning("The manifest of job %s can't be written: %s", job_id, error)
            job = _look_up(store, job_id)
            if job is not None and job_id in self._left:
                sweep_parts(Path(os.fsdecode(job.output_path)))
            with self._news:
                if self._thread is not threading.current_thread():
                    self._came_back(job_id)
                    break
                self._schedule.written(job_id, self._begun, time.monotonic())
                self._writing = None
                if job_id not in self._schedule and (job is None or job.state not in ACTIVE):
                    self._forget(job_id, is_written=is_written)
                self._news.notify_all()
        store.close()

    def _came_back(self, job_id: JobId) -> None:
        """Of a thread that another has replaced: what it wrote is old by now."""
        self._stuck.discard(job_id)
        if not self._closing:
            self._schedule.state_changed(job_id)
            self._wake()

    def _forget(self, job_id: JobId, *, is_written: bool) -> None:
        """A job that has ended: its next run finds the folder anew."""
        self._folders.pop(job_id, None)
        # One that can't be written is tried by one more worker, not by all that come.
        if is_written or (job_id in self._left and not self._broken_off.is_set()):
            with suppress(OSError):
                due_mark(self._state_dir / JOBS, job_id).unlink(missing_ok=True)
        self._left.discard(job_id)

    def _next(self) -> JobId | None:
        """Wait for a manifest that is due; None when it is time to end."""
        with self._news:
            while not self._broken_off.is_set():
                now = time.monotonic()
                if (job_id := self._schedule.pop_due(now)) in self._stuck:
                    # Its thread will have it written anew.
                    continue
                if job_id is not None:
                    self._writing, self._begun = job_id, now
                    return job_id
                if self._closing:
                    return None
                self._news.wait(self._schedule.seconds_to_next(now))
            return None


def _look_up(store: JobStore, job_id: JobId) -> StoredJob | None:
    try:
        return store.job(job_id)
    except sqlite3.Error:
        return None
