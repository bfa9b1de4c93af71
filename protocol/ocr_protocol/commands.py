"""What a host may say: one closed model per command, and the table of them by name."""

from __future__ import annotations

from typing import Annotated, Literal, Union

from pydantic import BaseModel, Field

from ocr_protocol.fields import CLOSED, LIST, WirePath
from ocr_protocol.options import BatchOptions

CommandId = Union[str, Annotated[int, Field(ge=-(2**63), le=2**63 - 1)], None]
JobId = Annotated[str, Field(min_length=1, max_length=200)]
JobState = Literal[
    "queued", "running", "paused", "completed", "cancelled", "stopped", "interrupted", "failed"
]

DEFAULT_EVENT_BYTES = 2**20
"""Longer lines are no promise to hosts: lists give way to counts above this."""
CLIENT_CHARACTERS = 200

_JOB_ID = "a job's id"
_ANY_JOB_ID = "a job's id, or absent for all of them"
_INDEX = "an integer from 0"
_LIMIT = "an integer from 1 to 1,000"
_PASSWORDS = "an object of paths and their passwords as strings"


class _Command(BaseModel):
    model_config = CLOSED

    id: CommandId = Field(None, description="a string or a 64-bit integer")


class ClientInfo(BaseModel):
    """The program that speaks to the worker; its jobs keep its name."""

    model_config = CLOSED

    name: str = Field(max_length=CLIENT_CHARACTERS, description="a string of up to 200 characters")
    version: str | None = Field(None, max_length=200, description="a string of up to 200 characters")


class Hello(_Command):
    """Open a session: versions and abilities of the worker, habits of the host."""

    command: Literal["hello"] = "hello"
    protocol: Annotated[tuple[Annotated[int, Field(ge=1, le=2**31)], ...], LIST] = Field(
        (1,), description="a non-empty list of the protocol versions the host speaks"
    )
    parent_pid: Annotated[int, Field(ge=1, lt=2**32)] | None = Field(
        None, description="the number of the process to live and die with"
    )
    client: ClientInfo | None = Field(None, description="an object with name and version")
    heartbeat_seconds: float | None = Field(
        None, ge=0.1, le=86_400, description="a number of seconds from 0.1 to 86,400"
    )
    progress_hz: float = Field(10.0, gt=0, le=10, description="a number above 0, up to 10")
    summary_result: bool = Field(default=False, description="true or false")
    max_event_bytes: int = Field(
        DEFAULT_EVENT_BYTES, ge=4096, le=2**30, description="an integer from 4,096 to 1,073,741,824"
    )
    on_stdin_end: Literal["finish", "shutdown"] = Field("finish", description="finish or shutdown")
    host_timeout_seconds: float | None = Field(
        None, ge=1, le=86_400, description="a number of seconds from 1 to 86,400"
    )


class OcrBatch(_Command):
    """Recognise files and write their outputs into a folder."""

    command: Literal["ocr_batch"] = "ocr_batch"
    # A path that no file can have is that file's failure, not the batch's.
    files: Annotated[tuple[str, ...], LIST] = Field(description="a non-empty list of paths")
    output_dir: WirePath = Field(description="the path of a folder")
    options: BatchOptions = Field(default_factory=BatchOptions, description="an object of options")
    priority: int = Field(
        0, ge=-1_000_000, le=1_000_000, description="an integer from -1,000,000 to 1,000,000"
    )


class Cancel(_Command):
    """Stop a job, or every active one; what is finished stays."""

    command: Literal["cancel"] = "cancel"
    job_id: JobId | None = Field(None, description=_ANY_JOB_ID)


class Pause(_Command):
    """Start no further page of a job, or of every running one."""

    command: Literal["pause"] = "pause"
    job_id: JobId | None = Field(None, description=_ANY_JOB_ID)


class Resume(_Command):
    """Go on with a paused job, or reopen one that was interrupted, cancelled or stopped."""

    command: Literal["resume"] = "resume"
    job_id: JobId | None = Field(None, description=_ANY_JOB_ID)
    passwords: dict[WirePath, str] = Field(default_factory=dict, repr=False, description=_PASSWORDS)


class RetryFailed(_Command):
    """Run the failed files of an ended job again."""

    command: Literal["retry_failed"] = "retry_failed"
    job_id: JobId = Field(description=_JOB_ID)
    passwords: dict[WirePath, str] = Field(default_factory=dict, repr=False, description=_PASSWORDS)


class ListJobs(_Command):
    """List the jobs of the store."""

    command: Literal["list_jobs"] = "list_jobs"
    state: JobState | None = Field(
        None,
        description="queued, running, paused, completed, cancelled, stopped, interrupted or failed",
    )
    client: str | None = Field(None, max_length=CLIENT_CHARACTERS, description="the name of a client")
    offset: int = Field(0, ge=0, le=2**53, description=_INDEX)
    limit: int = Field(1000, ge=1, le=1000, description=_LIMIT)


class GetJob(_Command):
    """Show one job and a page of its files."""

    command: Literal["get_job"] = "get_job"
    job_id: JobId = Field(description=_JOB_ID)
    offset: int = Field(0, ge=0, le=2**53, description=_INDEX)
    limit: int = Field(1000, ge=1, le=1000, description=_LIMIT)


class DeleteJob(_Command):
    """Forget a job that does not run; its outputs stay."""

    command: Literal["delete_job"] = "delete_job"
    job_id: JobId = Field(description=_JOB_ID)


class Inspect(_Command):
    """Say what a file is, without recognition."""

    command: Literal["inspect"] = "inspect"
    file: WirePath = Field(description="the path of a file")
    password: str | None = Field(None, repr=False, description="a string")


class Ping(_Command):
    """Ask for a sign of life."""

    command: Literal["ping"] = "ping"


class Shutdown(_Command):
    """End the worker: after the accepted work (drain), or at once (now)."""

    command: Literal["shutdown"] = "shutdown"
    mode: Literal["drain", "now"] = Field("drain", description="drain or now")


Command = Union[
    Hello,
    OcrBatch,
    Cancel,
    Pause,
    Resume,
    RetryFailed,
    ListJobs,
    GetJob,
    DeleteJob,
    Inspect,
    Ping,
    Shutdown,
]

CommandName = Literal[
    "hello",
    "ocr_batch",
    "cancel",
    "pause",
    "resume",
    "retry_failed",
    "list_jobs",
    "get_job",
    "delete_job",
    "inspect",
    "ping",
    "shutdown",
]

COMMANDS: dict[CommandName, type[Command]] = {
    "hello": Hello,
    "ocr_batch": OcrBatch,
    "cancel": Cancel,
    "pause": Pause,
    "resume": Resume,
    "retry_failed": RetryFailed,
    "list_jobs": ListJobs,
    "get_job": GetJob,
    "delete_job": DeleteJob,
    "inspect": Inspect,
    "ping": Ping,
    "shutdown": Shutdown,
}
