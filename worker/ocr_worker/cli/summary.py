"""The text after a batch: what was done, what failed, and which command goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ocr_worker.cli.own_words import told
from ocr_worker.cli.terminal_text import clock, command_line, count, shown
from ocr_worker.errors import FAILURES
from ocr_worker.model.results import BatchResult, FileResult, Rehearsal, Statistics
from ocr_worker.settings import MIB

MOST_NAMED = 20
"""Most files of one kind, failed or with notes, that are listed by name."""
MOST_REASONS = 3
"""Most pages of a file of which it is said why they failed."""
MOST_OUTPUTS = 3
"""Most files whose outputs are listed; for more, only the folder is."""


def summary(result: BatchResult) -> str:
    """The text after a batch."""
    found = _rehearsed(result.successful) if result.dry_run else ()
    return "\n".join(
        [*found, _outcome(result), *_failures(result), *_locked(result), *_notes(result), *_what_next(result)]
    )


def troubles(statistics: Statistics) -> list[str]:
    """Retries and restarts, if there were any."""
    kinds = (
        (statistics.retries, "retry", "retries"),
        (statistics.worker_restarts, "restarted process", "restarted processes"),
        (statistics.cleanups, "process replaced for its memory", "processes replaced for their memory"),
    )
    return [count(number, *words) for number, *words in kinds if number]


def blame(statistics: Statistics) -> str:
    """How many failures are due to inputs, and how many to the program or machine."""
    by_input, by_worker = statistics.failed_by_input, statistics.failed_by_worker
    return f"{count(by_input, 'failure')} of inputs, {count(by_worker, 'failure')} of the program or this machine"


def is_refused(done: FileResult) -> bool:
    """Whether a dry run found a language or engine missing."""
    return done.rehearsal is not None and bool(done.rehearsal.survey["refused"])


def _outcome(result: BatchResult) -> str:
    ended = result.counts
    left = result.total_files - ended.successful - ended.failed - ended.skipped
    verb = {"completed": "Done", "cancelled": "Cancelled", "stopped": "Stopped"}[result.status]
    reason = {
        "error_threshold": " because too many files failed",
        "no_space": " because the disk is full",
    }.get(result.reason or "", "")
    checked = "would be recognised" if result.dry_run else "ok"
    noted = sum(bool(done.warnings) for done in result.successful)
    notes = f", {noted} of them with notes" if noted and not result.dry_run else ""
    files = f"{ended.successful} {checked}{notes}, {ended.failed} failed, {ended.skipped} skipped"
    pages, rate = count(result.total_pages_processed, "page"), result.statistics.pages_per_second
    pace = "" if result.dry_run else f"; {pages} in {clock(result.duration_seconds)} ({rate:.1f} pages/s)"
    waiting = f", {left} left" if left else ""
    trouble = "".join(f", {trouble}" for trouble in troubles(result.statistics))
    return f"{verb}{reason}: {count(result.total_files, 'file')} ({files}{waiting}){pace}{trouble}"


def _failures(result: BatchResult) -> Iterator[str]:
    if result.counts.failed:
        yield blame(result.statistics)
    for done in result.failed[:MOST_NAMED]:
        assert done.error is not None
        yield f"  {shown(done.file)}: {told(done.error.message)} [{done.error.code}]"
    if len(result.failed) > MOST_NAMED:
        yield f"  … and {len(result.failed) - MOST_NAMED} more"
    for done in result.successful:
        if bad := done.failed_pages:
            pages = ", ".join(str(page.page) for page in bad)
            yield f"  {shown(done.file)}: done, but for {'page' if len(bad) == 1 else 'pages'} {pages}"
            yield from (f"    page {page.page}: {told(page.error)}" for page in bad[:MOST_REASONS])
    if not result.lists_files and (unlisted := result.counts.completed_with_errors):
        yield f"Of {count(unlisted, 'file')} that were done some pages failed; the manifest names them."


def _locked(result: BatchResult) -> Iterator[str]:
    """Skipped files of which nothing was made: the others were up to date, or twice in the batch."""
    locked = [done for done in result.skipped if done.reason == "locked"]
    for done in locked[:MOST_NAMED]:
        yield f"  {shown(done.file)}: skipped, as another program has it open; close it there and give it again"
    if (more := len(locked) - MOST_NAMED) > 0:
        yield f"  … and {count(more, 'more locked file')}"


def _notes(result: BatchResult) -> Iterator[str]:
    """What may be wrong with files that were done: who has not watched is to see it too."""
    if result.dry_run:
        return
    noted = [done for done in result.successful if done.warnings]
    for done in noted[:MOST_NAMED]:
        yield from (f"  {shown(done.file)}: note: {told(text)}" for text in done.warnings or ())
    if (more := len(noted) - MOST_NAMED) > 0:
        yield f"  … and notes on {count(more, 'more file')}; their _ocr_results.json have them"


def _outputs(result: BatchResult) -> Iterator[str]:
    """Where to look for what was made."""
    made = [done.outputs for done in result.successful if done.outputs and not result.dry_run]
    if 0 < len(made) <= MOST_OUTPUTS:
        yield from ("Written: " + ", ".join(map(shown, outputs.values())) for outputs in made)
    elif made:
        yield f"Written into {shown(Path(next(iter(made[0].values()))).parent)}"


def _what_next(result: BatchResult) -> Iterator[str]:
    yield from _outputs(result)
    if result.manifest:
        yield f"Manifest: {shown(result.manifest)}"
    if result.dry_run:
        return
    if result.status != "completed":
        yield f"Go on with: {command_line('batch', '--resume', '--batch-id', result.job_id)}"
    if _may_pass(result):
        yield f"Retry the failed files with: {command_line('retry', result.job_id)}"


def _may_pass(result: BatchResult) -> bool:
    """Whether any of the failed files may be done by a retry; of so many that they are not listed some may."""
    codes = [done.error.code for done in result.failed if done.error]
    return any(FAILURES[code].may_pass for code in codes) or bool(
        result.counts.failed and not result.lists_files
    )


def _rehearsed(good: Sequence[FileResult]) -> Iterator[str]:
    """The results of a dry run: a line for each good file, and the totals."""
    plans = [(done, done.rehearsal) for done in good if done.rehearsal is not None]
    for done, plan in plans:
        yield f"  {shown(done.file)}: {_facts(done, plan)} → {shown(done.output)}"
        yield from (f"    note: {told(text)}" for text in done.warnings or ())
    if plans:
        yield _needs([plan for _, plan in plans])
    for sentence in dict.fromkeys(
        plan.survey["refused"]["message"] for done, plan in plans if is_refused(done)
    ):
        yield f"It would be refused: {told(sentence)}"


def _facts(done: FileResult, plan: Rehearsal) -> str:
    survey = plan.survey
    with_text = survey["pages_with_text"]
    traits = [trait for trait in ("encrypted", "signed") if survey[trait]]
    form = [] if survey["form"] == "none" else [f"{survey['form']} form"]
    text = [f"{with_text} with text already"] if with_text else []
    pixels = survey["largest_page_pixels"]
    size = [f"up to {pixels[0]} x {pixels[1]} pixels"] if pixels else []
    missing = [f"no data for {code}" for code, there in survey["languages"].items() if not there]
    pages = count(done.pages or 0, "page")
    return ", ".join([survey["type"], pages, *size, *text, *traits, *form, *missing])


def _needs(plans: Sequence[Rehearsal]) -> str:
    space, free = sum(plan.needed_bytes for plan in plans) / MIB, plans[0].free_bytes / MIB
    estimates = [plan.estimated_seconds for plan in plans if plan.estimated_seconds is not None]
    if len(estimates) < len(plans):
        time = "how long it takes is known after the first batch on this machine"
    else:
        time = f"about {clock(sum(estimates))} by this machine's rate so far"
    return f"Needs about {space:,.1f} of {free:,.0f} MiB that are free; {time}."
