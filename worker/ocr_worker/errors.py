"""Our own errors: one root, the class carries the wire's code, the message names the thing and the way out.

`FAILURES` says of each code what follows from it; nobody else keeps a list of codes.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import Any, Literal

_FULL = {errno.ENOSPC, errno.EDQUOT}
_AWAY = {
    getattr(errno, name)
    for name in (
        "EIO", "ESTALE", "ETIMEDOUT", "EREMOTEIO", "ENOLINK", "ENONET", "ECOMM", "EPROTO", "EREMCHG", "ENOMEDIUM",
        "ENETDOWN", "ENETUNREACH", "ENETRESET", "EHOSTDOWN", "EHOSTUNREACH", "ENOTCONN", "ESHUTDOWN", "EPIPE",
        "ECONNREFUSED", "ECONNABORTED", "ECONNRESET", "EKEYEXPIRED", "EKEYREVOKED", "EKEYREJECTED", "EOWNERDEAD",
    )
    if hasattr(errno, name)
}  # fmt: skip
"""A disk, a share or its server does not answer. Not all systems know all of them."""
_AWAY_ON_WINDOWS = {
    21,
    23,
    51,
    53,
    54,
    55,
    58,
    59,
    64,
    67,
    121,
    1117,
    1167,
    1222,
    1231,
    1232,
    1236,
    1237,
    1256,
}
"""Not ready, data error, network path, name or session gone, semaphore timeout, device error, host unreachable."""
_SHARED_ON_WINDOWS = {32, 33}
"""ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION: Python tells them as EACCES."""

Scope = Literal["page", "file", "job", "command"]
"""What is lost: the page, the whole file, the run of the job, or the command that was refused."""
Blame = Literal["input", "machine", "worker", "caller"]
"""What has to change: the input or its options, the machine (disk, folders, what is installed), this program, the call."""
Retry = Literal["never", "later", "at_once", "alone"]
"""Whether another try may help: of the job later, of the page at once, or at once and, if it ran out of memory, alone."""


@dataclass(frozen=True, slots=True)
class FailureKind:
    """What follows from a code."""

    scope: Scope
    blame: Blame
    retry: Retry = "never"
    exit_code: int = 3
    """Of a command that ends with it; docs/cli.md lists them."""

    @property
    def retryable(self) -> bool:
        """The same request may succeed later, or elsewhere."""
        return self.retry != "never"


FAILURES: dict[str, FailureKind] = {
    "not_found": FailureKind("file", "input"),
    "not_regular": FailureKind("file", "input"),
    "permission": FailureKind("file", "input"),
    "locked": FailureKind("file", "input", "later"),
    "unreachable": FailureKind("file", "machine", "later"),
    "empty": FailureKind("file", "input"),
    "unsupported_type": FailureKind("page", "input"),
    "corrupt": FailureKind("page", "input"),
    "encrypted": FailureKind("file", "input"),
    "bad_password": FailureKind("file", "input"),
    "signed": FailureKind("file", "input"),
    "xfa": FailureKind("file", "input"),
    "too_large": FailureKind("page", "input"),
    "no_pages": FailureKind("file", "input"),
    "timeout": FailureKind("page", "worker", "later"),
    "engine": FailureKind("page", "worker", "at_once"),
    "engine_missing": FailureKind("file", "machine"),
    "language_missing": FailureKind("file", "machine"),
    "output_permission": FailureKind("file", "machine"),
    "output_exists": FailureKind("file", "machine"),
    "output_conflict": FailureKind("file", "input"),
    "no_space": FailureKind("job", "machine", "later"),
    "changed": FailureKind("file", "input", "later"),
    "bad_name": FailureKind("file", "input"),
    "crashed": FailureKind("page", "worker", "alone"),
    "cancelled": FailureKind("job", "caller", exit_code=130),
    "internal": FailureKind("page", "worker", exit_code=70),
    "parse_error": FailureKind("command", "caller"),
    "invalid_params": FailureKind("command", "caller", exit_code=2),
    "unknown_command": FailureKind("command", "caller"),
    "line_too_long": FailureKind("command", "caller"),
    "unsupported": FailureKind("command", "caller"),
    "busy": FailureKind("command", "machine", "later"),
    "job_not_found": FailureKind("command", "caller"),
    "job_active": FailureKind("command", "caller"),
}
"""By the codes of the wire, in the order of docs/errors.md."""


class OcrError(Exception):
    """Something a user can be told: a code of the wire, a plain sentence, and whether another try may help."""

    code = "internal"

    def __init__(self, message: str, **details: object) -> None:
        self.message = sayable(message)
        super().__init__(self.message)
        self.details = details

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later, or elsewhere."""
        return FAILURES[self.code].retryable

    @property
    def exit_code(self) -> int:
        """Of a command that ends with it."""
        return FAILURES[self.code].exit_code

    def to_fields(self) -> dict[str, Any]:
        """`code`, `message` and `retryable`, as the wire, the store and results have them."""
        return {"code": self.code, "message": self.message, "retryable": self.retryable}


def sayable(text: str) -> str:
    """Fit for sentences: bytes of a name that are not UTF-8 are replaced."""
    try:
        return os.fsencode(text).decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text


class NotFoundError(OcrError):
    code = "not_found"


class NotRegularError(OcrError):
    code = "not_regular"


class PermissionDeniedError(OcrError):
    code = "permission"


class LockedError(OcrError):
    code = "locked"


class UnreachableError(OcrError):
    """The disk or share does not answer; what lies there may be as good as ever."""

    code = "unreachable"


def unreachable(error: BaseException, place: object) -> UnreachableError | None:
    """What to raise when it was a disk or share that does not answer; None for any other error."""
    if not isinstance(error, OSError):
        return None
    if getattr(error, "winerror", None) in _AWAY_ON_WINDOWS or error.errno in _AWAY:
        return UnreachableError(
            f"{place} can't be reached now: its disk or share does not answer ({error.strerror}). Try again when it does."
        )
    return None


def is_shared(error: BaseException) -> bool:
    """Whether Windows refused a file because another program has it open or has locked it."""
    return getattr(error, "winerror", None) in _SHARED_ON_WINDOWS


class EmptyFileError(OcrError):
    code = "empty"


class UnsupportedTypeError(OcrError):
    code = "unsupported_type"


class CorruptError(OcrError):
    code = "corrupt"


class EncryptedError(OcrError):
    code = "encrypted"


class BadPasswordError(OcrError):
    code = "bad_password"


class SignedError(OcrError):
    code = "signed"


class XfaError(OcrError):
    code = "xfa"


class TooLargeError(OcrError):
    code = "too_large"


class NoPagesError(OcrError):
    code = "no_pages"


class PageTimeoutError(OcrError):
    code = "timeout"


class EngineError(OcrError):
    code = "engine"


class EngineMissingError(OcrError):
    code = "engine_missing"


class LanguageMissingError(OcrError):
    code = "language_missing"


class OutputPermissionError(OcrError):
    code = "output_permission"


class OutputExistsError(OcrError):
    code = "output_exists"


class OutputConflictError(OcrError):
    code = "output_conflict"


class NoSpaceError(OcrError):
    code = "no_space"


def no_space(error: BaseException, place: object) -> NoSpaceError | None:
    """What to raise when it was a full disk, or a used-up quota, that an error tells of; None for any other."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return NoSpaceError(f"No space left for {place}. Make room and try again.")
    return None


class ChangedError(OcrError):
    code = "changed"


class BadNameError(OcrError):
    code = "bad_name"


class CrashedError(OcrError):
    code = "crashed"


class InvalidParamsError(OcrError):
    code = "invalid_params"


class UnsupportedError(OcrError):
    code = "unsupported"


class BusyError(OcrError):
    code = "busy"


class JobNotFoundError(OcrError):
    code = "job_not_found"


class JobActiveError(OcrError):
    code = "job_active"


class InternalError(OcrError):
    code = "internal"
