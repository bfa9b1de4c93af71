"""Turn the arguments of a Python caller into a job request."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from ocr_worker.engines.ocr import registry
from ocr_worker.errors import InvalidParamsError
from ocr_worker.files.paths import AnyPath, written
from ocr_worker.jobs.requests import Asked, job_request, require_known_engine, with_own_paths
from ocr_worker.model.jobs import JobRequest
from ocr_worker.model.option_table import PRIORITY, accepted, check, make_options
from ocr_worker.model.options import PageSettings

__all__ = ["AnyPath", "make_request"]


def make_request(
    files: AnyPath | Iterable[AnyPath] | None, output_dir: AnyPath | None, options: Mapping[str, Any]
) -> JobRequest:
    """Check a caller's arguments. A single path is one file.

    Raises:
        InvalidParamsError: the message names the argument.
        LanguageMissingError, EngineMissingError: the message says how to install it.
    """
    given = dict(options)
    priority = accepted(PRIORITY, given.pop("priority", PRIORITY.default), "priority")
    chosen = make_options(given)
    passwords = check("passwords", given.get("passwords", {}), str)
    folder = _written(output_dir, "output_dir", "the path of a folder") if output_dir else ""
    return job_request(Asked(_files(files), folder, chosen, passwords, priority))


def make_page_settings(options: Mapping[str, Any]) -> PageSettings:
    """How a single page is to be read. Raises as `make_request`."""
    settings = with_own_paths(make_options(options)).page
    require_known_engine(settings.engine)
    settings = registry.with_own_codes(settings)
    registry.require(settings)
    return settings


def _files(files: AnyPath | Iterable[AnyPath] | None) -> tuple[str, ...]:
    if not files:
        return ()
    if isinstance(files, str | bytes | os.PathLike):
        # The letters of a path are no files.
        return (_written(files, "files", _FILES),)
    # An open file is iterable as well: its lines are no paths.
    if hasattr(files, "read") or not isinstance(files, Iterable):
        raise _odd("files", _FILES, files)
    return tuple(_written(file, "files", _FILES) for file in files)


_FILES = "a path, or a list of paths"


def _written(path: object, name: str, must_be: str) -> str:
    if not isinstance(path, str | bytes | os.PathLike):
        raise _odd(name, must_be, path)
    return written(os.fsdecode(path))


def _odd(name: str, must_be: str, value: object) -> InvalidParamsError:
    return InvalidParamsError(f"{name} must be {must_be}, not {type(value).__name__}", field=name)
