"""What can go wrong for a host: one root, with the code of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class OcrError(Exception):
    """A refusal or a failure that the worker told of.

    Attributes:
        code: of the wire, or one of this package: `worker_gone`, `unsendable`.
        message: what happened, for people.
        retryable: whether the same may succeed later.
        details: more for programs, such as `field`.
    """

    def __init__(
        self, code: str, message: str, *, retryable: bool = False, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.retryable = code, message, retryable
        self.details: dict[str, Any] = dict(details or {})


class WorkerGoneError(OcrError):
    """The worker ended, or could not be started, before it answered."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__("worker_gone", message, retryable=retryable)


class UnsendableError(OcrError):
    """A command that the worker could not read is not sent."""

    def __init__(self, message: str) -> None:
        super().__init__("unsendable", message)


def error_of(event: Mapping[str, Any]) -> OcrError:
    """The error that an event of the type `error` tells of."""
    data = event["data"]
    code, message = data.get("code", "internal"), data.get("message", "The worker does not say why")
    return OcrError(code, message, retryable=data.get("retryable", False), details=data.get("details"))
