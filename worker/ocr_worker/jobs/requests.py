"""Turn what a face was asked for into a job request: check it, and make paths absolute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_worker.engines.ocr import registry
from ocr_worker.errors import InvalidParamsError
from ocr_worker.files.bounded import MOMENT_SECONDS, Look
from ocr_worker.files.paths import absolute_path
from ocr_worker.model.jobs import InputFile, JobOptions, JobRequest

if TYPE_CHECKING:
    from ocr_worker.model.tasks import PageSettings

NO_FILES = "No files provided for OCR batch processing"
NO_OUTPUT_DIR = "No output directory provided"


@dataclass(frozen=True, slots=True)
class Asked:
    """A batch as a face was asked for it: options are checked, paths are as they were written."""

    files: tuple[str, ...]
    output_dir: str
    options: JobOptions
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    priority: int = 0
    spelled: Callable[[str], str] = str
    """How its face spells the name of an option."""
    client: str | None = None
    """The name of the program that asks."""


def job_request(asked: Asked) -> JobRequest:
    """The job that is asked for. Whether its languages are there is found out when it is admitted.

    Raises:
        InvalidParamsError: there are no files, no output folder, or one of the other paths is none.
    """
    if not asked.files:
        raise InvalidParamsError(NO_FILES, field="files")
    if not asked.output_dir:
        raise InvalidParamsError(NO_OUTPUT_DIR, field="output_dir")
    options = with_own_paths(asked.options)
    require_known_engine(options.page.engine, asked.spelled)
    options = replace(options, page=_with_own_codes(options.page))
    folder = _place(asked.output_dir)
    passwords = local_passwords(asked.passwords)
    return JobRequest(
        asked.files, Path(folder), asked.output_dir, options, asked.priority, passwords, asked.client
    )


def require_languages(options: JobOptions) -> None:
    """Look for the engine of a job and the data of its languages, on a disk that may hang.

    Raises:
        LanguageMissingError, EngineMissingError: the message says how to install it.
    """
    # A dry run is to tell of them file by file.
    if not options.dry_run:
        registry.require(options.page)


def _with_own_codes(page: PageSettings) -> PageSettings:
    """With the codes that its languages have where its data lies, or where that disk does not answer, have everywhere."""
    look = Look(lambda: registry.with_own_codes(page))
    if look.wait(MOMENT_SECONDS):
        return look.answer("language data")
    elsewhere = registry.with_own_codes(replace(page, tessdata_dir=None, tessdata_dirs=()))
    return replace(page, languages=elsewhere.languages)


def require_known_engine(engine: str, spelled: Callable[[str], str] = str) -> None:
    """Raises InvalidParamsError, which names those that there are."""
    if not registry.is_known(engine):
        names = ", ".join(registry.installed_engines()) or "none"
        name = spelled("engine")
        raise InvalidParamsError(
            f"{name} must be auto or an installed engine (there are: {names}).", field=name
        )


def input_file(sent: str) -> InputFile:
    """An input by its path as sent; what no file can have is told when names are settled."""
    try:
        return InputFile(sent, absolute_path(sent))
    except ValueError:
        return InputFile(sent, "")


def local_passwords(passwords: Mapping[str, str]) -> dict[str, str]:
    """Passwords by the paths of this system."""
    return {_place(path): word for path, word in passwords.items()}


def with_own_paths(options: JobOptions) -> JobOptions:
    page = options.page
    folder = _place(page.tessdata_dir) if page.tessdata_dir else None
    own_page = replace(page, tessdata_dir=folder, tessdata_dirs=tuple(map(_place, page.tessdata_dirs)))
    return replace(options, page=own_page, no_links_below=tuple(map(_place, options.no_links_below)))


def _place(path: str) -> str:
    try:
        return absolute_path(path)
    except ValueError as error:
        raise InvalidParamsError(f"{path!r} is not a path: it is empty, or contains a NUL.") from error
