"""The options of a batch, each declared once: type, bounds, default, description, and its name in each face.

Every face checks against this table. The command line's parameters and the configuration's keys are made of it at run time;
`tools/options.py` writes the wire's model and the rows of the docs from it. Standard library only.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, cast, get_args, get_type_hints

from ocr_worker.errors import InvalidParamsError

OutputKind = Literal["pdf", "txt", "json", "hocr", "alto"]
OnExisting = Literal["skip", "overwrite", "suffix"]
ExistingText = Literal["skip", "redo", "force"]
Signed = Literal["refuse", "unsigned_copy"]
Switch = Literal["auto", "on", "off"]
SecondReading = Literal["auto", "off", "words", "page"]

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    values: tuple[str, ...]

    @property
    def must_be(self) -> str:
        return f"{', '.join(self.values[:-1])} or {self.values[-1]}"

    def accept(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.values:
            raise ValueError
        return value


@dataclass(frozen=True, slots=True)
class EngineName:
    """The name of an engine; whether there is one is asked where the batch is."""

    pattern: str = r"[A-Za-z0-9][A-Za-z0-9._-]*"
    longest: int = 64
    must_be: str = "auto or the name of an installed engine"

    def accept(self, value: object) -> str:
        if not isinstance(value, str) or len(value) > self.longest or not re.fullmatch(self.pattern, value):
            raise ValueError
        return value


@dataclass(frozen=True, slots=True)
class SwitchWord:
    """A switch; True and False mean on and off."""

    values: tuple[str, ...] = get_args(Switch)
    must_be: str = "auto, on, off, true or false"

    def accept(self, value: object) -> str:
        word = "on" if value is True else "off" if value is False else value
        return Choice(self.values).accept(word)


@dataclass(frozen=True, slots=True)
class Flag:
    must_be: str = "true or false"

    def accept(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError  # noqa: TRY004  # a refusal, whatever is wrong with the value
        return value


@dataclass(frozen=True, slots=True)
class Whole:
    least: int
    most: int
    or_auto: bool = False
    """The word `auto` stands for None."""

    @property
    def must_be(self) -> str:
        return f"{'auto, or ' * self.or_auto}an integer from {self.least:,} to {self.most:,}"

    def accept(self, value: object) -> int | None:
        if self.or_auto and value == "auto":
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not self.least <= value <= self.most:
            raise ValueError
        return value


@dataclass(frozen=True, slots=True)
class Number:
    least: float
    most: float
    unit: str = ""
    above_least: bool = False
    """The least itself is too little."""

    @property
    def must_be(self) -> str:
        least, most = f"{self.least:,.10g}", f"{self.most:,.10g}"
        bounds = f"above {least}, up to {most}" if self.above_least else f"from {least} to {most}"
        return f"a number{f' of {self.unit}' * bool(self.unit)} {bounds}"

    def accept(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError  # noqa: TRY004  # as above
        if not self.least <= value <= self.most or (self.above_least and value == self.least):
            raise ValueError
        return float(value)


@dataclass(frozen=True, slots=True)
class Several:
    """A list without repeats, also given as one string with separators."""

    items: str
    """What they are, completing "a non-empty list of"."""
    pattern: str
    separators: str
    values: tuple[str, ...] = ()
    """All that there are, where they are known."""
    longest: int = 64
    alone: str = ""
    """A word that stands by itself or not at all."""

    @property
    def must_be(self) -> str:
        otherwise = f', or of "{self.alone}" alone' if self.alone else ""
        return f"a non-empty list of {self.items}{otherwise}"

    def accept(self, value: object) -> tuple[str, ...]:
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, Sequence) or not all(isinstance(item, str) for item in given):
            raise ValueError
        items = [part for item in given for part in re.split(f"[{self.separators}]", item)]
        if not items or not all(len(i) <= self.longest and re.fullmatch(self.pattern, i) for i in items):
            raise ValueError
        if self.alone in items and len(set(items)) > 1:
            raise ValueError
        return tuple(dict.fromkeys(items))


@dataclass(frozen=True, slots=True)
class FolderPath:
    must_be: str = "the path of a folder"

    def accept(self, value: object) -> str:
        return _path(value)


@dataclass(frozen=True, slots=True)
class FolderPaths:
    must_be: str = "a list of paths of folders"

    def accept(self, value: object) -> tuple[str, ...]:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ValueError  # noqa: TRY004  # as above
        return tuple(map(_path, value))


@dataclass(frozen=True, slots=True)
class PathWords:
    """Passwords by paths."""

    must_be: str = "an object of paths and their passwords as strings"

    def accept(self, value: object) -> dict[str, str]:
        if not isinstance(value, Mapping) or not all(isinstance(word, str) for word in value.values()):
            raise ValueError
        return {_path(path): word for path, word in value.items()}


Kind = Union[Choice, EngineName, SwitchWord, Flag, Whole, Number, Several, FolderPath, FolderPaths, PathWords]
Part = Literal["page", "job", "request"]
"""Pages are read by it; the job is run by it; or only its request holds it, and nothing keeps it."""


@dataclass(frozen=True, slots=True)
class Option:
    kind: Kind
    help: str
    """What it is for: the begin of a sentence, in --help and in the docs."""
    note: str = ""
    """More of it, for the docs of the wire."""
    flags: tuple[str, ...] = ()
    """Of the command line, the long one last. A flag without value says the opposite of the default."""
    metavar: str = ""
    flag_help: str = ""
    """In place of `help` where a flag says something else."""
    config_key: str = ""
    name: str = ""
    default: Any = None
    part: Part = "job"

    @property
    def long_flag(self) -> str:
        return self.flags[-1] if self.flags else self.name

    @property
    def default_text(self) -> str:
        """The default as it is typed; empty where nothing is."""
        if self.default is None or isinstance(self.default, bool | dict):
            return ""
        if isinstance(self.kind, Several):
            return self.kind.separators[0].join(self.default)
        return self.default if isinstance(self.default, str) else f"{self.default:,.12g}"

    def accept(self, value: object) -> object:
        """The value as the core has it; ValueError for any other."""
        return None if value is None and self.default is None else self.kind.accept(value)


TOLD = "auto"
"""In place of languages: to be told from the file."""
_SECONDS = Number(0, DAY_SECONDS, "seconds", above_least=True)
_SWITCH = SwitchWord()
_LANGUAGES = Several('codes ("eng", "script/Latin")', r"(script/)?[A-Za-z][A-Za-z0-9_-]*", "+,", alone=TOLD)
_OUTPUTS = Several(", ".join(get_args(OutputKind)), "|".join(get_args(OutputKind)), ",", get_args(OutputKind))


@dataclass(frozen=True, slots=True)
class PageSettings:
    """How pages are recognised: the options that change the outputs."""

    languages: Annotated[
        tuple[str, ...],
        Option(
            _LANGUAGES,
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
            _OUTPUTS,
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
    rotate_pages: Annotated[Switch, Option(_SWITCH, "turn pages upright", "", ("--rotate-pages",))] = "auto"
    deskew: Annotated[
        Switch, Option(_SWITCH, "straighten skewed pages before reading", "", ("--deskew",))
    ] = "auto"
    denoise: Annotated[
        Switch,
        Option(
            _SWITCH,
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
            _SECONDS,
            "time limit for a page",
            "then the page fails with `timeout`",
            ("--page-timeout",),
            "SECONDS",
        ),
    ] = 120.0
    file_timeout_seconds: Annotated[
        float,
        Option(
            _SECONDS,
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


_PASSWORDS = Option(
    PathWords(), "for protected files", "kept in memory only", name="passwords", default={}, part="request"
)

PRIORITY = Option(
    Whole(-1_000_000, 1_000_000),
    "jobs of a higher number go first",
    name="priority",
    default=0,
    part="request",
)
"""Of a job among others. On the wire it is a field of the command, not one of the options."""


@lru_cache(maxsize=1)
def options() -> Mapping[str, Option]:
    """All options by their names, those of pages first."""
    found = [*_declared(PageSettings, "page"), _PASSWORDS, *_declared(JobOptions, "job")]
    return {option.name: option for option in found}


def check(name: str, value: object, spelled: Callable[[str], str]) -> Any:
    """One value as the core has it.

    Args:
        name: of the option, as `options()` has it.
        value: as a user of some face gave it.
        spelled: says how that face spells an option's name.

    Raises:
        InvalidParamsError: the message names the option as spelled, and says what it must be.
    """
    return accepted(options()[name], value, spelled(name))


def accepted(option: Option, value: object, name: str) -> Any:
    """A value as the core has it.

    Raises:
        InvalidParamsError: the option can't have it; the message has the name as given here.
    """
    try:
        return option.accept(value)
    except ValueError as error:
        raise InvalidParamsError(f"{name} must be {option.kind.must_be}", field=name) from error


def make_options(given: Mapping[str, object], spelled: Callable[[str], str] = str) -> JobOptions:
    """A job's options of what was given; paths stay as they were given.

    Passwords are checked, too, but the options don't hold them.

    Raises:
        InvalidParamsError: there is no such option, or it can't have such a value; the message names it as spelled.
    """
    known = options()
    if unknown := [name for name in given if name not in known]:
        name = spelled(unknown[0])
        raise InvalidParamsError(
            f"There is no option {name}. The options are {', '.join(known)}.", field=name
        )
    values = {name: check(name, value, spelled) for name, value in given.items()}
    page, job = (_of_part(values, part) for part in ("page", "job"))
    return JobOptions(page=PageSettings(**page), **job)


def _of_part(values: Mapping[str, Any], part: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if options()[name].part == part}


def _declared(model: type[PageSettings | JobOptions], part: Part) -> Iterable[Option]:
    hints = get_type_hints(model, include_extras=True)
    for own in dataclasses.fields(model):
        declared = [extra for extra in get_args(hints[own.name])[1:] if isinstance(extra, Option)]
        for option in declared:
            yield dataclasses.replace(option, name=own.name, default=own.default, part=part)


def _path(value: object) -> str:
    if not isinstance(value, str | os.PathLike):
        raise ValueError  # noqa: TRY004  # as above
    path = os.fsdecode(cast("str | os.PathLike[str]", value))
    if not path or "\0" in path:
        raise ValueError
    return path
