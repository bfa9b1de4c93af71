"""The exit codes of commands; docs/cli.md lists them. `errors.FAILURES` has the code of each error."""

from __future__ import annotations

import signal

from ocr_worker.cli.summary import is_refused
from ocr_worker.errors import FAILURES, InvalidParamsError, OcrError
from ocr_worker.model.jobs import JobId
from ocr_worker.model.results import BatchResult

GOOD, SOME_FAILED, STOPPED = 0, 1, 4
USAGE, INTERNAL = FAILURES["invalid_params"].exit_code, FAILURES["internal"].exit_code
CANCELLED = FAILURES["cancelled"].exit_code


class UsageError(InvalidParamsError):
    """Invalid arguments or configuration."""


class EndedAtOnceError(OcrError):
    """The second Ctrl-C."""

    code = "cancelled"


class BatchBrokenError(OcrError):
    """A bug or the state folder ended the run; `code` says which. Finished files are kept."""

    def __init__(self, message: str, job_id: JobId, code: str) -> None:
        super().__init__(message)
        self.job_id, self.code = job_id, code

    @property
    def exit_code(self) -> int:
        return STOPPED


def of_result(result: BatchResult, interrupted_by: int | None) -> int:
    """The exit code of a batch that has ended."""
    if result.status == "cancelled":
        return 128 + (interrupted_by or signal.SIGINT)
    if result.status == "stopped":
        return STOPPED
    return SOME_FAILED if has_failures(result) else GOOD


def has_failures(result: BatchResult) -> bool:
    """Whether a file or page failed or, after a dry run, would fail."""
    failed = result.counts.failed or result.counts.completed_with_errors
    return bool(failed) or any(is_refused(done) for done in result.successful)
