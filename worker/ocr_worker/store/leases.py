"""The jobs that this process has locked: their locks, rows and manifests."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ocr_worker.errors import JobActiveError, JobNotFoundError, OcrError
from ocr_worker.files.atomic import output_error
from ocr_worker.files.sweep import MARK, sweep_folders
from ocr_worker.model.events import FileEnded, FileStarted, JobEnded, JobEvent, JobFailed
from ocr_worker.model.jobs import ACTIVE, RESUMABLE, JobId, JobState
from ocr_worker.settings import Settings
from ocr_worker.store.database import STORE
from ocr_worker.store.deferred_writes import DeferredWrites, store_is_held
from ocr_worker.store.job_lock import JobLock, Request, clean_stale, is_held
from ocr_worker.store.job_store import JobStore, store_as_it_is
from ocr_worker.store.manifest_writer import DUE, ManifestWriter
from ocr_worker.store.records import RunEnding, StoredJob

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.1
"""For a lock that is asked for by name: another process may only be looking whether it is held."""


class JobLeases:
    """Owned by one thread, as is its connection to the store."""

    def __init__(self, settings: Settings) -> None:
        self._state_dir, self._jobs_dir = settings.state_dir, settings.jobs_dir
        self._store: JobStore | None = None
        self.locks: dict[JobId, JobLock] = {}
        self.manifests: ManifestWriter = ManifestWriter(settings.state_dir)
        self.deferred: DeferredWrites = DeferredWrites()

    @property
    def store(self) -> JobStore:
        """The store, opened at the first job: `hello` needs no state folder. Reopened if it was deleted."""
        store = store_as_it_is(self._store, self._state_dir)
        if store is not self._store:
            # Runs may still be at work with the one before.
            self._store = store
            self._find_interrupted(store)
            self._clear_up(store)
        return store

    def store_is_free(self) -> bool:
        """Whether the store was free at the last check."""
        return self.deferred.is_free(self.store)

    def begin(self) -> bool:
        """Begin a transaction of the store, if it is free; `settle` ends it."""
        return self.deferred.begin(self.store)

    def settle(self) -> None:
        """Store what was written since `begin`. Raises sqlite3.Error: nothing of it is stored."""
        if self._store is not None:
            self._store.commit()

    def require_free(self) -> None:
        """Raise BusyError if another process has the store locked."""
        if not self.deferred.ask(self.store):
            raise store_is_held()
        self.catch_up()

    def catch_up(self) -> None:
        """Write deferred ends if the store is free."""
        for job_id in self.deferred.catch_up(self.store) if self.deferred.waiting else ():
            self.manifests.state_changed(job_id)
            self.release(job_id)

    def get(self, job_id: JobId) -> StoredJob:
        """The job. Raises JobNotFoundError."""
        self.find_interrupted()
        job = self.store.job(job_id)
        if job is None:
            raise JobNotFoundError(f"There is no job {job_id} in the list of jobs.")
        return job

    def get_ended(self, job_id: JobId) -> StoredJob:
        """The job, if it has ended. Raises JobActiveError, JobNotFoundError, BusyError."""
        self.require_free()
        job = self.get(job_id)
        if job.state in ACTIVE and job_id not in self.locks:
            # Its worker may be dead, and another process just looks at the lock.
            self._find_if_interrupted(self.store, job_id, PATIENCE_SECONDS)
            job = self.get(job_id)
        if job.state in ACTIVE:
            message = f"Job {job_id} is {job.state}. Cancel it first, or wait for its end."
            raise JobActiveError(message, **holder(job))
        return job

    def take_up(self, job_id: JobId) -> None:
        """Store that this process has the job from now on."""
        self.set_state(job_id, "queued", pid=os.getpid())

    def ask_to_cancel(self, job_id: JobId) -> None:
        """Ask the process that has a job to cancel it; should it die before, the job counts as cancelled.

        Raises:
            OutputPermissionError, NoSpaceError: the state folder can't be written.
        """
        try:
            JobLock.ask(self._jobs_dir, job_id, "cancel")
        except OSError as error:
            raise output_error(error, self._jobs_dir) from error

    def set_state(self, job_id: JobId, state: JobState, **fields: Any) -> None:
        """Store it for good, as the manifest is written from what is stored, and at once."""
        self.store.update_job(job_id, state=state, **fields)
        self.store.commit()
        self.manifests.state_changed(job_id)

    def end_run(self, store: JobStore, end: RunEnding) -> None:
        """Write the end of a run now, or once the store is free. Raises sqlite3.Error."""
        self.deferred.write(store, end)

    def on_event(self, event: JobEvent) -> None:
        """Update the manifest of a job, and release a job that has ended."""
        if isinstance(event, FileStarted | FileEnded):
            self.manifests.file_changed(event.job_id)
        elif isinstance(event, JobEnded | JobFailed):
            self.manifests.state_changed(event.job_id)
            # Until the store knows of the end, nobody may take the job for a dead worker's.
            if event.job_id not in self.deferred:
                self.release(event.job_id)

    def acquire(self, job_id: JobId) -> None:
        """Lock a job for this process. Raises JobActiveError."""
        if job_id not in self.locks:
            self.locks[job_id] = self._lock(job_id)

    def acquire_ended(self, job_id: JobId) -> StoredJob:
        """Lock an ended job for this process; return it as it is then.

        Raises:
            JobActiveError: it has not ended, or is another process's.
            JobNotFoundError, BusyError: as `get_ended`.
        """
        self.get_ended(job_id)
        self.acquire(job_id)
        try:
            # Read again under the lock: another process may have had it since.
            return self.get_ended(job_id)
        except Exception:
            self.release(job_id)
            raise

    def release(self, job_id: JobId) -> None:
        self.locks.pop(job_id).release()

    def withdraw(self, job_id: JobId) -> None:
        """Delete a job that could not be stored completely."""
        try:
            # What can't be removed now is at the next start.
            self.store.delete_job(job_id)
        except Exception:
            log.exception("job %s can't be taken back", job_id)
        self.release(job_id)

    def cancel_requests(self) -> list[JobId]:
        """Jobs of this process that another process asked to cancel."""
        return [job_id for job_id, lock in self.locks.items() if lock.cancel_asked]

    def pause_requests(self) -> list[tuple[JobId, Request]]:
        """Jobs of this process that another process asked to pause, or to go on."""
        return [(job_id, request) for job_id, lock in self.locks.items() for request in lock.pauses_asked]

    def mark_cancelled(self, job_id: JobId) -> None:
        """Mark an ended, incomplete job as cancelled, so that no app resumes it by itself."""
        self.get_ended(job_id)
        with self._lock(job_id):
            # Read again under the lock: another process may have taken it up, and ended it, since.
            if self.get(job_id).state in RESUMABLE - {"cancelled"}:
                self.set_state(job_id, "cancelled")

    def delete(self, job_id: JobId) -> None:
        """Delete an ended job and its page results; its outputs stay."""
        self.get_ended(job_id)
        with self._lock(job_id):
            self._forget(self.get_ended(job_id))

    def delete_if(self, job_id: JobId, is_due: Callable[[StoredJob], bool]) -> bool:
        """Forget a job if that is still due once no other process can have it; whether it was."""
        lock = JobLock.try_acquire(self._jobs_dir, job_id)
        if lock is None:
            return False
        with lock:
            # Read again under the lock: another process may have done it again, or deleted it, since it was found.
            job = self.store.job(job_id)
            if job is None or job.state in ACTIVE or not is_due(job):
                return False
            self._forget(job)
            return True

    def _forget(self, job: StoredJob) -> None:
        shutil.rmtree(self._jobs_dir / job.job_id, ignore_errors=True)
        self.store.delete_job(job.job_id)

    def find_interrupted(self) -> None:
        """Mark jobs of dead workers as interrupted."""
        self._find_interrupted(self.store)

    def tidy(self) -> None:
        """Take away what killed workers left, where there is a store; who needs it hears of its faults."""
        with suppress(OcrError, OSError, sqlite3.Error):
            if (self._state_dir / STORE).exists():
                self.find_interrupted()

    def close(self, *, at_once: bool) -> None:
        """Write manifests, release all jobs, and close the store. Errors are only logged.

        Args:
            at_once: a manifest that would take long stays as it was.
        """
        end_manifests = self.manifests.break_off if at_once else self.manifests.close
        releases = [lock.release for lock in self.locks.values()]
        for step in (self._write_deferred, end_manifests, *releases, self._close_store):
            try:
                step()
            except Exception:
                log.exception("cleaning up failed")

    def _lock(self, job_id: JobId) -> JobLock:
        try:
            return JobLock(self._jobs_dir, job_id, PATIENCE_SECONDS)
        except JobActiveError as error:
            job = self.store.job(job_id)
            # Its new holder may not have said yet that it has the job.
            error.details |= holder(job) if job and job.state in ACTIVE else {}
            raise

    def _find_interrupted(self, store: JobStore) -> None:
        """Mark jobs as interrupted whose worker is dead; those of a live worker are locked."""
        for job_id in store.unfinished():
            if job_id not in self.locks and store.can_write():
                self._find_if_interrupted(store, job_id)

    def _find_if_interrupted(self, store: JobStore, job_id: JobId, patience_seconds: float = 0) -> None:
        # Asked before: the lock forgets it.
        was_asked = JobLock.is_asked_to_cancel(self._jobs_dir, job_id)
        lock = JobLock.try_acquire(self._jobs_dir, job_id, patience_seconds)
        if lock is not None:
            with lock:
                self._mark_interrupted(store, job_id, "cancelled" if was_asked else "interrupted")

    def _clear_up(self, store: JobStore) -> None:
        """What killed workers left beside the store: locks, text of pages whose job is gone, manifests that say `running`."""
        with suppress(OSError, OcrError):
            clean_stale(self._jobs_dir)
            left = list(self._jobs_dir.iterdir())
            for mark in (path for path in left if path.suffix == DUE):
                if not is_held(self._jobs_dir, mark.stem):
                    self.manifests.recover(mark.stem)
            # Those named by a process hold pages that it reads for a Python program, and are no job's.
            sweep_folders(self._jobs_dir)
            for folder in (path for path in left if path.is_dir() and not MARK.fullmatch(path.name)):
                self._remove_results(store, folder)

    def _remove_results(self, store: JobStore, folder: Path) -> None:
        """Remove page results that nobody needs, unless a worker has the job, maybe with another store.

        Of a job that the store does not know, all; of another, those of files that are done: its worker may have been
        killed between the last word of a file and the removal of its pages.
        """
        lock = None if folder.name in self.locks else JobLock.try_acquire(self._jobs_dir, folder.name)
        if lock is None:
            return
        with lock:
            if not store.has(folder.name):
                shutil.rmtree(folder, ignore_errors=True)
                return
            for file in folder.iterdir():
                if file.name.isdigit() and store.file(folder.name, int(file.name)).state == "completed":
                    shutil.rmtree(file, ignore_errors=True)
            with suppress(OSError):
                folder.rmdir()

    def _mark_interrupted(self, store: JobStore, job_id: JobId, left: JobState) -> None:
        # Read again under the lock: its worker may have ended it since.
        state = store.unfinished().get(job_id)
        if state == "admitting":
            store.delete_job(job_id)
        elif state is not None:
            store.reopen_files(job_id, "processing")
            store.update_job(job_id, state=left)
            self.manifests.recover(job_id)

    def _write_deferred(self) -> None:
        if self.deferred.waiting and self.deferred.ask(self.store):
            self.catch_up()

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None


def holder(job: StoredJob) -> dict[str, object]:
    """Who has a job, for the details of an error: the worker's process, and the program that sent the job."""
    return {name: value for name, value in (("pid", job.pid), ("client", job.client)) if value is not None}
