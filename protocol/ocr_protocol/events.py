"""What the worker may say: four types of event, `info` and `result` further told apart by `data.kind`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Field

from ocr_protocol.codes import ErrorCode
from ocr_protocol.commands import CommandName
from ocr_protocol.jobs import (
    BatchStatus,
    Counts,
    EngineInfo,
    EventPath,
    FailedFile,
    FailedPage,
    Failure,
    FileStatus,
    Item,
    JobFile,
    JobSummary,
    Limits,
    PageReport,
    PdfForm,
    Rehearsed,
    SkippedFile,
    Statistics,
    SuccessfulFile,
    Text,
    WorkingOn,
)

MAX_NAME_CHARACTERS = 64
WorkerState = Literal["idle", "running", "paused", "draining"]


class ProgressData(Item):
    """Where a batch stands; `current` and `total` count pages of the whole batch."""

    current: int
    total: int
    message: Text
    percent: float
    file: EventPath | None = None
    file_index: int | None = None
    file_count: int | None = None
    page: int | None = None
    page_count: int | None = None
    completed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    elapsed_seconds: float | None = None
    eta_seconds: float | None = None
    pages_per_second: float | None = None
    nodes: int | None = None
    """Of a cluster, that pages go to; left out without one."""
    working: tuple[WorkingOn, ...] = ()


class Accepted(Item):
    """A batch, or a new run of one, was taken in: `file_count` files of `total_files` are to be done."""

    kind: Literal["accepted"] = "accepted"
    message: Text
    file_count: int
    total_files: int


class _Acknowledged(Item):
    kind: str
    message: Text
    jobs: tuple[str, ...] = ()


class CancelAcknowledged(_Acknowledged):
    """These jobs are being cancelled."""

    kind: Literal["cancel"] = "cancel"


class PauseAcknowledged(_Acknowledged):
    """These jobs start no more pages."""

    kind: Literal["pause"] = "pause"


class ResumeAcknowledged(_Acknowledged):
    """These paused jobs go on."""

    kind: Literal["resume"] = "resume"


class RetryAcknowledged(_Acknowledged):
    """The job has no failed files, so nothing was started."""

    kind: Literal["retry_failed"] = "retry_failed"


class ShutdownAcknowledged(_Acknowledged):
    """The worker is about to end."""

    kind: Literal["shutdown"] = "shutdown"


class Paused(Item):
    """A paused job is at rest: none of its pages is in work any more."""

    kind: Literal["paused"] = "paused"
    message: Text


class RefusedNode(Item):
    """A machine of the cluster that gets no pages, and why."""

    node: str
    code: str
    message: Text


class ClusterNews(Item):
    """Nodes of the cluster came, went, were refused or lost pages, which others read."""

    kind: Literal["cluster"] = "cluster"
    message: Text
    nodes: int
    slots: int
    lost_pages: int
    refused: tuple[RefusedNode, ...] = ()


class FileStarted(Item):
    """The first page of a file was given to a page process."""

    kind: Literal["file_started"] = "file_started"
    message: Text
    file: EventPath
    file_index: int
    page_count: int | None = None


class FileDone(Rehearsed):
    """A file has ended, one way or another."""

    kind: Literal["file_done"] = "file_done"
    message: Text
    file: EventPath
    status: FileStatus
    pages: int | None = None
    output: EventPath | None = None
    outputs: dict[str, EventPath] | None = None
    confidence: float | None = None
    error: Failure | None = None
    page: int | None = None
    failed_pages: tuple[FailedPage, ...] | None = None
    reason: str | None = None
    warnings: tuple[Text, ...] | None = None


class Heartbeat(Item):
    """The worker lives; sent only where `hello` asked for it."""

    kind: Literal["heartbeat"] = "heartbeat"
    message: Text
    state: WorkerState
    job_id: str | None = None
    file: EventPath | None = None
    page: int | None = None
    rss_bytes: int
    idle_seconds: float


class Warned(Item):
    """Something the user may want to know of, and that stops nothing."""

    kind: Literal["warning"] = "warning"
    message: Text
    file: EventPath | None = None


class ClusterInfo(Item):
    """Where pages go beside this machine's own processes."""

    address: str
    secure: bool
    on_no_nodes: Literal["local", "wait"]


class HelloData(Item):
    """What this worker is and can do."""

    kind: Literal["hello"] = "hello"
    protocol: int
    versions: dict[str, str]
    pid: int
    state_dir: EventPath
    commands: tuple[CommandName, ...]
    engines: tuple[EngineInfo, ...]
    languages: tuple[str, ...]
    limits: Limits
    schema_sha256: str
    cluster: ClusterInfo | None = None
    """The cluster that pages go to as well; left out without one."""


class BatchData(Item):
    """How a run of a job ended. `counts` stands for the lists where `summary_result` left them out."""

    kind: Literal["batch"] = "batch"
    status: BatchStatus
    reason: str | None = None
    dry_run: bool | None = None
    successful: tuple[SuccessfulFile, ...] | None = None
    failed: tuple[FailedFile, ...] | None = None
    skipped: tuple[SkippedFile, ...] | None = None
    counts: Counts | None = None
    total_files: int
    total_pages_processed: int
    duration_seconds: float
    statistics: Statistics
    manifest: EventPath | None = None


class JobsData(Item):
    """Jobs of the store from `offset` on; `total` counts all that match."""

    kind: Literal["jobs"] = "jobs"
    jobs: tuple[JobSummary, ...]
    total: int


class JobData(JobSummary):
    """One job with its files from `offset` on; `stats.total` counts all of them."""

    kind: Literal["job"] = "job"
    statistics: Statistics | None = None
    files: tuple[JobFile, ...]


class DeletedData(Item):
    """The job is forgotten; its outputs stay."""

    kind: Literal["deleted"] = "deleted"
    message: Text


class InspectData(Item):
    """What a file is."""

    kind: Literal["inspect"] = "inspect"
    file: EventPath
    type: str
    bytes: int
    pages: int | None = None
    encrypted: bool
    signed: bool
    form: PdfForm
    page_list: tuple[PageReport, ...] | None = None


class PingData(Item):
    """A sign of life."""

    kind: Literal["ping"] = "ping"
    state: WorkerState
    uptime_seconds: float
    rss_bytes: int
    queued_jobs: int


class ErrorData(Item):
    """Why a command, or a whole run, failed."""

    message: Text
    code: ErrorCode
    retryable: bool
    details: dict[str, Any] = Field(default_factory=dict)


InfoData = Annotated[
    Union[
        Accepted,
        CancelAcknowledged,
        PauseAcknowledged,
        ResumeAcknowledged,
        RetryAcknowledged,
        ShutdownAcknowledged,
        Paused,
        ClusterNews,
        FileStarted,
        FileDone,
        Heartbeat,
        Warned,
    ],
    Field(discriminator="kind"),
]
ResultData = Annotated[
    Union[HelloData, BatchData, JobsData, JobData, DeletedData, InspectData, PingData],
    Field(discriminator="kind"),
]


class _Event(BaseModel):
    # The order of fields is the order of keys on the wire; codec puts data last.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Progress(_Event):
    """How far a batch is; coalesced for a slow host."""

    type: Literal["progress"] = "progress"
    id: str | int | None = None
    job_id: str | None = None
    seq: int | None = None
    data: ProgressData


class Result(_Event):
    """The answer to a command; of kind batch, the one end of a run."""

    type: Literal["result"] = "result"
    id: str | int | None = None
    command: CommandName | None = None
    job_id: str | None = None
    seq: int | None = None
    data: ResultData


class Error(_Event):
    """A command refused, or a run that failed."""

    type: Literal["error"] = "error"
    id: str | int | None = None
    command: Annotated[str, Field(max_length=MAX_NAME_CHARACTERS)] | None = None
    """A host's own word if there is no such command."""
    job_id: str | None = None
    seq: int | None = None
    data: ErrorData


class Info(_Event):
    """News, and acknowledgements."""

    type: Literal["info"] = "info"
    id: str | int | None = None
    command: CommandName | None = None
    """That it answers."""
    job_id: str | None = None
    seq: int | None = None
    data: InfoData


Event = Union[Progress, Result, Error, Info]
