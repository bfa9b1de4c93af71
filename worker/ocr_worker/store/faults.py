"""What a fault of the machine or of the store means to a user."""

from __future__ import annotations

import logging
import sqlite3

from ocr_worker.errors import (
    BusyError,
    InternalError,
    NoSpaceError,
    OcrError,
    OutputPermissionError,
    exhausted,
    no_space,
)

log = logging.getLogger(__name__)


def meaning(error: BaseException, place: str = "") -> OcrError | None:
    """The error to tell; None if nothing is known of this one, which is then a fault of ours.

    Args:
        error: caught where anything may have failed. An OcrError is told as it is.
        place: what was written to; by default the file that the error names, or the state folder.
    """
    if isinstance(error, OcrError):
        return error
    if isinstance(error, sqlite3.Error):
        return _of_store(error)
    return no_space(error, place or getattr(error, "filename", None) or "the state folder") or exhausted(
        error
    )


def told(error: Exception) -> Exception:
    """The same with the log told as well; the error itself where it is a fault of ours, for who catches everything."""
    ours = meaning(error)
    if ours is None or ours is error:
        return error
    log.error("%s", ours.message, exc_info=error)
    ours.__cause__ = error
    return ours


def _of_store(error: sqlite3.Error) -> OcrError:
    if "full" in str(error):
        return NoSpaceError("There is no space left for the state folder. Make room and try again.")
    if "locked" in str(error):
        return BusyError("Another program has the job store locked. Try again later.")
    if isinstance(error, sqlite3.OperationalError):
        return OutputPermissionError(
            f"The state folder can't be used ({error}). Repair it, or set OCR_WORKER_STATE_DIR to another folder."
        )
    return InternalError(
        f"The store of jobs is damaged ({error}). Move jobs.sqlite3 away; jobs that it holds can't be resumed."
    )
