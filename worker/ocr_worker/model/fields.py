"""Results as dictionaries, with the names that the wire, `--json`, hooks and callbacks share."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from ocr_worker.model.crew import Crew
from ocr_worker.model.results import (
    BatchResult,
    FileOutcome,
    FileResult,
    Inspection,
    JobDetails,
    JobFile,
    JobSummary,
    Progress,
    Statistics,
    Working,
)
from ocr_worker.model.tasks import FailedPage

_PLACE = ("file", "file_index", "page", "page_count")


def outcome_fields(outcome: FileOutcome) -> dict[str, Any]:
    """What is known of how a file ended; what does not apply is left out."""
    given: dict[str, Any] = {"status": outcome.status}
    for name in ("pages", "output", "confidence", "reason", "message", "page"):
        if (value := getattr(outcome, name)) is not None:
            given[name] = value
    if outcome.outputs:
        given["outputs"] = outcome.outputs
    if outcome.warnings is not None:
        given["warnings"] = list(outcome.warnings)
    if outcome.failed_pages:
        given["failed_pages"] = [_failed_page(page) for page in outcome.failed_pages]
    if outcome.error is not None:
        given["error"] = outcome.error.to_fields()
    if outcome.rehearsal is not None:
        given |= {
            name: getattr(outcome.rehearsal, name)
            for name in ("survey", "needed_bytes", "free_bytes", "estimated_seconds")
        }
    return given


def file_done_fields(result: FileResult) -> dict[str, Any]:
    """The news that a file has ended."""
    return {"kind": "file_done", **outcome_fields(result), "message": sentence(result), "file": result.file}


def sentence(result: FileResult) -> str:
    """How a file ended, for people."""
    if result.error is not None:
        return result.error.message
    if result.message is not None:
        return result.message
    if result.status == "skipped":
        return f"Skipped {result.file}: {result.reason}"
    bad = len(result.failed_pages)
    return f"Finished {result.file}" + (f", but {bad} of its {result.pages} pages failed" if bad else "")


def progress_fields(progress: Progress) -> dict[str, Any]:
    left_out = _PLACE if progress.file is None else ()
    told = {name: getattr(progress, name) for name in _PROGRESS if name not in left_out}
    nodes = {} if progress.crew is None else {"nodes": progress.crew.nodes}
    return {**told, **nodes, "working": [_working_fields(task) for task in progress.working]}


def crew_fields(crew: Crew) -> dict[str, Any]:
    """The news of who reads the pages."""
    return {
        "kind": "cluster",
        "message": crew_sentence(crew),
        "nodes": crew.nodes,
        "slots": crew.slots,
        "lost_pages": crew.lost,
        "refused": [asdict(node) for node in crew.refused],
    }


def crew_sentence(crew: Crew) -> str:
    """Who reads the pages, for people."""
    if not crew.nodes:
        said = "No node of the cluster is there" + (" any more" if crew.lost else "")
    else:
        said = f"{crew.nodes} node{'s' * (crew.nodes != 1)} of the cluster, {crew.slots} slot{'s' * (crew.slots != 1)}"
    if crew.lost:
        said += f"; {crew.lost} page{'s' * (crew.lost != 1)} read again"
    return said + "".join(f"; {node.node} gets none: {node.message}" for node in crew.refused)


def _working_fields(task: Working) -> dict[str, Any]:
    page = {} if task.page is None else {"page": task.page}
    return {"file": task.file, "file_index": task.file_index, **page}


_PROGRESS = tuple(each.name for each in fields(Progress) if each.name != "crew")


def batch_fields(result: BatchResult) -> dict[str, Any]:
    """A result; the lists of files, or counts in their place."""
    given = {
        "kind": "batch",
        "status": result.status,
        "reason": result.reason,
        "dry_run": result.dry_run or None,
        "total_files": result.total_files,
        "total_pages_processed": result.total_pages_processed,
        "duration_seconds": result.duration_seconds,
        "statistics": statistics_fields(result.statistics),
        "manifest": result.manifest,
    }
    if not result.lists_files:
        return {**given, "counts": asdict(result.counts)}
    return {
        **given,
        "successful": [{**outcome_fields(done), "file": done.file} for done in result.successful],
        "failed": [failed_file_fields(done) for done in result.failed],
        "skipped": [
            {"file": done.file, "reason": done.reason, "output": done.output} for done in result.skipped
        ],
    }


def failed_file_fields(done: FileResult) -> dict[str, Any]:
    """The entry of a failed file in a result."""
    assert done.error is not None
    failure = done.error
    return {
        "file": done.file, "error": failure.message, "code": failure.code, "retryable": failure.retryable, "page": done.page,
    }  # fmt: skip


def statistics_fields(statistics: Statistics) -> dict[str, Any]:
    end = statistics.end_time
    return {
        **asdict(statistics),
        "start_time": timestamp(statistics.start_time),
        "end_time": timestamp(end) if end else None,
    }


def summary_fields(summary: JobSummary) -> dict[str, Any]:
    return {
        **asdict(summary),
        "created_at": timestamp(summary.created_at),
        "updated_at": timestamp(summary.updated_at),
    }


def job_file_fields(file: JobFile) -> dict[str, Any]:
    outcome = outcome_fields(file.outcome) if file.outcome else {}
    return {"pages": file.pages, "status": file.state, **outcome, "file": file.file}


def job_fields(details: JobDetails) -> dict[str, Any]:
    return {
        **summary_fields(details.summary),
        "statistics": statistics_fields(details.statistics),
        "files": [job_file_fields(file) for file in details.files],
    }


def inspection_fields(inspection: Inspection) -> dict[str, Any]:
    return asdict(inspection)


def timestamp(moment: datetime) -> str:
    """UTC in ISO 8601, to the millisecond."""
    return moment.isoformat(timespec="milliseconds")


def _failed_page(page: FailedPage) -> dict[str, Any]:
    return {"page": page.page, "code": page.code, "error": page.error}
