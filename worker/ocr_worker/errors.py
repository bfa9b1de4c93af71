"""Our own errors: one root, the class carries the wire's code, the message names the thing and the way out."""

from __future__ import annotations

import errno
import os
import struct
import zlib

_FULL = {errno.ENOSPC, errno.EDQUOT}


class OcrError(Exception):
    """Something a user can be told: a code of the wire, a plain sentence, and whether another try may help."""

    code = "internal"
    retryable = False

    def __init__(self, message: str, **details: object) -> None:
        self.message = sayable(message)
        super().__init__(self.message)
        self.details = details


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
    retryable = True


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
    retryable = True


class EngineError(OcrError):
    code = "engine"
    retryable = True


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
    retryable = True


def no_space(error: BaseException, place: object) -> NoSpaceError | None:
    """What to raise when it was a full disk, or a used-up quota, that an error tells of; None for any other."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return NoSpaceError(f"No space left for {place}. Make room and try again.")
    return None


_OF_DATA = (
    ValueError, LookupError, ArithmeticError, RuntimeError, EOFError, SyntaxError, struct.error, zlib.error,
)  # fmt: skip
_READERS = {"pikepdf", "pypdfium2", "PIL", "img2pdf", "pdf2image"}


def is_of_data(error: BaseException) -> bool:
    """Whether this is what a damaged file makes a library raise, and not a fault in how we call it."""
    return isinstance(error, _OF_DATA) or type(error).__module__.partition(".")[0] in _READERS


class ChangedError(OcrError):
    code = "changed"
    retryable = True


class BadNameError(OcrError):
    code = "bad_name"


class CrashedError(OcrError):
    code = "crashed"
    retryable = True


class InvalidParamsError(OcrError):
    code = "invalid_params"


class UnsupportedError(OcrError):
    code = "unsupported"


class BusyError(OcrError):
    code = "busy"
    retryable = True


class JobNotFoundError(OcrError):
    code = "job_not_found"


class JobActiveError(OcrError):
    code = "job_active"


class InternalError(OcrError):
    code = "internal"
