"""What is done when a run of a job has ended: the summary or the JSON, the hook, the exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ocr_worker.cli import exit_codes
from ocr_worker.cli.display import answer, say
from ocr_worker.cli.hooks import tell
from ocr_worker.cli.options import RunOptions, answer_json, json_text
from ocr_worker.cli.summary import summary
from ocr_worker.cli.terminal_text import shown
from ocr_worker.model.jobs import JobId


def end_run(options: RunOptions, job_id: JobId, result: dict[str, Any], interrupted_by: int | None) -> int:
    """Say how a run ended; its exit code."""
    result = {"job_id": job_id, **result}
    if options.as_json:
        answer_json(result)
    elif not options.quiet or result["status"] != "completed":
        answer(summary(job_id, result))
    _tell(options.on_finish, result)
    return exit_codes.of_result(result, interrupted_by)


@contextmanager
def breaks_told(options: RunOptions) -> Iterator[None]:
    """See that the hook hears of a run that breaks, which has no result."""
    try:
        yield
    except exit_codes.BatchBrokenError as error:
        told = {"code": error.code, "message": error.message}
        _tell(options.on_finish, {"job_id": error.job_id, "status": "failed", "error": told})
        raise


def _tell(target: str | None, content: dict[str, Any]) -> None:
    if target is not None and (trouble := tell(target, json_text(content).encode("ascii"))):
        say(shown(trouble))
