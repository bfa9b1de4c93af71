"""From the wire's batch options to a job's: parsed at the edge, so that inner code gets proof."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Union

from ocr_protocol.codec import decode
from ocr_protocol.commands import OcrBatch
from ocr_protocol.options import BatchOptions
from ocr_protocol.paths import path_from_wire, path_to_wire
from ocr_protocol.refusals import WireError
from ocr_worker.engines.ocr import registry
from ocr_worker.errors import InvalidParamsError
from ocr_worker.model.jobs import InputFile, JobOptions, JobRequest
from ocr_worker.model.tasks import PageSettings

_PAGE_FIELDS = frozenset(PageSettings.__slots__) - {"dpi", "tessdata_dir"}
_JOB_FIELDS = frozenset(JobOptions.__slots__) - {"page"}


AnyPath = Union[str, "os.PathLike[str]"]
"""A path as Python's callers have it."""


def make_request(
    files: AnyPath | Iterable[AnyPath] | None, output_dir: AnyPath | None, options: Mapping[str, Any]
) -> JobRequest:
    """Check a library caller's arguments as the wire's are checked. A path alone is one file.

    Raises:
        InvalidParamsError: the message names the field.
        LanguageMissingError, EngineMissingError: the message says how to install it.
    """
    fields = {
        "command": "ocr_batch",
        "files": _sent_files(files),
        "output_dir": _sent(output_dir, "output_dir") if output_dir else "",
        "options": _sent_options(options),
    }
    try:
        command = decode(json.dumps(fields).encode("ascii"))
    except WireError as error:
        raise InvalidParamsError(error.message, **error.details) from error
    assert isinstance(command, OcrBatch)
    return batch_request(command)


def batch_request(command: OcrBatch) -> JobRequest:
    """The job that a command asks for; languages and engine are known to be there, but for a dry run.

    Raises:
        InvalidParamsError: no package here brings such an engine.
        LanguageMissingError, EngineMissingError: the message says how to install it.
    """
    options = command.options
    folder = absolute_path(command.output_dir)
    page = _page_settings(options)
    _require_known(page.engine)
    # A dry run is to tell of them file by file.
    if not options.dry_run:
        registry.require(page)
    return JobRequest(
        command.files,
        Path(folder),
        command.output_dir,
        JobOptions(page=page, **options.model_dump(include=set(_JOB_FIELDS))),
        command.priority,
        local_passwords(options.passwords),
    )


def _require_known(engine: str) -> None:
    if not registry.is_known(engine):
        names = ", ".join(registry.installed_engines()) or "none"
        raise InvalidParamsError(
            f"Field options.engine must be auto or an installed engine (there are: {names}).",
            field="options.engine",
        )


def input_file(sent: str) -> InputFile:
    """An input by its path as sent; what no file can have is told when names are settled."""
    try:
        return InputFile(sent, absolute_path(sent))
    except ValueError:
        return InputFile(sent, "")


def absolute_path(sent: str) -> str:
    """A path of the wire as one of this system that holds from any working directory. Links stay as they are."""
    return os.path.abspath(path_from_wire(sent))  # noqa: PTH100  # resolve() would follow links


def local_passwords(passwords: Mapping[str, str]) -> dict[str, str]:
    """Passwords by the paths of this system."""
    return {absolute_path(path): word for path, word in passwords.items()}


def _page_settings(options: BatchOptions) -> PageSettings:
    return PageSettings(
        dpi=None if options.dpi == "auto" else options.dpi,
        tessdata_dir=absolute_path(options.tessdata_dir) if options.tessdata_dir else None,
        **options.model_dump(include=set(_PAGE_FIELDS)),
    )


def _sent_files(files: AnyPath | Iterable[AnyPath] | None) -> list[str]:
    if not files:
        return []
    if isinstance(files, str | bytes | os.PathLike):
        # The letters of a path are no files.
        return [_sent(files, "files")]
    try:
        return [_sent(file, "files") for file in files]
    except TypeError as error:
        raise _odd("files", files) from error


def _sent_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the wire has them: Python's callers may give paths as Path."""
    sent = {
        name: _sent(value, f"options.{name}") if isinstance(value, os.PathLike) else value
        for name, value in options.items()
    }
    if isinstance(passwords := sent.get("passwords"), Mapping):
        sent["passwords"] = {_sent(path, "options.passwords"): word for path, word in passwords.items()}
    for name, value in sent.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise _odd(f"options.{name}", value) from error
    return sent


def _sent(path: object, field: str) -> str:
    try:
        return path_to_wire(os.fsdecode(path))  # type: ignore[arg-type]  # what is no path is told by the TypeError
    except TypeError as error:
        raise _odd(field, path) from error


def _odd(field: str, value: object) -> InvalidParamsError:
    return InvalidParamsError(f"Field {field} can't be made of {type(value).__name__}.", field=field)
