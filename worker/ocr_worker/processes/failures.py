"""What the pool says of a task whose process gave no answer."""

from __future__ import annotations

from ocr_worker.errors import CrashedError, OcrError, PageTimeoutError, TooLargeError, UnreachableError
from ocr_worker.model.tasks import Failure

MOST_SAID = 300


def too_late(limit_seconds: float) -> Failure:
    late = f"no result within {limit_seconds:g} seconds; allow more time, or lower `dpi`"
    return _failure(PageTimeoutError(late))


def stuck() -> Failure:
    """Of a process that the system does not end: it waits in the kernel, for what will not answer."""
    return _failure(
        UnreachableError("it can't be reached now: its disk or share does not answer; try again when it does")
    )


def too_much(excess: str) -> Failure:
    return _failure(TooLargeError(f"the page's process took more than {excess}; lower `dpi` or `max_pixels`"))


def none_started(why: str) -> Failure:
    return _failure(
        CrashedError(f"no page process can be started ({why}); close other programs, then try again")
    )


def crash(how: str, signal_name: str | None = None) -> Failure:
    way_out = "try again with more memory free, or take the page out of the file"
    details = {"signal": signal_name} if signal_name else {}
    return _failure(CrashedError(f"the page's process {how}; {way_out}", **details))


def wordless(how: str, last_words: str) -> Failure:
    """Of a process that never answered: what it said on stderr tells more than how it ended."""
    said = last_words[-MOST_SAID:] or "none"
    return _failure(CrashedError(f"the page's process {how} before its first answer; its last words: {said}"))


def _failure(error: OcrError) -> Failure:
    return Failure(error.code, error.message, error.retryable, error.details)
