"""A running job holds a lock, so that no second worker takes it up. The system frees it when the worker dies.

Beside the lock another process may ask its holder to cancel the job.
"""

from __future__ import annotations

import os
from pathlib import Path

from ocr_worker.errors import JobActiveError
from ocr_worker.jobs import JobId
from ocr_worker.private import make_private


class JobLock:
    def __init__(self, jobs_dir: Path, job_id: JobId) -> None:
        """Take the lock.

        Raises:
            JobActiveError: another worker holds it.
        """
        # Late: hello does without it.
        from filelock import FileLock, Timeout

        make_private(jobs_dir)
        self._lock = FileLock(_path(jobs_dir, job_id), mode=0o600)
        self._request = _request(jobs_dir, job_id)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise JobActiveError(
                f"Job {job_id} is at work in another process. Cancel it there, or wait for its end."
            ) from error
        # One that came too late was not meant for this run.
        self._request.unlink(missing_ok=True)

    @property
    def cancel_asked(self) -> bool:
        # Unlike Path.exists this never raises: a folder that can't be looked into asks for nothing.
        return os.path.exists(self._request)  # noqa: PTH110

    def release(self) -> None:
        """Let the job go. The file stays: removing it would let two workers lock two files of one name."""
        self._lock.release()

    @staticmethod
    def ask_to_cancel(jobs_dir: Path, job_id: JobId) -> None:
        """Ask whoever holds the lock; it looks every half a second."""
        _request(jobs_dir, job_id).touch(mode=0o600)

    @staticmethod
    def ask_no_more(jobs_dir: Path, job_id: JobId) -> None:
        _request(jobs_dir, job_id).unlink(missing_ok=True)

    @staticmethod
    def is_free(jobs_dir: Path, job_id: JobId) -> bool:
        if not _path(jobs_dir, job_id).exists():
            return True
        try:
            JobLock(jobs_dir, job_id).release()
        except JobActiveError:
            return False
        return True

    @staticmethod
    def forget(jobs_dir: Path, job_id: JobId) -> None:
        """Remove the file of a job that is deleted."""
        _path(jobs_dir, job_id).unlink(missing_ok=True)
        JobLock.ask_no_more(jobs_dir, job_id)


def _path(jobs_dir: Path, job_id: JobId) -> Path:
    return jobs_dir / f"{job_id}.lock"


def _request(jobs_dir: Path, job_id: JobId) -> Path:
    return jobs_dir / f"{job_id}.cancel"
