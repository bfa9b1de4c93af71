"""The error codes of the wire, and which of them another try may cure."""

from __future__ import annotations

from typing import Literal

FileCode = Literal[
    "not_found",
    "not_regular",
    "permission",
    "locked",
    "unreachable",
    "empty",
    "unsupported_type",
    "corrupt",
    "encrypted",
    "bad_password",
    "signed",
    "xfa",
    "too_large",
    "no_pages",
    "timeout",
    "engine",
    "engine_missing",
    "language_missing",
    "output_permission",
    "output_exists",
    "output_conflict",
    "no_space",
    "changed",
    "bad_name",
    "crashed",
    "node_lost",
    "cluster_insecure",
    "cancelled",
    "internal",
]
"""What can befall a page, a file or a batch."""

CommandCode = Literal[
    "parse_error",
    "invalid_params",
    "unknown_command",
    "line_too_long",
    "unsupported",
    "busy",
    "job_not_found",
    "job_active",
]
"""Why a command is refused."""

ErrorCode = Literal[FileCode, CommandCode]

RETRYABLE: frozenset[ErrorCode] = frozenset(
    {"locked", "unreachable", "timeout", "engine", "no_space", "changed", "crashed", "node_lost", "busy"}
)
