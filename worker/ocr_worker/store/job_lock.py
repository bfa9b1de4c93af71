"""A running job holds a lock, so that no second worker takes it up. The system frees it when the worker dies.

Beside the lock another process may ask its holder to cancel the job.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import Self

from ocr_worker.errors import JobActiveError
from ocr_worker.files.private import make_private
from ocr_worker.model.jobs import JobId


class JobLock:
    def __init__(self, jobs_dir: Path, job_id: JobId) -> None:
        """Take the lock.

        Raises:
            JobActiveError: another worker holds it.
        """
        # Late: hello does without it.
        from filelock import FileLock, Timeout

        make_private(jobs_dir)
        self._path, self._request = _path(jobs_dir, job_id), _request(jobs_dir, job_id)
        self._lock = FileLock(self._path, mode=0o600)
        # Twice: the holder may let it go as we try, and the file that we have opened with it.
        with suppress(Timeout):
            self._lock.acquire(timeout=0)
        try:
            if not self._lock.is_locked:
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let the job go, if it is held, and leave no file.

        The file is removed while it is still locked: whoever has opened it by then gets a lock of a file without a name,
        which filelock refuses. Afterwards it might be another worker's. (Windows removes no open file; filelock does it
        there when it lets go.)
        """
        if self._lock.is_locked:
            for file in (self._request, self._path):
                with suppress(OSError):
                    file.unlink(missing_ok=True)
            self._lock.release()

    @staticmethod
    def ask_to_cancel(jobs_dir: Path, job_id: JobId) -> None:
        """Ask whoever holds the lock; it looks every half a second."""
        _request(jobs_dir, job_id).touch(mode=0o600)

    @staticmethod
    def ask_no_more(jobs_dir: Path, job_id: JobId) -> None:
        _request(jobs_dir, job_id).unlink(missing_ok=True)

    @classmethod
    def take_if_free(cls, jobs_dir: Path, job_id: JobId) -> Self | None:
        """The lock, unless another worker holds it."""
        try:
            return cls(jobs_dir, job_id)
        except JobActiveError:
            return None


@dataclass(frozen=True, slots=True)
class Holder:
    pid: int
    name: str


@dataclass(frozen=True, slots=True)
class Lock:
    job_id: JobId
    held: bool
    holder: Holder | None

    @property
    def holder_words(self) -> str:
        if not self.held:
            return "held by nobody"
        return (
            f"held by process {self.holder.pid} ({self.holder.name})"
            if self.holder
            else "held by another user's process"
        )


def find_locks(jobs_dir: Path) -> list[Lock]:
    return [_look_at(jobs_dir, file.stem) for file in sorted(jobs_dir.glob("*.lock"))]


def clean_stale(jobs_dir: Path) -> list[JobId]:
    """Remove the locks that nobody holds; the jobs themselves stay."""
    from filelock import FileLock, Timeout

    removed = []
    for file in sorted(jobs_dir.glob("*.lock")):
        lock = FileLock(file)
        with suppress(Timeout, OSError), lock.acquire(timeout=0):
            # Removed while it is held, so that no worker takes it in between.
            file.unlink(missing_ok=True)
            removed.append(file.stem)
    return removed


def who_holds(jobs_dir: Path, job_id: JobId) -> Holder | None:
    """The process that has the lock's file open; None when it can't be found out."""
    import psutil

    path = str((jobs_dir / f"{job_id}.lock").resolve())
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != psutil.Process().pid and any(
                file.path == path for file in process.open_files()
            ):
                return Holder(process.pid, process.name())
    return None


def _look_at(jobs_dir: Path, job_id: JobId) -> Lock:
    from filelock import FileLock, Timeout

    # Not by JobLock: a look is to leave a stale lock where it is.
    try:
        FileLock(jobs_dir / f"{job_id}.lock").acquire(timeout=0).lock.release()
    except Timeout:
        return Lock(job_id, held=True, holder=who_holds(jobs_dir, job_id))
    return Lock(job_id, held=False, holder=None)


def _path(jobs_dir: Path, job_id: JobId) -> Path:
    return jobs_dir / f"{job_id}.lock"


def _request(jobs_dir: Path, job_id: JobId) -> Path:
    return jobs_dir / f"{job_id}.cancel"
