"""Commands that stop, end or delete stored jobs: pause, cancel, delete, locks, cleanup."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from ocr_worker.cli.config import read_configuration
from ocr_worker.cli.display import answer
from ocr_worker.cli.exit_codes import GOOD
from ocr_worker.cli.lookups import all_jobs, opened_jobs
from ocr_worker.cli.options import ConfigFile, JsonOption, OneJob, answer_json, worker_settings
from ocr_worker.cli.terminal_text import clock, count, stats_words
from ocr_worker.cli.typer_options import options_from
from ocr_worker.errors import JobActiveError
from ocr_worker.model.jobs import ACTIVE, RESUMABLE, JobState
from ocr_worker.model.results import FileTally
from ocr_worker.store.job_lock import JobLock, Request, clean_stale, find_locks, who_holds
from ocr_worker.store.leases import JobLeases
from ocr_worker.store.records import StoredJob
from ocr_worker.store.statistics import manifest_path

DAY_SECONDS = 86_400
ANSWER_SECONDS = 10.0
"""How long an order waits for the process that runs the job, which looks every half a second."""
LOOK_SECONDS = 0.1


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (pause, cancel, delete, locks, cleanup):
        app.command(command.__name__)(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocksOptions(JsonOption):
    clean_stale: Annotated[bool, Option("--clean-stale", help="Remove locks that no process has.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupOptions(JsonOption):
    max_age_days: Annotated[
        float | None,
        Option(min=0, help="Finished jobs older than this; default: manifest_retention_days, 30."),
    ] = None
    config: ConfigFile = None


@options_from(OneJob)
def pause(options: OneJob) -> int:
    """Pause a job, whichever process runs it; `resume` continues it there."""
    with opened_jobs() as jobs:
        job = jobs.get(options.job_id)
        if job.state in ACTIVE:
            job = asked_of_its_owner(jobs, job, "pause", lambda state: state not in ("queued", "running"))
        stats = FileTally(**jobs.store.stats(options.job_id))
    if options.as_json:
        answer_json({"job_id": options.job_id, "state": job.state, "stats": asdict(stats)})
    else:
        said = "is paused" if job.state == "paused" else "has ended already"
        answer(f"Job {options.job_id} {said}: {stats_words(stats)}.")
    return GOOD


@options_from(OneJob)
def cancel(options: OneJob) -> int:
    """Cancel a job, whichever process runs it, or an interrupted one, so that no app resumes it."""
    with opened_jobs() as jobs:
        job = jobs.get(options.job_id)
        if job.state in ACTIVE:
            job = asked_of_its_owner(jobs, job, "cancel", lambda state: state not in ACTIVE)
        jobs.mark_cancelled(job.job_id)
        stats = FileTally(**jobs.store.stats(options.job_id))
    state = "cancelled" if job.state in RESUMABLE else job.state
    if options.as_json:
        answer_json({"job_id": options.job_id, "state": state, "stats": asdict(stats)})
    else:
        said = "is cancelled" if state == "cancelled" else "has ended already"
        answer(f"Job {options.job_id} {said}: {stats_words(stats)}.")
    return GOOD


def asked_of_its_owner(
    jobs: JobLeases, job: StoredJob, request: Request, done: Callable[[JobState], bool]
) -> StoredJob:
    """Ask the process that runs the job, and wait until it is done. Raises JobActiveError if that does not answer."""
    jobs_dir, until = worker_settings().jobs_dir, time.monotonic() + ANSWER_SECONDS
    JobLock.ask(jobs_dir, job.job_id, request)
    try:
        while time.monotonic() < until:
            if done((now := jobs.get(job.job_id)).state):
                return now
            time.sleep(LOOK_SECONDS)
    finally:
        JobLock.ask_no_more(jobs_dir, job.job_id, request)
    raise JobActiveError(_held_elsewhere(job))


@options_from(OneJob)
def delete(options: OneJob) -> int:
    """Delete an ended job and its page results; its outputs stay."""
    with opened_jobs() as jobs:
        jobs.delete(options.job_id)
    if options.as_json:
        answer_json({"job_id": options.job_id, "deleted": True})
    else:
        answer(f"Job {options.job_id} is deleted. Its outputs stay.")
    return GOOD


@options_from(LocksOptions)
def locks(options: LocksOptions) -> int:
    """List the locks of jobs and the processes that have them."""
    jobs_dir = worker_settings().jobs_dir
    removed = clean_stale(jobs_dir) if options.clean_stale else []
    found = find_locks(jobs_dir)
    if options.as_json:
        answer_json({"locks": [asdict(lock) for lock in found], "removed": removed})
        return GOOD
    for lock in found:
        answer(f"{lock.job_id}  {lock.holder_words}")
    if options.clean_stale:
        answer(f"{count(len(removed), 'stale lock')} removed.")
    elif not found:
        answer("There are no locks.")
    return GOOD


@options_from(CleanupOptions)
def cleanup(options: CleanupOptions) -> int:
    """Delete old finished jobs and their manifests. Unfinished jobs and outputs stay."""
    days = options.max_age_days
    if days is None:
        days = read_configuration(options.config).manifest_retention_days
    removed = []
    with opened_jobs() as jobs:
        is_due = _finished_before(time.time() - days * DAY_SECONDS)
        jobs.require_free()
        for job in [job for job in all_jobs(jobs.store, "completed") if is_due(job)]:
            if jobs.delete_if(job.job_id, is_due):
                _remove_manifest(job)
                removed.append(job.job_id)
    if options.as_json:
        answer_json({"removed": removed})
    else:
        answer(f"{count(len(removed), 'finished job')} removed. Outputs and unfinished jobs stay.")
    return GOOD


def _finished_before(when: float) -> Callable[[StoredJob], bool]:
    return lambda job: job.state == "completed" and (job.ended_at or job.updated_at) <= when


def _remove_manifest(job: StoredJob) -> None:
    with suppress(OSError):
        manifest_path(Path(os.fsdecode(job.output_path)), job.job_id).unlink(missing_ok=True)


def _held_elsewhere(job: StoredJob) -> str:
    held = who_holds(worker_settings().jobs_dir, job.job_id)
    who = f"process {held.pid} ({held.name})" if held else "another process"
    since = clock(time.time() - (job.started_at or job.created_at))
    # Windows has no command that interrupts a process.
    end = f"kill -INT {held.pid}" if held and sys.platform != "win32" else "Ctrl-C in its terminal"
    return f"Job {job.job_id} is {job.state} in {who}, for {since}, which does not answer. Interrupt that process, with all its jobs: {end}"
