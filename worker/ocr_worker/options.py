"""From the wire's batch options to a job's: parsed at the edge, so that inner code gets proof."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ocr_protocol.codec import decode
from ocr_protocol.commands import OcrBatch
from ocr_protocol.options import BatchOptions
from ocr_protocol.paths import path_from_wire, path_to_wire
from ocr_protocol.refusals import WireError
from ocr_worker.engines.catalogue import require_languages
from ocr_worker.errors import InvalidParamsError
from ocr_worker.jobs import InputFile, JobOptions, JobRequest
from ocr_worker.pipeline.tasks import PageSettings

_PAGE_FIELDS = frozenset(PageSettings.__slots__) - {"dpi", "tessdata_dir"}
_JOB_FIELDS = frozenset(JobOptions.__slots__) - {"page"}


def make_request(files: Sequence[str], output_dir: str, options: dict[str, Any]) -> JobRequest:
    """Check a library caller's arguments as the wire's are checked.

    Raises:
        InvalidParamsError: the message names the field.
        LanguageMissingError, EngineMissingError: the message says how to install it.
    """
    sent = [path_to_wire(file) for file in files]
    fields = {
        "command": "ocr_batch",
        "files": sent,
        "output_dir": path_to_wire(output_dir) if output_dir else "",
        "options": options,
    }
    try:
        command = decode(json.dumps(fields).encode("ascii"))
    except WireError as error:
        raise InvalidParamsError(error.message, **error.details) from error
    assert isinstance(command, OcrBatch)
    return batch_request(command)


def batch_request(command: OcrBatch) -> JobRequest:
    """The job that a command asks for; languages and engine are known to be there."""
    options = command.options
    folder = absolute_path(command.output_dir)
    page = _page_settings(options)
    require_languages(page.languages, page.engine, page.tessdata_dir)
    return JobRequest(
        tuple(InputFile(sent, absolute_path(sent)) for sent in command.files),
        Path(folder),
        command.output_dir,
        JobOptions(page=page, **options.model_dump(include=set(_JOB_FIELDS))),
        command.priority,
        local_passwords(options.passwords),
    )


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
