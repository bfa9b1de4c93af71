"""Tasks for page processes, and their outcomes. Plain data, no heavy imports.

Paths are `str` as `os.fsdecode` gives them (undecodable bytes are surrogates). Pages count from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Union

from ocr_worker.errors import OcrError, sayable
from ocr_worker.model.option_words import OnExisting, Switch
from ocr_worker.model.options import PageSettings

# Declared with the other options, and handed on from here.
__all__ = ["PageSettings", "Switch"]

PageStatus = Literal["ok", "blank", "unread", "has_text", "timeout", "failed", "crashed"]


def page_status(code: str) -> PageStatus:
    """Of a page that failed with a code."""
    if code in ("timeout", "crashed"):
        return "timeout" if code == "timeout" else "crashed"
    return "failed"


@dataclass(frozen=True, slots=True)
class Source:
    """One input file. `stamp` is (size in bytes, mtime in ns, inode) as first seen; a later mismatch is `changed`.

    An inode of 0 is not known: another machine sees the file through a share.
    """

    path: str
    password: str | None = field(default=None, repr=False)
    stamp: tuple[int, int, int] | None = None
    no_links_below: str | None = None
    """A folder above it; between there and the file no link is followed."""
    held: str | None = None
    """While such a file is worked on, the path that leads to nothing else."""

    @property
    def place(self) -> str:
        """Where to open it; `path` is what it is called."""
        return self.held or self.path

    @property
    def name(self) -> str:
        """The file's own name, fit for sentences: bytes that are not UTF-8 are replaced."""
        # To Windows a device is a drive, and all of its path.
        return sayable(Path(self.path).name or self.path)


@dataclass(frozen=True, slots=True)
class WarmTask:
    """Load ahead what tasks will need."""

    settings: PageSettings | None = None
    with_engine: bool = False
    """That of the settings as well, and not libraries alone."""


@dataclass(frozen=True, slots=True)
class Confine:
    """No task, and not answered: hold the process to this from now on, before it sees a file of a user."""

    writes: tuple[str, ...] = ()
    """Folders beside that of its temporary files."""
    commands: bool = False


@dataclass(frozen=True, slots=True)
class OpenTask:
    """Look at a file: type by content, pages, whether it may be processed at all."""

    source: Source
    settings: PageSettings
    existing: dict[str, str] = field(default_factory=dict)
    """Output kind to path of outputs that may be this file's own from before; empty asks for no such check."""
    survey: bool = False
    """Look into every page as well, for a dry run."""


@dataclass(frozen=True, slots=True)
class PageTask:
    """Recognise one page and leave its result in `result_path` (whole or not at all)."""

    source: Source
    settings: PageSettings
    page: int
    result_path: str


@dataclass(frozen=True, slots=True)
class FailedPage:
    """A page that could not be read, and why."""

    page: int
    status: PageStatus
    code: str
    error: str


@dataclass(frozen=True, slots=True)
class ComposeTask:
    """Write a file's outputs from its page results (`result_dir`/`<page>.page`), each whole or not at all."""

    source: Source
    settings: PageSettings
    pages: int
    sha256: str
    result_dir: str
    outputs: dict[str, str]
    """Output kind (pdf, txt, json, hocr, alto) to final path."""
    failed_pages: tuple[FailedPage, ...] = ()
    warnings: tuple[str, ...] = ()
    """What OpenTask warned of; goes into the JSON results."""
    on_existing: OnExisting = "skip"
    results: str | None = None
    """The JSON results that tell whose the name is, where they are not among the outputs."""
    folder: tuple[int, int] | None = None
    """Device and inode of the output folder as the run found it; another is not written into."""


@dataclass(frozen=True, slots=True)
class InspectTask:
    """Answer the wire's `inspect`: the file as it is, without recognition."""

    source: Source


@dataclass(frozen=True, slots=True)
class OverlayTask:
    """Draw a page with its words outlined, from the file and its JSON results, into a PNG."""

    source: Source
    results: str
    page: int
    picture: str


@dataclass(frozen=True, slots=True)
class PictureTask:
    """Draw a page as its results have it, upright, into a JPEG."""

    source: Source
    results: str
    page: int
    longest_px: int
    """Of its longer side."""
    picture: str


@dataclass(frozen=True, slots=True)
class CorrectTask:
    """Put other words in the places of some on a page, and write all outputs of the file anew, from its JSON results."""

    source: Source
    settings: PageSettings
    sha256: str
    result_dir: str
    """A folder for the page results meanwhile; whoever asks removes it."""
    outputs: dict[str, str]
    """Output kind to the path that it has; json among them."""
    page: int
    words: tuple[tuple[int, str], ...]
    """Which word of the page in reading order, from 0, and what it is."""


Task = Union[WarmTask, OpenTask, PageTask, ComposeTask, CorrectTask, InspectTask, OverlayTask, PictureTask]


@dataclass(frozen=True, slots=True)
class Warmed:
    """What was asked for is loaded."""

    news: str = ""
    """Of the engine that was loaded: why it is another than the one that suits these pages best, and what else it said, a line each."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a look at the file tells."""

    type: str
    """By content: pdf, png, jpeg, tiff, bmp, gif, webp, pnm."""
    pages: int
    sha256: str
    stamp: tuple[int, int, int]
    page_weights: tuple[int, ...] = ()
    """Relative cost of each page (its pixels), for the ETA; empty when unknown."""
    warnings: tuple[str, ...] = ()
    up_to_date: bool = False
    """All `existing` outputs are whole and were made from this content with these settings, engine and model."""
    languages: tuple[str, ...] = ()
    """Where they were to be told: those that it is read in."""
    survey: dict[str, Any] = field(default_factory=dict)
    """Where asked for: what `inspect` says of the file, but for its list of pages."""


@dataclass(frozen=True, slots=True)
class PageDone:
    """How a page was read; what was read is in its result."""

    page: int
    status: PageStatus
    """ok, blank, unread or has_text; failures come back as Failure."""
    words: int
    confidence: float | None
    """Mean word confidence 0 to 100, weighted by characters; None without words."""
    seconds: float
    warnings: tuple[str, ...] = ()
    news: str = ""
    """As that of `Warmed`, of engines that were loaded for this page, and of what they said at it."""
    loading_seconds: float = 0.0
    """How long the page waited for them."""

    def without_loading(self, seconds: float) -> float:
        """Of so long at work, what the page itself took."""
        return seconds - min(max(0.0, self.loading_seconds), seconds)


@dataclass(frozen=True, slots=True)
class Composed:
    """The outputs that are in place."""

    outputs: dict[str, str]
    confidence: float | None
    characters: int
    warnings: tuple[str, ...] = ()
    """What was to be said of pages, each once, with the pages' numbers."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """What `inspect` answers."""

    report: dict[str, Any]
    """`file, type, bytes, pages, encrypted, signed, form, page_list` as PROTOCOL.md settles them."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The picture is there."""

    words: int
    """Outlined; 0 where none were to be."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as plain data: exceptions do not cross process boundaries."""

    code: str
    message: str
    retryable: bool
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, error: OcrError, details: Mapping[str, Any] | None = None) -> Failure:
        """What an error says; `details` stand in for its own."""
        return cls(
            error.code, error.message, error.retryable, dict(error.details if details is None else details)
        )

    def with_name(self, name: str, page: int | None = None) -> Failure:
        """The same, its sentence naming the file and, in a file of several pages, the page."""
        if name in self.message:
            return self
        place = f"{name} (page {page})" if page else name
        return replace(self, message=f"{place}: {self.message}")

    def to_fields(self) -> dict[str, Any]:
        """`code`, `message` and `retryable`, as the wire, the store and results have them."""
        return {"code": self.code, "message": self.message, "retryable": self.retryable}


Outcome = Union[Warmed, Opened, PageDone, Composed, Inspected, Drawn, Failure]
