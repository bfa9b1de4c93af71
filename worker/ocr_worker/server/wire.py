"""What /api/v1 takes and gives, typed: the words of our own wire, but for paths, which stay on this machine."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from ocr_protocol import BatchOptions
from ocr_protocol.commands import JobState
from ocr_protocol.fields import CLOSED as CLOSED_LATE
from ocr_worker.model.results import FileStatus

GIVEN = ConfigDict(frozen=True)
# FastAPI builds its models at once.
CLOSED = ConfigDict(**{**CLOSED_LATE, "defer_build": False})
MOST_FILES = 10_000
JOB_ID = r"^[0-9]{8}_[0-9]{6}_[0-9a-f]{8}$"
UPLOAD_ID = r"^[0-9a-f]{32}$"
PRINTED = r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"
"""No control characters, and no space at either end."""
OutputKind = Literal["pdf", "txt", "json", "hocr", "alto"]
OFFERED = (
    "languages", "engine", "dpi", "outputs", "existing_text", "rotate_pages", "deskew", "denoise", "second_reader", "max_pixels", "signed",
    "keep_protection", "on_existing", "max_workers", "page_timeout_seconds", "file_timeout_seconds", "retries",
    "stop_on_error_threshold", "max_lock_wait_seconds", "chunk_size", "pages_per_minute", "dry_run",
)  # fmt: skip
"""Options of clients: none that names a path of the machine. Passwords stand beside their files."""

_FIELDS: dict[str, Any] = {
    name: (BatchOptions.model_fields[name].annotation, BatchOptions.model_fields[name]) for name in OFFERED
}
Options: type[BaseModel] = create_model(
    "Options",
    __config__=CLOSED,
    __doc__="How pages are read and the job is run; what is absent has its default.",
    **_FIELDS,
)


def whole_numbers(value: Any) -> Any:
    """JSON knows one kind of number: 5.0 is as whole as 5."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: whole_numbers(part) for name, part in value.items()}
    return [whole_numbers(part) for part in value] if isinstance(value, list) else value


class Given(BaseModel):
    """The body of a request."""

    model_config = CLOSED

    _whole = model_validator(mode="before")(whole_numbers)


class Problem(BaseModel):
    """Why a request was not carried out."""

    code: str
    """One of the codes of docs/errors.md, or the name of an HTTP status."""
    message: str
    retryable: bool


class Refusal(BaseModel):
    """The answer to a request that was not carried out."""

    error: Problem


class UploadedFile(BaseModel):
    """A file that was uploaded."""

    model_config = CLOSED

    upload: Annotated[str, Field(pattern=UPLOAD_ID)]
    password: str | None = Field(None, repr=False, max_length=1000)


class NamedFile(BaseModel):
    """A file below one of the roots of the service, or a folder, of which all PDFs and pictures are read."""

    model_config = CLOSED

    path: Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]*$")]
    password: str | None = Field(None, repr=False, max_length=1000)


FileToRead = Union[UploadedFile, NamedFile]


class NewJob(Given):
    """A batch to do."""

    files: Annotated[list[FileToRead], Field(min_length=1, max_length=MOST_FILES)]
    output_dir: Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]*$")] | None = None
    """Below a root; by default, a folder that the service keeps."""
    options: Options = Field(default_factory=Options)
    priority: int = Field(0, ge=-1_000_000, le=1_000_000)


class FilePassword(BaseModel):
    model_config = CLOSED

    number: int = Field(ge=1, le=10**9)
    """Of the file in its job."""
    password: str = Field(max_length=1000, repr=False)


class Passwords(Given):
    """Passwords of protected files, which a job that goes on needs anew: they are never stored."""

    passwords: list[FilePassword] = Field(default=[], max_length=MOST_FILES)


class Accepted(BaseModel):
    model_config = GIVEN

    job_id: str
    file_count: int


class Stats(BaseModel):
    """How many files of a job are in which state."""

    model_config = GIVEN

    total: int
    pending: int
    processing: int
    completed: int
    failed: int
    skipped: int


class Job(BaseModel):
    """A job as a list shows it."""

    model_config = GIVEN

    job_id: str
    title: str
    """The name of its first file."""
    state: JobState
    reason: str | None
    """Why it ended, if not by itself."""
    dry_run: bool
    created_at: str
    updated_at: str
    priority: int
    stats: Stats
    pages_done: int
    pages_total: int
    seq: int
    """Of its last event that has one: what came later is told to who watches it from there on."""


class JobList(BaseModel):
    """Jobs, newest first, and how many there are in all."""

    model_config = GIVEN

    jobs: list[Job]
    total: int


class Statistics(BaseModel):
    """What a job took, over all its runs."""

    model_config = GIVEN

    start_time: str
    end_time: str | None
    duration_seconds: float
    pages: int
    pages_per_second: float
    files_per_second: float
    failed_by_input: int
    failed_by_worker: int
    retries: int
    cleanups: int
    worker_restarts: int
    peak_rss_bytes: int


class JobDetails(Job):
    statistics: Statistics


class FailedPage(BaseModel):
    model_config = GIVEN

    page: int
    code: str
    error: str


class File(BaseModel):
    """A file of a job, as it stands."""

    model_config = GIVEN

    number: int
    name: str
    status: Literal["pending", "processing"] | FileStatus
    pages: int | None = None
    confidence: float | None = None
    reason: str | None = None
    error: Problem | None = None
    failed_pages: list[FailedPage] = []
    warnings: list[str] = []
    outputs: list[OutputKind] = []
    """Kinds that can be downloaded."""


class FileList(BaseModel):
    """Files in the order of the request."""

    model_config = GIVEN

    files: list[File]
    total: int


class Word(BaseModel):
    model_config = GIVEN

    text: str
    box_px: tuple[int, int, int, int]
    confidence: float | None


class Line(BaseModel):
    model_config = GIVEN

    text: str
    block: int
    paragraph: int
    box_px: tuple[int, int, int, int]
    words: list[Word]


class PageResult(BaseModel):
    """What was read on a page. Boxes are left, top, right, bottom, in pixels of the upright page."""

    model_config = GIVEN

    page: int
    page_count: int
    status: str
    width_px: int
    height_px: int
    confidence: float | None
    warnings: list[str]
    text: str
    lines: list[Line]


class Correction(BaseModel):
    """What a word is."""

    model_config = CLOSED

    word: int = Field(ge=0, le=10**6)
    """In the reading order of the page, from 0."""
    text: Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTED)]


class Corrections(Given):
    """Words of a page that were misread; of two for one word, the last counts."""

    words: Annotated[list[Correction], Field(min_length=1, max_length=1000)]


PLACE = r"^[0-9]{1,12}\.[0-9]{1,9}-[0-9a-f_]{24}-[0-9]{1,9}-[0-9]{1,9}$"
"""Where a search goes on."""


class Found(BaseModel):
    """A page on which the words were found."""

    model_config = GIVEN

    job_id: str
    number: int
    name: str
    page: int
    excerpt: str


class SearchResult(BaseModel):
    model_config = GIVEN

    found: list[Found]
    complete: bool
    """Whether all results were searched: there is a limit of time and of pages found."""
    next: str | None
    """To be sent as `next` to search on from there; null when all were searched."""


class Upload(BaseModel):
    """A file that is uploaded, in whole or so far."""

    model_config = GIVEN

    upload: str
    name: str
    size: int
    offset: int
    """Bytes that have come."""
    complete: bool


class Engine(BaseModel):
    model_config = GIVEN

    name: str
    version: str


class Languages(BaseModel):
    """What can be read on this machine."""

    model_config = GIVEN

    languages: list[str]
    engines: list[Engine]


class Health(BaseModel):
    model_config = GIVEN

    status: Literal["ok"]
    version: str
    state: Literal["idle", "running", "paused"]
    token_needed: bool
    paths_taken: bool
    """Whether files can be named by path: there is a root."""


class Login(BaseModel):
    model_config = CLOSED

    token: Annotated[str, Field(min_length=1, max_length=1000)] = Field(repr=False)
