"""The words of the design note's eight endpoints. Fields that it does not know are ignored, as its own back end does."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import Self

from ocr_worker.model.jobs import JobState
from ocr_worker.server.wire import whole_numbers

LENIENT = ConfigDict(frozen=True, extra="ignore")
MOST_ITEMS = 10_000
Status = Literal["pending", "processing", "paused", "completed", "failed", "cancelled"]
STATUS: dict[JobState, Status] = {
    "admitting": "pending",
    "queued": "pending",
    "running": "processing",
    "paused": "paused",
    "completed": "completed",
    "cancelled": "cancelled",
    "stopped": "failed",
    "failed": "failed",
    # Its process has died: `resume` goes on with it, as with a paused one.
    "interrupted": "paused",
}
Text = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]*$")]


class Item(BaseModel):
    """A file of a batch; its id is the client's own and comes back in the status."""

    model_config = LENIENT

    id: Annotated[str, Field(max_length=200)] | Annotated[int, Field(strict=True)]
    path: Text


class Options(BaseModel):
    """Options of a batch."""

    model_config = LENIENT

    chunk_size: Annotated[int, Field(strict=True, ge=1, le=10_000)] = Field(50, alias="chunkSize")
    retry_count: Annotated[int, Field(strict=True, ge=0, le=100)] = Field(2, alias="retryCount")
    overwrite: Annotated[bool, Field(strict=True)] | Literal["skip", "overwrite", "suffix"] = False
    languages: Annotated[
        list[Annotated[str, Field(pattern=r"^(script/)?[A-Za-z][A-Za-z0-9_-]*$", max_length=64)]],
        Field(min_length=1),
    ] = ["eng"]
    outputs: Annotated[list[Literal["pdf", "txt", "json", "hocr", "alto"]], Field(min_length=1)] = [
        "txt",
        "json",
    ]
    output_dir: Text | None = Field(None, alias="outputDir")

    @property
    def on_existing(self) -> str:
        """Mode of the skip detector: inputs whose results are there are skipped, unless they are to be overwritten."""
        if isinstance(self.overwrite, str):
            return self.overwrite
        return "overwrite" if self.overwrite else "skip"


class Start(BaseModel):
    """A batch: items with ids, or files by their paths alone."""

    model_config = ConfigDict(
        **LENIENT,
        json_schema_extra={
            "anyOf": [
                {"required": ["items"], "properties": {"items": {"type": "array"}}},
                {"required": ["files"], "properties": {"files": {"type": "array"}}},
            ]
        },
    )

    items: Annotated[list[Item], Field(min_length=1, max_length=MOST_ITEMS)] | None = None
    files: Annotated[list[Text], Field(min_length=1, max_length=MOST_ITEMS)] | None = None
    options: Options = Field(default_factory=lambda: Options.model_validate({}))

    _whole = model_validator(mode="before")(whole_numbers)

    @model_validator(mode="after")
    def _has_something_to_do(self) -> Self:
        if not self.items and not self.files:
            raise ValueError("items or files must have something in it")  # pydantic's way
        return self


class Refused(BaseModel):
    """The answer to a request that was not carried out."""

    success: Literal[False]
    error: str
    code: str


class EffectiveOptions(BaseModel):
    chunkSize: int  # noqa: N815  # the note's name
    retryCount: int  # noqa: N815
    overwrite: bool | str


class Started(BaseModel):
    success: Literal[True] = True
    jobId: str  # noqa: N815
    totalItems: int  # noqa: N815
    options: EffectiveOptions


class NoteStats(BaseModel):
    total: int
    pending: int
    processing: int
    completed: int
    failed: int
    skipped: int


class NoteJob(BaseModel):
    """A job as the list has it."""

    jobId: str  # noqa: N815
    status: Status
    stats: NoteStats
    progress: float
    """Percent of all pages."""
    createdAt: str  # noqa: N815
    updatedAt: str  # noqa: N815


class ItemStatus(BaseModel):
    """An item of a job."""

    id: str | int
    path: str
    status: Literal["pending", "processing", "completed", "failed", "skipped"]
    pages: int | None = None
    confidence: float | None = None
    error: str | None = None
    skipReason: str | None = None  # noqa: N815


class JobStatus(NoteJob):
    success: Literal[True] = True
    error: str | None = None
    """Why the job failed."""
    items: list[ItemStatus]


class Jobs(BaseModel):
    success: Literal[True] = True
    jobs: list[NoteJob]
    total: int


class Done(BaseModel):
    """An order was carried out."""

    success: Literal[True] = True
    jobId: str  # noqa: N815
    status: Status


class Deleted(BaseModel):
    success: Literal[True] = True
    jobId: str  # noqa: N815
    message: str
