"""The lock files of jobs: which are held, by whom, and removing those that nobody holds."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from ocr_worker.model.jobs import JobId


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

    def to_fields(self) -> dict[str, Any]:
        return asdict(self)


def find_locks(jobs_dir: Path) -> list[Lock]:
    return [_look_at(jobs_dir, file.stem) for file in sorted(jobs_dir.glob("*.lock"))]


def clean_stale(jobs_dir: Path) -> list[JobId]:
    """Remove the locks that nobody holds; the jobs themselves stay."""
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
    path = str((jobs_dir / f"{job_id}.lock").resolve())
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != psutil.Process().pid and any(
                file.path == path for file in process.open_files()
            ):
                return Holder(process.pid, process.name())
    return None


def _look_at(jobs_dir: Path, job_id: JobId) -> Lock:
    # Not by JobLock: a look is to leave a stale lock where it is.
    try:
        FileLock(jobs_dir / f"{job_id}.lock").acquire(timeout=0).lock.release()
    except Timeout:
        return Lock(job_id, held=True, holder=who_holds(jobs_dir, job_id))
    return Lock(job_id, held=False, holder=None)
