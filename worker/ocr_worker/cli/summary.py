"""What is said when a batch has ended: the outcome, what failed, and the command that goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ocr_worker.cli.terminal_text import clock, command_line, count, shown
from ocr_worker.cli.verdicts import verdicts
from ocr_worker.model.jobs import JobId

KINDS = ("successful", "failed", "skipped")
MOST_NAMED = 20
"""Failed files that are named one by one."""


def summary(job_id: JobId, result: Mapping[str, Any]) -> str:
    """Lines for people."""
    found = verdicts(result) if result.get("dry_run") else ()
    return "\n".join([*found, _outcome(result), *_failures(result), *_what_next(job_id, result)])


def counts(result: Mapping[str, Any]) -> dict[str, int]:
    """How many files ended how, whether the result lists them or not."""
    if "counts" in result:
        return {kind: result["counts"][kind] for kind in KINDS}
    return {kind: len(result[kind]) for kind in KINDS}


def _outcome(result: Mapping[str, Any]) -> str:
    ended = counts(result)
    left = result["total_files"] - sum(ended.values())
    verb = {"completed": "Done", "cancelled": "Cancelled", "stopped": "Stopped"}[result["status"]]
    reason = {
        "error_threshold": " because too many files failed",
        "no_space": " because the disk is full",
    }.get(result["reason"] or "", "")
    checked = "would be recognised" if result.get("dry_run") else "ok"
    files = f"{ended['successful']} {checked}, {ended['failed']} failed, {ended['skipped']} skipped"
    pages, seconds = result["total_pages_processed"], result["duration_seconds"]
    rate = result["statistics"]["pages_per_second"]
    pace = (
        "" if result.get("dry_run") else f"; {count(pages, 'page')} in {clock(seconds)} ({rate:.1f} pages/s)"
    )
    waiting = f", {left} left" if left else ""
    return (
        f"{verb}{reason}: {count(result['total_files'], 'file')} ({files}{waiting}){pace}{_troubles(result)}"
    )


def _troubles(result: Mapping[str, Any]) -> str:
    return "".join(f", {trouble}" for trouble in troubles(result["statistics"]))


def troubles(statistics: Mapping[str, Any]) -> list[str]:
    """What had to be done again or anew, where anything had."""
    kinds = (
        ("retries", "retry", "retries"),
        ("worker_restarts", "restarted process", "restarted processes"),
        ("cleanups", "process replaced for its memory", "processes replaced for their memory"),
    )
    return [count(statistics[name], *words) for name, *words in kinds if statistics[name]]


def blame(statistics: Mapping[str, Any]) -> str:
    """Whose fault the failures are."""
    by_input, by_worker = statistics["failed_by_input"], statistics["failed_by_worker"]
    return f"{count(by_input, 'failure')} of inputs, {count(by_worker, 'failure')} of ours or of this machine"


def _failures(result: Mapping[str, Any]) -> Iterator[str]:
    failed = result.get("failed") or []
    if counts(result)["failed"]:
        yield blame(result["statistics"])
    for entry in failed[:MOST_NAMED]:
        yield f"  {shown(entry['file'])}: {shown(entry['error'])} [{entry['code']}]"
    if len(failed) > MOST_NAMED:
        yield f"  … and {len(failed) - MOST_NAMED} more"
    for done in result.get("successful") or ():
        if bad := done.get("failed_pages"):
            pages = ", ".join(str(page["page"]) for page in bad)
            yield f"  {shown(done['file'])}: done, but for {'page' if len(bad) == 1 else 'pages'} {pages}"
    if unlisted := result.get("counts", {}).get("completed_with_errors"):
        yield f"Of {count(unlisted, 'file')} that were done some pages failed; the manifest names them."


def _what_next(job_id: JobId, result: Mapping[str, Any]) -> Iterator[str]:
    if result.get("manifest"):
        yield f"Manifest: {shown(result['manifest'])}"
    if result.get("dry_run"):
        return
    if result["status"] != "completed":
        yield f"Go on with: {command_line('batch', '--resume', '--batch-id', job_id)}"
    if counts(result)["failed"]:
        yield f"Try the failed files again with: {command_line('retry', job_id)}"
