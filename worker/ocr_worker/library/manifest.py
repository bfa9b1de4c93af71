"""Manifests from Python: read the manifest of a batch, or prepare a batch that runs later.

Source: the fourth design note (queue and manifest). The store stays the truth; a manifest is its readable copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ocr_worker.errors import CorruptError, NotFoundError
from ocr_worker.files.regular import open_regular, read_regular
from ocr_worker.jobs.admission import Admission
from ocr_worker.library.requests import AnyPath, make_request
from ocr_worker.settings import settings_from_environment
from ocr_worker.store.job_lock import JobLock
from ocr_worker.store.job_store import open_store
from ocr_worker.store.manifest import write_manifest
from ocr_worker.store.statistics import manifest_path

ItemStatus = Literal["pending", "processing", "complete", "failed", "skipped"]
THRESHOLD, THRESHOLD_FILES = 0.5, 10
HEAD_BYTES = 65_536
"""Before the options and the files; an output folder's path is shorter."""
_START = re.compile(rb'"start_time": ?"([0-9T:.+-]+)"')
"""No text of the head can look so: its quotation marks are escaped."""


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One input file; times are ISO 8601 in UTC."""

    file: str
    status: ItemStatus
    pages: int | None
    start_time: str | None
    end_time: str | None
    error: dict[str, Any] | None
    """`code`, `message`, `retryable` of a failed file."""
    skip_reason: str | None
    result: dict[str, Any] | None
    """`output`, `outputs`, `confidence` and, where some of its pages failed, `failed_pages`, of a complete file."""


@dataclass(frozen=True, slots=True)
class BatchQueue:
    items: tuple[BatchItem, ...]

    def with_status(self, status: ItemStatus) -> tuple[BatchItem, ...]:
        """The files in this state."""
        return tuple(item for item in self.items if item.status == status)

    def counts(self) -> dict[str, int]:
        """Files by status; `total` is all of them."""
        states: tuple[ItemStatus, ...] = ("pending", "processing", "complete", "failed", "skipped")
        return {"total": len(self.items), **{state: len(self.with_status(state)) for state in states}}


@dataclass(frozen=True, slots=True)
class BatchManifest:
    """`batch_<id>_manifest.json`, format version 1."""

    version: Literal[1]
    batch_id: str
    output_dir: str
    start_time: str
    end_time: str | None
    metadata: dict[str, Any]
    queue: BatchQueue

    @classmethod
    def create_new(
        cls, files: AnyPath | Iterable[AnyPath], output_dir: AnyPath, **options: Any
    ) -> BatchManifest:
        """Prepare a batch without running it; `ocr-worker resume ID` or the wire's `resume` runs it.

        Arguments and errors are those of `OCRBatchService.process_batch`.
        """
        request = make_request(files, output_dir, options)
        settings = settings_from_environment()
        with open_store(settings.state_dir) as store:
            admission = Admission(request, store)
            job_id = admission.job.job_id
            lock = JobLock(settings.jobs_dir, job_id)
            with lock:
                try:
                    while not admission.step():
                        pass
                    store.update_job(job_id, state="interrupted")
                except BaseException:
                    admission.stop()
                    store.delete_job(job_id)
                    raise
                # Before the lock is let go: whoever takes the job up writes the next one.
                write_manifest(store, job_id)
        return cls.load(output_dir, job_id)

    @classmethod
    def load(cls, output_dir: AnyPath, batch_id: str | None = None) -> BatchManifest:
        """Read a manifest of an output folder; without an id the newest.

        Raises:
            NotFoundError: there is none.
            CorruptError: it is not a manifest of this version.
        """
        from pydantic import TypeAdapter, ValidationError

        folder = Path(output_dir)
        found = (
            [manifest_path(folder, batch_id)]
            if batch_id
            else sorted(folder.glob("batch_*_manifest.json"), key=_begun)
        )
        missing = f"{folder} holds no manifest{f' of batch {batch_id}' if batch_id else ''}."
        if not found:
            raise NotFoundError(missing)
        try:
            return TypeAdapter(BatchManifest).validate_json(read_regular(found[-1]))
        except OSError as error:
            raise NotFoundError(missing) from error
        except ValidationError as error:
            raise CorruptError(f"{found[-1]} is not a batch manifest of version 1.") from error

    def summary(self) -> dict[str, Any]:
        """Batch id, state, counts by status, and the share of failed files among those that have ended."""
        counts = self.queue.counts()
        ended = counts["complete"] + counts["failed"] + counts["skipped"]
        share = counts["failed"] / ended if ended else 0.0
        return {
            "batch_id": self.batch_id,
            "state": self.metadata.get("state"),
            **counts,
            "error_share": share,
        }

    def should_stop_on_error(self, threshold: float = THRESHOLD) -> bool:
        """Whether the share of failed files is at or above the threshold, once 10 have ended; 1.0 never stops."""
        counts = self.queue.counts()
        ended = counts["complete"] + counts["failed"] + counts["skipped"]
        return threshold < 1 and ended >= THRESHOLD_FILES and counts["failed"] >= threshold * ended


def _begun(path: Path) -> tuple[str, str]:
    """When the batch of a manifest was begun, by its head: names tell local time, which goes back once a year, and no part of a second."""
    try:
        with open_regular(path) as stream:
            found = _START.search(stream.read(HEAD_BYTES))
    except OSError:
        found = None
    return (found.group(1).decode("ascii") if found else "", path.name)
