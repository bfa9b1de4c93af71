"""All errors that users see: one root class, one class for each code, and what follows from a code.

`FAILURES` is the only list of codes: scope, blame, retry and exit code of each.
"""

from __future__ import annotations

import errno
import os
import struct
import zlib
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
"""What has to change: the input or its options, the machine (disk, folders, packages), this program, or the call."""
Retry = Literal["never", "later", "at_once", "alone"]
"""Whether a retry may help: of the job later, of the page at once, or at once and, after running out of memory, alone."""


@dataclass(frozen=True, slots=True)
class FailureKind:
    """What follows from a code."""

    scope: Scope
    blame: Blame
    retry: Retry = "never"
    exit_code: int = 3
    """Of a command that ends with this error; docs/cli.md lists them."""

    @property
    def retryable(self) -> bool:
        """The same request may succeed later, or elsewhere."""
        return self.retry != "never"

    @property
    def may_pass(self) -> bool:
        """A retry of the job may help, at least once the machine was put right: of an input that stays as it is, never."""
        return self.retryable or self.blame == "machine"


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
    "node_lost": FailureKind("page", "machine", "later"),
    "cluster_insecure": FailureKind("file", "machine"),
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
    """The root of all errors: a code for programs, a sentence for users, and whether a retry may help.

    Attributes:
        message: what happened, to which file, and what to do.
        details: more for programs, such as `field` or `missing`.
    """

    code: str = "internal"
    """Of the wire; docs/errors.md lists them."""

    def __init__(self, message: str, **details: object) -> None:
        self.message: str = sayable(message)
        super().__init__(self.message)
        self.details: dict[str, object] = details

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later, or elsewhere."""
        return FAILURES[self.code].retryable

    @property
    def exit_code(self) -> int:
        """The exit code of a command that ends with this error."""
        return FAILURES[self.code].exit_code

    def to_fields(self) -> dict[str, Any]:
        """`code`, `message` and `retryable`, as the wire, the store and results have them."""
        return {"code": self.code, "message": self.message, "retryable": self.retryable}


def error_of(code: str, message: str) -> OcrError:
    """The error of a code, of the class that is named after it; of OcrError itself where there is none."""
    error = next((kind for kind in OcrError.__subclasses__() if kind.code == code), OcrError)(message)
    error.code = code
    return error


def sayable(text: str) -> str:
    """Make text printable: bytes of a name that are not UTF-8 are replaced."""
    try:
        return os.fsencode(text).decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text


class NotFoundError(OcrError):
    """There is no such file or page."""

    code = "not_found"


class NotRegularError(OcrError):
    """The path is a folder, a pipe or a device, or leads over a link where links are not followed."""

    code = "not_regular"


class LinkedError(NotRegularError):
    """The path leads over a link where links are not followed."""


class PermissionDeniedError(OcrError):
    """The file may not be read."""

    code = "permission"


class LockedError(OcrError):
    """Another program holds the file."""

    code = "locked"


class UnreachableError(OcrError):
    """The disk or share does not answer."""

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
    """The file has no bytes."""

    code = "empty"


class UnsupportedTypeError(OcrError):
    """The content is of no supported type, whatever the name says."""

    code = "unsupported_type"


class CorruptError(OcrError):
    """The file is damaged beyond repair."""

    code = "corrupt"


class EncryptedError(OcrError):
    """The PDF needs a password, or a certificate."""

    code = "encrypted"


class BadPasswordError(OcrError):
    """The password is wrong."""

    code = "bad_password"


class SignedError(OcrError):
    """A text layer would break the digital signature."""

    code = "signed"


class XfaError(OcrError):
    """A dynamic XFA form has no pages to read."""

    code = "xfa"


class TooLargeError(OcrError):
    """The page or image is larger than `max_pixels`, or takes too much memory."""

    code = "too_large"


class NoPagesError(OcrError):
    """The document has no pages."""

    code = "no_pages"


class PageTimeoutError(OcrError):
    """The page took longer than allowed."""

    code = "timeout"


class EngineError(OcrError):
    """The OCR engine failed on this page."""

    code = "engine"


class EngineMissingError(OcrError):
    """The OCR engine is not installed."""

    code = "engine_missing"


class LanguageMissingError(OcrError):
    """Data for a language is not installed."""

    code = "language_missing"


class OutputPermissionError(OcrError):
    """The output or state folder cannot be written."""

    code = "output_permission"


class OutputExistsError(OcrError):
    """Something that may not be replaced is in the output's place."""

    code = "output_exists"


class OutputConflictError(OcrError):
    """The output would replace the input."""

    code = "output_conflict"


class NoSpaceError(OcrError):
    """The disk is full, or a quota is used up."""

    code = "no_space"


def no_space(error: BaseException, place: object) -> NoSpaceError | None:
    """The error to raise for a full disk or a used-up quota; None for any other cause."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return NoSpaceError(f"No space left for {place}. Make room and try again.")
    return None


def exhausted(error: BaseException) -> BusyError | None:
    """The error to raise where the machine has nothing left of what it limits; None for any other cause."""
    if isinstance(error, OSError) and error.errno in _USED_UP:
        why = str(error.strerror)
    elif isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _NO_THREAD in str(error)):
        why = str(error) or "no memory"
    else:
        return None
    return BusyError(
        f"This machine has too little left ({why}). Close other programs or raise the limit, then try again."
    )


_OF_DATA = (
    ValueError, LookupError, ArithmeticError, RuntimeError, EOFError, SyntaxError, struct.error, zlib.error,
)  # fmt: skip
_NO_THREAD = "can't start new thread"
_USED_UP = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}
_READERS = {"pikepdf", "pypdfium2", "PIL", "img2pdf", "pdf2image"}


def is_of_data(error: BaseException) -> bool:
    """Whether this is what a damaged file makes a library raise, and not a fault in how we call it."""
    return isinstance(error, _OF_DATA) or type(error).__module__.partition(".")[0] in _READERS


class ChangedError(OcrError):
    """The file changed while it was read."""

    code = "changed"


class BadNameError(OcrError):
    """No file can have this path."""

    code = "bad_name"


class CrashedError(OcrError):
    """The page process died on every try."""

    code = "crashed"


class NodeLostError(OcrError):
    """The machine that read the page is gone, or its cluster; the page is not to blame."""

    code = "node_lost"


class ClusterInsecureError(OcrError):
    """It would take TLS to send this to a cluster."""

    code = "cluster_insecure"


class InvalidParamsError(OcrError):
    """An argument is missing, unknown or invalid; `details["field"]` names it."""

    code = "invalid_params"


class UnsupportedError(OcrError):
    """This worker does not speak the protocol version that was asked for."""

    code = "unsupported"


class BusyError(OcrError):
    """Too many jobs wait, or the store is in use; try again later."""

    code = "busy"


class JobNotFoundError(OcrError):
    """There is no job with this id."""

    code = "job_not_found"


class JobActiveError(OcrError):
    """The job is still running, here or in another process."""

    code = "job_active"


class InternalError(OcrError):
    """A bug in OCR Sidecar."""

    code = "internal"
