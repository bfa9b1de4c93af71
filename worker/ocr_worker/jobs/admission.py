"""Take requests into the store: the output folder is made and writable, all names are settled."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ocr_worker.errors import OutputPermissionError, no_space
from ocr_worker.jobs.output_names import Namespace, plan_outputs
from ocr_worker.jobs.requests import input_file
from ocr_worker.model.jobs import JobRequest, new_job_id
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import NewFile, StoredJob


class Admission:
    """A request on its way into the store, a slice at a time: nobody sees the job before all its files are there."""

    def __init__(self, request: JobRequest, store: JobStore) -> None:
        """Store nothing yet: the owner first locks the job.

        Raises:
            OutputPermissionError: the output folder can't be made or written.
        """
        prepare = _foresee_folder if request.options.dry_run else _prepare_folder
        prepare(request.output_dir, request.output_dir_sent)
        options, now = request.options, time.time()
        self.job = StoredJob(
            job_id=new_job_id(datetime.now().astimezone()), state="admitting", reason=None, priority=request.priority,
            output_dir=request.output_dir_sent, output_path=os.fsencode(request.output_dir), options=options,
            created_at=now, updated_at=now, started_at=None, ended_at=None, worked_seconds=0.0, retries=0,
            worker_restarts=0, cleanups=0, percent=0.0, peak_rss_bytes=0,
        )  # fmt: skip
        self.file_count, self._request, self._store = 0, request, store
        self._plan: Iterator[NewFile | None] | None = None

    def step(self, seconds: float = math.inf) -> bool:
        """Go on for about so long; whether all is stored."""
        self._plan = self._plan or self._begin()
        files, until = list[NewFile](), time.monotonic() + seconds
        for planned in self._plan:
            if planned is not None:
                files.append(planned)
            if time.monotonic() >= until:
                self._keep(files)
                return False
        self._keep(files)
        return True

    def _begin(self) -> Iterator[NewFile | None]:
        request, options = self._request, self.job.options
        # Not before: the requests that came before this one are jobs by now, and their names are taken.
        promised = _promised(self._store, request.output_dir)
        self._store.add_job(self.job)
        space = Namespace(request.output_dir, options.page.outputs, options.on_existing, promised)
        return plan_outputs(map(input_file, request.files), space)

    def _keep(self, files: list[NewFile]) -> None:
        if files:
            self._store.add_files(self.job.job_id, self.file_count, files)
            self.file_count += len(files)


def _promised(store: JobStore, folder: Path) -> dict[str, str]:
    """The names that other jobs have still to write into a folder, and the inputs that they are for."""
    jobs = [job for job in store.to_come() if not job.options.dry_run]
    here = [job for job in jobs if _is_same(Path(os.fsdecode(job.output_path)), folder)]
    return {
        os.fsdecode(name): os.fsdecode(path) for job in here for name, path in store.names_to_come(job.job_id)
    }


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False


def require_folder(job: StoredJob) -> None:
    """See that a job that is taken up again finds its output folder, or can make it.

    Raises:
        OutputPermissionError: it can't be made or written.
    """
    if not job.options.dry_run:
        _prepare_folder(Path(os.fsdecode(job.output_path)), job.output_dir)


def _foresee_folder(folder: Path, sent: str) -> None:
    """Refuse a folder that `_prepare_folder` would refuse, and make none."""
    place = next(parent for parent in (folder, *folder.parents) if os.path.lexists(parent))
    if not place.is_dir():
        raise OutputPermissionError(
            f"The output folder {sent} can't be made: {place} is no folder. Choose another."
        )
    if not os.access(place, os.W_OK | os.X_OK):
        raise OutputPermissionError(f"The output folder {sent} can't be written. Choose another.")


def _prepare_folder(folder: Path, sent: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise no_space(error, f"the output folder {sent}") or OutputPermissionError(
            f"The output folder {sent} can't be made: {reason}. Choose another."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputPermissionError(f"The output folder {sent} can't be written. Choose another.")
