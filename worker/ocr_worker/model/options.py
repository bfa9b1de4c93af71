"""The options of a batch, each declared once: type, bounds, default, description, and its name in each face.

Every face checks against this table. The command line's parameters and the configuration's keys are made of it at run time;
`tools/options.py` writes the wire's model and the rows of the docs from it. Standard library only.

What is declared of an option is read by `option_table`: a page process, which needs the values alone, never imports it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, get_args

from ocr_worker.model.option_words import TOLD

if TYPE_CHECKING:
    from ocr_worker.model.option_kinds import (
        DAY_SECONDS,
        LANGUAGES,
        OUTPUTS,
        SECONDS,
        SWITCH,
        Choice,
        EngineName,
        Flag,
        FolderPath,
        FolderPaths,
        Number,
        Option,
        Whole,
    )
    from ocr_worker.model.option_words import (
        ExistingText,
        OnExisting,
        OutputKind,
        SecondReading,
        Signed,
        Switch,
    )


@dataclass(frozen=True, slots=True)
class PageSettings:
    """How pages are recognised: the options that change the outputs."""

    languages: Annotated[
        tuple[str, ...],
        Option(
            LANGUAGES,
            "languages to read",
            "de, de-AT and German are deu; one not installed is `language_missing`; `auto` tells each file's",
            ("-l", "--languages"),
            "CODES",
            "languages to read, such as eng or deu+eng; auto tells that of each file",
        ),
    ] = ("eng",)
    engine: Annotated[
        str,
        Option(
            EngineName(),
            "OCR engine",
            "one of the `engines` of `hello`, otherwise `invalid_params`; `auto` is the first that has the languages",
            ("--engine",),
            "NAME",
        ),
    ] = "auto"
    dpi: Annotated[
        int | None,
        Option(
            Whole(50, 2400, or_auto=True),
            "resolution to render and recognise at",
            "`auto` chooses page by page",
            ("--dpi",),
            "N",
            "resolution to recognise at, instead of the page's own",
        ),
    ] = None
    outputs: Annotated[
        tuple[str, ...],
        Option(
            OUTPUTS,
            "what to write for each file",
            "",
            ("--outputs",),
            "KINDS",
            f"what to write, of {','.join(get_args(OutputKind))}; json is always written",
        ),
    ] = ("pdf", "txt", "json")
    existing_text: Annotated[
        ExistingText,
        Option(
            Choice(get_args(ExistingText)),
            "what to do with pages that have text",
            "`skip` keeps it, `redo` replaces an invisible text layer, `force` reads the page as a picture",
            ("--existing-text",),
        ),
    ] = "skip"
    rotate_pages: Annotated[Switch, Option(SWITCH, "turn pages upright", "", ("--rotate-pages",))] = "auto"
    deskew: Annotated[Switch, Option(SWITCH, "straighten skewed pages before reading", "", ("--deskew",))] = (
        "auto"
    )
    denoise: Annotated[
        Switch,
        Option(
            SWITCH,
            "remove speckles before reading",
            "`auto` erases them on pages that are full of them; `on` smooths every page, clean ones too",
            ("--denoise",),
        ),
    ] = "auto"
    second_reader: Annotated[
        SecondReading,
        Option(
            Choice(get_args(SecondReading)),
            "read again what the engine doubts",
            "doubted `words`, a doubted `page`, or with `auto` both where the extra `second-reader` is installed",
            ("--second-reader",),
        ),
    ] = "auto"
    max_pixels: Annotated[
        int,
        Option(
            Whole(1, 10**11),
            "refuse larger pages and images",
            "a larger image is `too_large`, a larger page of a PDF is drawn at a lower resolution",
            ("--max-pixels",),
            "N",
        ),
    ] = 250_000_000
    signed: Annotated[
        Signed,
        Option(
            Choice(get_args(Signed)),
            "what to do with signed PDFs",
            "`unsigned_copy` writes a copy without a valid signature",
            ("--signed",),
        ),
    ] = "refuse"
    keep_protection: Annotated[
        bool,
        Option(
            Flag(),
            "protect the output of a protected PDF as well",
            "",
            ("--drop-protection",),
            flag_help="write PDFs of protected inputs without their password",
        ),
    ] = True
    tessdata_dir: Annotated[
        str | None,
        Option(FolderPath(), "use language data from this folder only", "", ("--tessdata-dir",), "DIR"),
    ] = None
    tessdata_dirs: Annotated[
        tuple[str, ...],
        Option(
            FolderPaths(),
            "look for language data in these folders, too",
            "before those of the system, and after `tessdata_dir`",
        ),
    ] = ()

    @property
    def tells_language(self) -> bool:
        """Whether the language is told from the file itself."""
        return self.languages == (TOLD,)


@dataclass(frozen=True, slots=True)
class JobOptions:
    """A job's options, without the passwords, which are never stored."""

    page: PageSettings = field(default_factory=PageSettings)
    on_existing: Annotated[
        OnExisting,
        Option(
            Choice(get_args(OnExisting)),
            "what to do if an output of this source exists",
            "`skip` keeps a good one, `overwrite` replaces it, `suffix` writes beside it",
            ("--on-existing",),
        ),
    ] = "skip"
    max_workers: Annotated[
        int | None,
        Option(
            Whole(1, 256),
            "page processes at once; absent: one per core",
            "",
            ("--max-workers",),
            "N",
            "page processes at once, instead of one per core",
            config_key="default_max_workers",
        ),
    ] = None
    page_timeout_seconds: Annotated[
        float,
        Option(
            SECONDS,
            "time limit for a page",
            "then the page fails with `timeout`",
            ("--page-timeout",),
            "SECONDS",
        ),
    ] = 120.0
    file_timeout_seconds: Annotated[
        float,
        Option(
            SECONDS,
            "time limit without a finished page",
            "then the file fails",
            ("--file-timeout",),
            "SECONDS",
        ),
    ] = 300.0
    retries: Annotated[
        int,
        Option(Whole(0, 100), "retries for temporary failures of a page", "", ("--retries",), "N"),
    ] = 2
    stop_on_error_threshold: Annotated[
        float,
        Option(
            Number(0, 1, above_least=True),
            "stop at this share of failed files",
            "applies once 10 files have ended; 1 never stops the batch",
            ("--stop-on-error-threshold",),
            "SHARE",
            config_key="stop_on_error_threshold",
        ),
    ] = 0.5
    max_lock_wait_seconds: Annotated[
        float,
        Option(
            Number(0, DAY_SECONDS, "seconds"),
            "how long to wait for a locked file",
            "a file that stays locked is skipped",
            ("--max-lock-wait",),
            "SECONDS",
            config_key="max_lock_wait_seconds",
        ),
    ] = 30.0
    chunk_size: Annotated[int, Option(Whole(1, 10_000), "pages handed to the pool at a time")] = 50
    pages_per_minute: Annotated[
        float | None,
        Option(
            Number(0, 1e6, above_least=True),
            "pages per minute at most, to keep cool",
            "",
            ("--pages-per-minute",),
            "N",
        ),
    ] = None
    dry_run: Annotated[
        bool,
        Option(
            Flag(),
            "check all files and plan the outputs, but write none",
            "reports type, needs and refusals of each file",
            ("--dry-run",),
        ),
    ] = False
    no_links_below: Annotated[
        tuple[str, ...],
        Option(
            FolderPaths(),
            "folders below which no symbolic link is followed",
            "for files found by a search: one that is a link by then, or lies behind one, is `not_regular`",
        ),
    ] = ()

    def to_fields(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> JobOptions:
        return cls(**{**_with_tuples(fields), "page": PageSettings(**_with_tuples(fields["page"]))})


def _with_tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
