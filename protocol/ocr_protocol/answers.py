"""What answers each command, in one table. Knows nothing of when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ocr_protocol.commands import CommandName


@dataclass(frozen=True, slots=True)
class Answer:
    """The one event that answers a command, if it is not an `error`."""

    type: Literal["info", "result"]
    kinds: tuple[str, ...]
    """One of these is its `data.kind`."""


ANSWERS: dict[CommandName, Answer] = {
    "hello": Answer("result", ("hello",)),
    "ocr_batch": Answer("info", ("accepted",)),
    "cancel": Answer("info", ("cancel",)),
    "pause": Answer("info", ("pause",)),
    "resume": Answer("info", ("resume", "accepted")),
    "retry_failed": Answer("info", ("accepted", "retry_failed")),
    "list_jobs": Answer("result", ("jobs",)),
    "get_job": Answer("result", ("job",)),
    "delete_job": Answer("result", ("deleted",)),
    "inspect": Answer("result", ("inspect",)),
    "ping": Answer("result", ("ping",)),
    "shutdown": Answer("info", ("shutdown",)),
}

OF_A_JOB = frozenset({"accepted", "paused", "file_started", "file_done", "batch", "job", "deleted"})
"""Kinds that always have a `job_id` beside their data."""
