"""Commands over stored jobs: jobs, show, resume, retry, cancel, delete, locks, cleanup."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Option

from ocr_protocol.commands import JobState
from ocr_worker import report
from ocr_worker.caller import Surroundings
from ocr_worker.cli.common import (
    ConfigFile,
    JobIdArgument,
    JsonOption,
    RunOptions,
    answer_json,
    read_password,
    worker_settings,
)
from ocr_worker.cli.configuration import read_configuration
from ocr_worker.cli.desk import Desk, Signals, View
from ocr_worker.cli.ending import end_run
from ocr_worker.cli.exits import GOOD
from ocr_worker.cli.locks import clean_stale, find_locks, who_holds
from ocr_worker.cli.spread import takes
from ocr_worker.cli.views import answer, view_for
from ocr_worker.cli.wording import clock, command_line, count, shown
from ocr_worker.errors import JobActiveError
from ocr_worker.job_lock import JobLock
from ocr_worker.job_store import JobStore, StoredJob
from ocr_worker.jobs import ACTIVE, RESUMABLE, JobId
from ocr_worker.service import OCRBatchService
from ocr_worker.settings import Settings

DAY_SECONDS = 86_400
CHUNK = 1000


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (jobs, show, resume, retry, cancel, delete, locks, cleanup):
        app.command(command.__name__)(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsOptions(JsonOption):
    state: Annotated[JobState | None, Option(help="Only jobs in this state.")] = None
    limit: Annotated[int, Option(min=1, help="How many, newest first.")] = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OneJob(JsonOption):
    job_id: JobIdArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRun(RunOptions):
    job_id: JobIdArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class LocksOptions(JsonOption):
    clean_stale: Annotated[bool, Option("--clean-stale", help="Remove those that nobody holds.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupOptions(JsonOption):
    max_age_days: Annotated[
        float | None,
        Option(min=0, help="Finished jobs older than this; default: manifest_retention_days, 30."),
    ] = None
    config: ConfigFile = None


@takes(JobsOptions)
def jobs(options: JobsOptions) -> int:
    """List the jobs, newest first."""
    with opened_service() as service:
        store = service.store
        found = [report.job_summary(store, job) for job in store.jobs(options.state, 0, options.limit)]
    if options.as_json:
        answer_json(found)
    elif not found:
        answer("There are no jobs." if options.state is None else f"No job is {options.state}.")
    for job in [] if options.as_json else found:
        answer(f"{job['job_id']}  {job['state']:<11}  {_stats(job['stats'])}  {shown(job['output_dir'])}")
    return GOOD


@takes(OneJob)
def show(options: OneJob) -> int:
    """Show one job and its files."""
    with opened_service() as service:
        store, job = service.store, service.get(options.job_id)
        summary, files = report.job_summary(store, job), list(_files(store, options.job_id))
    if options.as_json:
        answer_json({**summary, "files": files})
        return GOOD
    answer(f"{summary['job_id']}: {summary['state']}, {_stats(summary['stats'])}")
    answer(f"begun {summary['created_at']}, {summary['pages_done']} of {summary['pages_total']} pages")
    answer(f"into {shown(summary['output_dir'])}")
    for file in files:
        answer(f"  {_file_row(file)}")
    if job.state in RESUMABLE:
        answer(f"Go on with: {command_line('resume', options.job_id)}")
    return GOOD


@takes(OneRun)
def resume(options: OneRun) -> int:
    """Go on with a job that was cancelled, stopped or interrupted."""
    return resume_job(options, options.job_id)


@takes(OneRun)
def retry(options: OneRun) -> int:
    """Try the failed files of a job again."""
    return _run_again(options, options.job_id, Desk.retry, "has no failed files.")


@takes(OneJob)
def cancel(options: OneJob) -> int:
    """Give an interrupted job up, so that no app takes it up by itself. A job at work is cancelled where it runs."""
    with opened_service() as service:
        job = service.get(options.job_id)
        if job.state in ACTIVE:
            raise JobActiveError(_held_elsewhere(job))
        if job.state in RESUMABLE and job.state != "cancelled":
            with _lock(worker_settings(), options.job_id):
                service.store.update_job(options.job_id, state="cancelled")
    said = "has ended already" if job.state not in RESUMABLE else "is cancelled"
    if options.as_json:
        answer_json({"job_id": options.job_id, "state": "cancelled" if job.state in RESUMABLE else job.state})
    else:
        answer(f"Job {options.job_id} {said}.")
    return GOOD


@takes(OneJob)
def delete(options: OneJob) -> int:
    """Forget an ended job and what is kept of its pages; its outputs stay."""
    with opened_service() as service:
        service.delete(options.job_id)
    if options.as_json:
        answer_json({"job_id": options.job_id, "deleted": True})
    else:
        answer(f"Job {options.job_id} is forgotten. Its outputs stay.")
    return GOOD


@takes(LocksOptions)
def locks(options: LocksOptions) -> int:
    """List the locks of jobs and who holds them."""
    jobs_dir = worker_settings().jobs_dir
    removed = clean_stale(jobs_dir) if options.clean_stale else []
    found = find_locks(jobs_dir)
    if options.as_json:
        answer_json({"locks": [lock.to_fields() for lock in found], "removed": removed})
        return GOOD
    for lock in found:
        answer(f"{lock.job_id}  {lock.holder_words}")
    if options.clean_stale:
        answer(f"{count(len(removed), 'stale lock')} removed.")
    elif not found:
        answer("There are no locks.")
    return GOOD


@takes(CleanupOptions)
def cleanup(options: CleanupOptions) -> int:
    """Forget finished jobs of some age, with their manifests. Unfinished jobs and outputs stay."""
    days = options.max_age_days
    if days is None:
        days = read_configuration(options.config).manifest_retention_days
    removed = []
    with opened_service() as service:
        for job in list(_finished_before(service.store, time.time() - days * DAY_SECONDS)):
            service.delete(job.job_id)
            _remove_manifest(job)
            removed.append(job.job_id)
    if options.as_json:
        answer_json({"removed": removed})
    else:
        answer(f"{count(len(removed), 'finished job')} removed. Outputs and unfinished jobs stay.")
    return GOOD


def resume_job(options: RunOptions, job_id: JobId) -> int:
    return _run_again(options, job_id, Desk.resume, "has nothing left to do.")


def last_unfinished(service: OCRBatchService, output_dir: Path | None) -> JobId | None:
    """The most recent job that can be resumed, of an output folder or of all."""
    place = None if output_dir is None else os.path.realpath(output_dir)
    for job in _all_jobs(service.store, None):
        folder = os.path.realpath(os.fsdecode(job.output_path))
        if job.state in RESUMABLE and not job.options.dry_run and place in (None, folder):
            return job.job_id
    return None


@contextmanager
def opened_service() -> Iterator[OCRBatchService]:
    """The service for a look at its store, without page processes."""
    around = Surroundings(worker_settings(), lambda _: None, lambda _: None)
    service = OCRBatchService(around=around)
    try:
        yield service
    finally:
        service.cleanup()


Again = Callable[[Desk, JobId, "dict[str, str]", View], "dict[str, Any] | None"]


def _run_again(options: RunOptions, job_id: JobId, again: Again, nothing: str) -> int:
    configuration, word = options.check(), read_password(options.password_file)
    with (
        Signals() as signals,
        Desk(worker_settings(), signals, configuration.progress_update_interval) as desk,
    ):
        desk.service.get(job_id)
        result = again(desk, job_id, _passwords(desk.service.store, job_id, word), view_for(options.loudness))
    if result is not None:
        return end_run(options, job_id, result, signals.heard)
    if options.as_json:
        answer_json(None)
    else:
        answer(f"Job {job_id} {nothing}")
    return GOOD


def _passwords(store: JobStore, job_id: JobId, word: str | None) -> dict[str, str]:
    if word is None:
        return {}
    return {
        os.fsdecode(file.path): word
        for number in _starts(store, job_id)
        for file in store.files(job_id, None, number, CHUNK)
    }


def _starts(store: JobStore, job_id: JobId) -> range:
    return range(0, store.stats(job_id)["total"], CHUNK)


def _files(store: JobStore, job_id: JobId) -> Iterator[dict[str, Any]]:
    for start in _starts(store, job_id):
        yield from report.job_files(store, job_id, start, CHUNK)


def _file_row(file: dict[str, Any]) -> str:
    detail = file["error"]["message"] if file.get("error") else file.get("reason") or file.get("output") or ""
    return f"{file['status']:<10}  {shown(file['file'])}" + (f"  ({shown(detail)})" if detail else "")


def _stats(stats: dict[str, int]) -> str:
    told = [
        f"{stats[state]} {state}"
        for state in ("completed", "failed", "skipped", "pending", "processing")
        if stats[state]
    ]
    return f"{count(stats['total'], 'file')}: {', '.join(told) or 'none'}"


def _all_jobs(store: JobStore, state: str | None) -> Iterator[StoredJob]:
    """Newest first."""
    for start in range(0, store.job_count(state), CHUNK):
        yield from store.jobs(state, start, CHUNK)


def _finished_before(store: JobStore, when: float) -> Iterator[StoredJob]:
    return (job for job in _all_jobs(store, "completed") if (job.ended_at or job.updated_at) <= when)


def _remove_manifest(job: StoredJob) -> None:
    with suppress(OSError):
        report.manifest_path(Path(os.fsdecode(job.output_path)), job.job_id).unlink(missing_ok=True)


@contextmanager
def _lock(settings: Settings, job_id: JobId) -> Iterator[None]:
    lock = JobLock(settings.jobs_dir, job_id)
    try:
        yield
    finally:
        lock.release()


def _held_elsewhere(job: StoredJob) -> str:
    held = who_holds(worker_settings().jobs_dir, job.job_id)
    who = f"process {held.pid} ({held.name})" if held else "another process"
    since = clock(time.time() - (job.started_at or job.created_at))
    end = f"kill -INT {held.pid}" if held else "Ctrl-C in its terminal"
    return f"Job {job.job_id} is {job.state} in {who}, for {since}. Cancel it in the app that runs it, or with: {end}"
