"""Turn what a client asked for into a job: its files by upload or path, where its outputs go, what is remembered of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ocr_worker.errors import InvalidParamsError, NotFoundError
from ocr_worker.jobs.folder_search import Search
from ocr_worker.jobs.requests import Asked
from ocr_worker.model.option_table import make_options
from ocr_worker.model.results import Accepted
from ocr_worker.server.desk import Desk

FOLDER_SECONDS = 20.0
"""How long one folder may take to look through."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job that a client wants."""

    files: Sequence[Path]
    options: Mapping[str, Any]
    output_dir: Path | None = None
    """None for a folder that the service keeps."""
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    priority: int = 0
    order: Mapping[str, Any] = field(default_factory=dict)
    """What only this face knows of the job."""


async def start(desk: Desk, wanted: Wanted) -> Accepted:
    """Admit the job. Raises OcrError."""
    options = make_options(wanted.options, lambda name: f"options.{name}")
    # Paths below them were made real when they were named, so a link that is there later was put there since.
    fixed = (*options.no_links_below, *map(str, desk.places.roots))
    options = replace(options, no_links_below=fixed)
    folder = wanted.output_dir or desk.places.new_results()
    files = tuple(str(file) for file in wanted.files)
    asked = Asked(files, str(folder), options, dict(wanted.passwords), wanted.priority)
    try:
        accepted = await desk.start(asked)
    except BaseException:
        if wanted.output_dir is None:
            folder.rmdir()
        raise
    desk.places.keep_order(accepted.job_id, dict(wanted.order))
    return accepted


def found(desk: Desk, named: str, output_dir: Path | None, most: int) -> list[Path]:
    """The file that a client names by path, or those in and below a folder, in order of names.

    Takes as long as the disk does.

    Raises:
        PermissionDeniedError: it lies outside of all roots.
        NotFoundError: the folder can't be read, or has no file to read.
        InvalidParamsError: it has more than so many, or there is too much to look through.
    """
    path = desk.places.named(named)
    if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        return [path]
    # Outputs of earlier runs lie beside their files where none of them was told to go elsewhere.
    files = Search(output_dir or path, most=most, limit_seconds=FOLDER_SECONDS)(path)
    if not files:
        raise NotFoundError(f"{named} has no PDF and no picture.")
    return files


def require_few(files: Collection[Path], most: int) -> None:
    """Raises InvalidParamsError: folders have more files than a job may have here."""
    if len(files) > most:
        raise InvalidParamsError(f"There are more than {most:,} files. Start several jobs.", field="files")


async def output_dir(desk: Desk, named: str | None) -> Path | None:
    """A folder below a root that outputs go to. Raises PermissionDeniedError."""
    return None if named is None else await asyncio.to_thread(desk.places.named, named)
