"""The lock of a running job: no second worker can run it. The system releases it when the worker dies.

A file beside the lock asks its owner to cancel the job, to pause it, or to go on with it.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from typing_extensions import Self

from ocr_worker.errors import JobActiveError, OcrError
from ocr_worker.files.atomic import output_error, translated
from ocr_worker.files.private import leave_mark, make_private
from ocr_worker.model.jobs import JobId

if TYPE_CHECKING:
    import psutil
    from filelock import BaseFileLock

log = logging.getLogger(__name__)

_REFUSED = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.EIO, errno.ENOSYS}
"""What a file system without locks answers, or one whose lock server is away."""
LOCK, SOFT_LOCK = ".lock", ".softlock"
_TO_LOCK = os.O_RDWR | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC"))
_POLL_SECONDS = 0.002
Request = Literal["cancel", "pause", "resume"]
REQUESTS: tuple[Request, ...] = ("cancel", "pause", "resume")


class JobLock:
    def __init__(self, jobs_dir: Path, job_id: JobId, patience_seconds: float = 0) -> None:
        """Acquire the lock.

        Args:
            jobs_dir: where locks are.
            job_id: whose lock.
            patience_seconds: how long to try. Who only looks whether a lock is held has it for a moment as well.

        Raises:
            JobActiveError: another worker holds it.
            OcrError: the state folder can't be used.
        """
        # Late: hello does without it.
        from filelock import Timeout

        with translated(jobs_dir):
            make_private(jobs_dir)
        self._path = _path(jobs_dir, job_id)
        self._requests = {request: _request(jobs_dir, job_id, request) for request in REQUESTS}
        try:
            self._lock = _take(self._path, patience_seconds)
        except Timeout as error:
            raise JobActiveError(
                f"Job {job_id} is running in another process. Cancel it there, or wait for its end."
            ) from error
        except OSError as error:
            raise output_error(error, self._path) from error
        # One that came too late was not meant for this run.
        for request in REQUESTS:
            self.answered(request)

    @property
    def cancel_asked(self) -> bool:
        return _is_there(self._requests["cancel"])

    @staticmethod
    def is_asked_to_cancel(jobs_dir: Path, job_id: JobId) -> bool:
        """Whether the owner of a lock was asked, be it alive or dead."""
        return _is_there(_request(jobs_dir, job_id, "cancel"))

    @property
    def pauses_asked(self) -> list[Request]:
        """Whether the owner was asked to pause, or to go on."""
        return [
            request for request, file in self._requests.items() if request != "cancel" and _is_there(file)
        ]

    def answered(self, request: Request) -> None:
        """Take what was asked as carried out."""
        self._requests[request].unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Release the lock if it is held, and leave no file.

        The file is removed while it is still locked: whoever has opened it by then gets a lock of a file without a name,
        which filelock refuses. Afterwards it might be another worker's. (Windows removes no open file; filelock does it
        there when it lets go.)
        """
        if self._lock.is_locked:
            own = Path(self._lock.lock_file)
            requests = self._requests.values()
            for file in (*requests, own) if own.suffix == LOCK else requests:
                with suppress(OSError):
                    file.unlink(missing_ok=True)
            self._lock.release()

    @staticmethod
    def ask(jobs_dir: Path, job_id: JobId, request: Request) -> None:
        """Ask the owner of the lock for something; it looks every half a second."""
        leave_mark(_request(jobs_dir, job_id, request))

    @staticmethod
    def ask_no_more(jobs_dir: Path, job_id: JobId, request: Request) -> None:
        _request(jobs_dir, job_id, request).unlink(missing_ok=True)

    @classmethod
    def try_acquire(cls, jobs_dir: Path, job_id: JobId, patience_seconds: float = 0) -> Self | None:
        """Acquire the lock; None if another worker has it."""
        try:
            return cls(jobs_dir, job_id, patience_seconds)
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
    return [lock for file in _files(jobs_dir) if (lock := _look_at(file))]


def clean_stale(jobs_dir: Path) -> list[JobId]:
    """Remove stale locks; the jobs stay."""
    removed = []
    for file in _files(jobs_dir):
        with _held(file) as held:
            if held:
                # Removed while it is held, so that no worker takes it in between.
                if sys.platform != "win32":
                    file.unlink(missing_ok=True)
                removed.append(file.stem)
        if held and sys.platform == "win32":
            # Nobody removes an open file there: neither we while we hold it, nor one that a worker has by now.
            with suppress(OSError):
                file.unlink()
    for request in (path for kind in REQUESTS for path in jobs_dir.glob(f"*.{kind}")):
        if not is_held(jobs_dir, request.stem):
            # It came too late for whoever was asked.
            request.unlink(missing_ok=True)
    return removed


def is_held(jobs_dir: Path, job_id: JobId) -> bool:
    """Whether some process has the job."""
    for kind in (LOCK, SOFT_LOCK):
        with _held(jobs_dir / f"{job_id}{kind}") as free:
            if free is False:
                return True
    return False


def who_holds(jobs_dir: Path, job_id: JobId) -> Holder | None:
    """The process that has the lock file open; None if unknown."""
    import psutil

    if sys.platform == "win32":
        # It takes long to tell who has a file open.
        return _last_to_take(jobs_dir.parent, job_id)
    paths = {str((jobs_dir / f"{job_id}{kind}").resolve()) for kind in (LOCK, SOFT_LOCK)}
    # Where there is no /proc, psutil finds no process, and some of its parts not even the first line.
    with suppress(psutil.Error, OSError, LookupError):
        for process in psutil.process_iter():
            if process.pid != os.getpid() and _has_open(process, paths):
                return Holder(process.pid, process.name())
    return None


def _last_to_take(state_dir: Path, job_id: JobId) -> Holder | None:
    """Who takes the lock writes its number into the store."""
    import psutil

    from ocr_worker.store.job_store import open_store

    with suppress(OcrError), open_store(state_dir) as store:
        job = store.job(job_id)
        if job and job.pid and psutil.pid_exists(job.pid):
            return Holder(job.pid, _name(job.pid))
    return None


def _name(pid: int) -> str:
    import psutil

    # Of some processes, and under Wine of all, the system does not tell it.
    with suppress(psutil.Error, OSError):
        return psutil.Process(pid).name()
    return "ocr-worker"


def _has_open(process: psutil.Process, paths: set[str]) -> bool:
    import psutil

    with suppress(psutil.Error, OSError):
        return any(file.path in paths for file in process.open_files())
    return False


def _files(jobs_dir: Path) -> list[Path]:
    return sorted([*jobs_dir.glob(f"*{LOCK}"), *jobs_dir.glob(f"*{SOFT_LOCK}")])


def _look_at(file: Path) -> Lock | None:
    """Leaves a stale lock where it is, and makes none of one that has gone meanwhile."""
    with _held(file) as free:
        if free is None:
            return None
        return Lock(file.stem, not free, None if free else who_holds(file.parent, file.stem))


@contextmanager
def _held(file: Path) -> Iterator[bool | None]:
    """Hold a lock for a moment; False where another has it, None where there is none."""
    if file.suffix == SOFT_LOCK:
        with _held_softly(file) as held:
            yield held
        return
    try:
        handle = os.open(file, _TO_LOCK)
    except OSError:
        yield None
        return
    try:
        yield _flocked(handle, file)
    finally:
        os.close(handle)


def _flocked(handle: int, file: Path) -> bool | None:
    if sys.platform == "win32":
        return _locked(handle)
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its holder may have removed it since, and another made one of the same name.
        return True if os.path.samestat(os.fstat(handle), file.lstat()) else None
    except FileNotFoundError:
        return None
    except OSError as error:
        # Where locks are refused nobody holds one.
        return error.errno in _REFUSED


def _locked(handle: int) -> bool:
    """The byte that filelock locks. Windows lets it go with the handle."""
    if sys.platform == "win32":
        import msvcrt

        with suppress(OSError):
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            return True
    return False


@contextmanager
def _held_softly(file: Path) -> Iterator[bool | None]:
    from filelock import SoftFileLock

    if not file.exists():
        yield None
        return
    lock: BaseFileLock = SoftFileLock(file)
    _try(lock)
    try:
        yield lock.is_locked
    finally:
        lock.release()


def _take(path: Path, patience_seconds: float) -> BaseFileLock:
    """The lock. Raises Timeout, OSError."""
    from filelock import FileLock, SoftFileLock, Timeout

    lock: BaseFileLock = FileLock(path, mode=0o600, fallback_to_soft=False)
    try:
        _try(lock, patience_seconds)
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        _warn(path.parent, error.strerror)
        # Nobody can hold what was made on the way.
        path.unlink(missing_ok=True)
        lock = SoftFileLock(path.with_suffix(SOFT_LOCK), mode=0o600)
        _try(lock, patience_seconds)
    if not lock.is_locked:
        raise Timeout(str(path))
    return lock


def _try(lock: BaseFileLock, patience_seconds: float = 0) -> None:
    """At least twice: the holder may let it go as we try, and the file that we have opened with it; or it is a dead worker's, and is removed first."""
    from filelock import Timeout

    for patience in (0, patience_seconds):
        if not lock.is_locked:
            with suppress(Timeout):
                lock.acquire(timeout=patience, poll_interval=_POLL_SECONDS)


@cache
def _warn(jobs_dir: Path, reason: str) -> None:
    """Once for each folder."""
    log.warning(
        "%s takes no locks (%s): files with the number of their process stand for them. Never share this folder between machines.",
        jobs_dir,
        reason,
    )


def _path(jobs_dir: Path, job_id: JobId) -> Path:
    return jobs_dir / f"{job_id}{LOCK}"


def _request(jobs_dir: Path, job_id: JobId, request: Request) -> Path:
    return jobs_dir / f"{job_id}.{request}"


def _is_there(file: Path) -> bool:
    # Unlike Path.exists this never raises: a folder that can't be looked into asks for nothing.
    return os.path.exists(file)  # noqa: PTH110
