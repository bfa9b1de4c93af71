"""What outlives this process of jobs, and this process's hold on it: the store, the locks of the jobs it has, their manifests."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from ocr_worker.errors import JobActiveError, JobNotFoundError
from ocr_worker.model.jobs import ACTIVE, RESUMABLE, FileEnded, JobEnded, JobEvent, JobFailed, JobId, JobState
from ocr_worker.settings import Settings
from ocr_worker.store.deferred_writes import LateWrites, held_by_another
from ocr_worker.store.job_lock import JobLock
from ocr_worker.store.job_store import JobStore, store_as_it_is
from ocr_worker.store.manifest_writer import ManifestKeeper
from ocr_worker.store.records import StoredJob


class Ledger:
    def __init__(self, settings: Settings) -> None:
        self._state_dir, self._jobs_dir = settings.state_dir, settings.jobs_dir
        self._store: JobStore | None = None
        self._locks: dict[JobId, JobLock] = {}
        self.manifests = ManifestKeeper(settings.state_dir)
        self.late = LateWrites(lambda: self.store)

    @property
    def store(self) -> JobStore:
        """Opened at the first job, so that a worker that is only asked for its version needs no state folder; anew when it was deleted."""
        store = store_as_it_is(self._store, self._state_dir)
        if store is not self._store:
            # Runs may still be at work with the one before.
            self._store = store
            self._find_interrupted(store)
        return store

    def require_free(self) -> None:
        """Raises BusyError while another process holds the store."""
        if not self.late.ask():
            raise held_by_another()
        self.catch_up()

    def catch_up(self) -> None:
        """Write what is owed to the store, if it is free."""
        for job_id in self.late.catch_up():
            self.manifests.state_changed(job_id)
            self.release(job_id)

    def get(self, job_id: JobId) -> StoredJob:
        self.find_interrupted()
        job = self.store.job(job_id)
        if job is None:
            raise JobNotFoundError(f"There is no job {job_id}. list_jobs names those that there are.")
        return job

    def ended(self, job_id: JobId) -> StoredJob:
        """Raises JobActiveError, JobNotFoundError, BusyError."""
        self.require_free()
        job = self.get(job_id)
        if job.state in ACTIVE:
            raise JobActiveError(f"Job {job_id} is {job.state}. Cancel it first, or wait for its end.")
        return job

    def set_state(self, job_id: JobId, state: JobState) -> None:
        self.store.update_job(job_id, state=state)
        self.manifests.state_changed(job_id)

    def note(self, event: JobEvent) -> None:
        """Have manifests say what has come of a job, and let go a job that has ended."""
        if isinstance(event, FileEnded):
            self.manifests.file_changed(event.job_id)
        elif isinstance(event, JobEnded | JobFailed):
            self.manifests.state_changed(event.job_id)
            # Until the store knows of the end, nobody may take the job for a dead worker's.
            if event.job_id not in self.late:
                self.release(event.job_id)

    def hold(self, job_id: JobId) -> None:
        """Have a job for this process alone."""
        if job_id not in self._locks:
            self._locks[job_id] = JobLock(self._jobs_dir, job_id)

    def release(self, job_id: JobId) -> None:
        self._locks.pop(job_id).release()

    @property
    def holds_jobs(self) -> bool:
        return bool(self._locks)

    def cancels_asked(self) -> list[JobId]:
        """The jobs of ours that another process wants cancelled."""
        return [job_id for job_id, lock in self._locks.items() if lock.cancel_asked]

    def give_up(self, job_id: JobId) -> None:
        """Let an ended job that is not completed count as cancelled: no app takes it up by itself."""
        if self.ended(job_id).state in RESUMABLE - {"cancelled"}:
            with JobLock(self._jobs_dir, job_id):
                self.set_state(job_id, "cancelled")

    def delete(self, job_id: JobId) -> None:
        """Forget an ended job and what is kept of its pages; its outputs stay."""
        self.ended(job_id)
        with JobLock(self._jobs_dir, job_id):
            shutil.rmtree(self._jobs_dir / job_id, ignore_errors=True)
            self.store.delete_job(job_id)

    def find_interrupted(self) -> None:
        """See to it that the store names no job of a dead worker as being at work."""
        self._find_interrupted(self.store)

    def closing(self, *, at_once: bool) -> list[Callable[[], None]]:
        """What is to be done at the end, each whatever comes of the others; at once, a manifest that would take long stays as it was."""
        end_manifests = self.manifests.break_off if at_once else self.manifests.close
        releases = [lock.release for lock in self._locks.values()]
        return [self._write_late, end_manifests, *releases, self._close_store]

    def _find_interrupted(self, store: JobStore) -> None:
        """Jobs that a dead worker, or a run without a working store, left are interrupted; those of a live worker are its own."""
        for job in store.unfinished():
            if job.job_id in self._locks or not store.can_write():
                continue
            if job.state == "admitting" and JobLock.is_free(self._jobs_dir, job.job_id):
                store.delete_job(job.job_id)
            elif JobLock.is_free(self._jobs_dir, job.job_id):
                store.reopen_files(job.job_id, "processing")
                store.update_job(job.job_id, state="interrupted")
                self.manifests.state_changed(job.job_id)

    def _write_late(self) -> None:
        if self.late and self.late.ask():
            self.catch_up()

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
