"""Commands over stored jobs: jobs, show, resume, retry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import typer
from typer import Option

from ocr_worker.cli.commands.maintenance import asked_of_its_owner
from ocr_worker.cli.display import View, answer, view_for
from ocr_worker.cli.exit_codes import GOOD
from ocr_worker.cli.lookups import files_of, opened_jobs, passwords
from ocr_worker.cli.options import (
    JobIdArgument,
    JsonOption,
    OneJob,
    RunOptions,
    answer_json,
    job_settings,
    read_password,
)
from ocr_worker.cli.own_words import told
from ocr_worker.cli.runner import JobRunner, Signals, breaks_told, end_run
from ocr_worker.cli.summary import blame, troubles
from ocr_worker.cli.terminal_text import clock, command_line, count, shown, stats_words
from ocr_worker.cli.typer_options import options_from
from ocr_worker.jobs import queries
from ocr_worker.model.fields import job_fields, summary_fields, timestamp
from ocr_worker.model.jobs import RESUMABLE, JobId, JobState
from ocr_worker.model.results import BatchResult, JobDetails, JobFile, Statistics
from ocr_worker.settings import MIB
from ocr_worker.store.leases import JobLeases
from ocr_worker.store.statistics import statistics


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (jobs, show, resume, retry):
        app.command(command.__name__)(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsOptions(JsonOption):
    state: Annotated[JobState | None, Option(help="Only jobs in this state.")] = None
    limit: Annotated[int, Option(min=1, help="How many, newest first.")] = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRun(RunOptions):
    job_id: JobIdArgument


@options_from(JobsOptions)
def jobs(options: JobsOptions) -> int:
    """List the jobs, newest first."""
    with opened_jobs() as kept:
        kept.find_interrupted()
        stored = kept.store.jobs(options.state, 0, options.limit)
        found = queries.job_summaries(kept.store, stored)
    if options.as_json:
        answer_json([summary_fields(summary) for summary in found])
        return GOOD
    for job, summary in zip(stored, found, strict=True):
        rehearsal = "  (dry run)" if job.options.dry_run else ""
        told = f"{summary.state:<11}  {stats_words(summary.stats)}  {shown(summary.output_dir)}"
        answer(f"{job.job_id}  {told}{rehearsal}")
    if not found:
        answer("There are no jobs." if options.state is None else f"No job is {options.state}.")
    return GOOD


@options_from(OneJob)
def show(options: OneJob) -> int:
    """Show one job and its files."""
    with opened_jobs() as kept:
        store, job = kept.store, kept.get(options.job_id)
        summary, files = queries.job_summary(store, job), tuple(files_of(store, options.job_id))
        spent = statistics(store, job)
    if options.as_json:
        answer_json(job_fields(JobDetails(summary=summary, statistics=spent, files=files)))
        return GOOD
    answer(f"{summary.job_id}: {summary.state}, {stats_words(summary.stats)}")
    begun = timestamp(summary.created_at)
    answer(f"begun {begun}, {summary.pages_done} of {count(summary.pages_total, 'page')}")
    answer(f"into {shown(summary.output_dir)}")
    for row in _statistics_rows(spent):
        answer(row)
    for file in files:
        answer(f"  {_file_row(file)}")
    if job.state in RESUMABLE:
        answer(f"Go on with: {command_line('resume', options.job_id)}")
    return GOOD


@options_from(OneRun)
def resume(options: OneRun) -> int:
    """Resume a job that was cancelled, stopped or interrupted, or one that another process has paused."""
    with opened_jobs() as kept:
        if (job := kept.get(options.job_id)).state == "paused":
            asked_of_its_owner(kept, job, "resume", lambda state: state != "paused")
            return _goes_on(options, kept)
    return resume_job(options, options.job_id)


def _goes_on(options: OneRun, kept: JobLeases) -> int:
    summary = queries.job_summary(kept.store, kept.get(options.job_id))
    if options.as_json:
        answer_json(summary_fields(summary))
    else:
        answer(f"Job {options.job_id} goes on in the process that paused it: {stats_words(summary.stats)}.")
    return GOOD


@options_from(OneRun)
def retry(options: OneRun) -> int:
    """Retry the failed files of a job."""
    return _run_again(options, options.job_id, JobRunner.retry, "has no failed files.")


def resume_job(options: RunOptions, job_id: JobId) -> int:
    return _run_again(options, job_id, JobRunner.resume, "has nothing left to do.")


Again = Callable[[JobRunner, JobId, "dict[str, str]", View], "BatchResult | None"]


def _run_again(options: RunOptions, job_id: JobId, again: Again, nothing: str) -> int:
    configuration, word = options.check(), read_password(options.password_file)
    with (
        Signals() as signals,
        JobRunner(
            job_settings(options, configuration), signals, configuration.progress_update_interval
        ) as runner,
        breaks_told(options),
    ):
        runner.runtime.call(lambda service: service.leases.get(job_id))
        words = runner.runtime.call(lambda service: passwords(service.store, job_id, word))
        result = again(runner, job_id, words, view_for(options.loudness))
    if result is not None:
        return end_run(options, result, signals.heard)
    if options.as_json:
        answer_json(None)
    else:
        answer(f"Job {job_id} {nothing}")
    return GOOD


def _statistics_rows(spent: Statistics) -> Iterator[str]:
    rates = f"{spent.pages_per_second:.1f} pages/s, {spent.files_per_second:.1f} files/s"
    memory = count(spent.peak_rss_bytes // MIB, "MiB", "MiB")
    times = f"worked {clock(spent.duration_seconds)}, {count(spent.pages, 'page')}, {rates}"
    yield ", ".join([times, *(troubles(spent) or ["no retries"]), f"{memory} at most"])
    if spent.failed_by_input or spent.failed_by_worker:
        yield blame(spent)


def _file_row(file: JobFile) -> str:
    outcome, detail = file.outcome, ""
    if outcome is not None:
        detail = told(outcome.error.message) if outcome.error else outcome.reason or outcome.output or ""
    status = outcome.status if outcome else file.state
    return f"{status:<10}  {shown(file.file)}" + (f"  ({shown(detail)})" if detail else "")
