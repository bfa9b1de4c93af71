"""Stored jobs as tests need them."""

from __future__ import annotations

import dataclasses
from typing import Any

from ocr_worker.model.jobs import JobOptions
from ocr_worker.store.records import NewFile, StoredJob

_JOB = StoredJob(
    job_id="job", state="queued", reason=None, priority=0, output_dir="/out", output_path=b"/out",
    options=JobOptions(), created_at=1.0, updated_at=1.0, started_at=None, ended_at=None, worked_seconds=0.0,
    retries=0, worker_restarts=0, cleanups=0, percent=0.0, peak_rss_bytes=0,
)  # fmt: skip


def stored_job(job_id: str = "job", **fields: Any) -> StoredJob:
    return dataclasses.replace(_JOB, job_id=job_id, **fields)


def new_files(count: int) -> list[NewFile]:
    return [
        NewFile(f"/in/{n}.png", f"/in/{n}.png".encode(), str(n).encode(), None) for n in range(1, count + 1)
    ]
