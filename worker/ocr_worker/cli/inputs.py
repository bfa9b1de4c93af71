"""Take the inputs of a batch as they were named. Opens none of them."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from ocr_worker.errors import NotFoundError


def some_path(text: str) -> Path:
    """One that was given: of an empty one, as of a variable without a value, would come the working folder."""
    if not text:
        raise typer.BadParameter("it is empty; is it a variable without a value?")
    return Path(text)


def meant(path: Path) -> list[Path]:
    """The path; on Windows, whose shells leave patterns to programs, the files and folders that it means, if any."""
    if sys.platform != "win32" or not {"*", "?"} & set(str(path.relative_to(path.anchor))):
        return [path]
    import glob

    # There a bracket is a letter of names.
    return sorted(map(Path, glob.glob(str(path).replace("[", "[[]")))) or [path]  # noqa: PTH207  # Path.glob takes none that is absolute


def require_any(paths: Sequence[Path]) -> None:
    """Refuse a batch of which no named file is there: it would make a folder and a job for a slip of the pen.

    Raises NotFoundError, which names a file that may have been meant.
    """
    if paths and not any(os.path.exists(path) for path in paths):  # noqa: PTH110 - as below
        require_all(paths)


def require_all(paths: Sequence[Path]) -> None:
    """Raises NotFoundError for the first that is not there."""
    for path in paths:
        if os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a name that is too long
            continue
        if os.path.lexists(path):
            raise NotFoundError(f"{path} is a link that leads nowhere: check where its file has gone.")
        near = _nearest(path)
        raise NotFoundError(
            f"There is no {path}: " + (f"did you mean {near}?" if near else "check its path.")
        )


def _nearest(path: Path) -> Path | None:
    try:
        names = os.listdir(path.parent)  # noqa: PTH208  # names alone are wanted
    except OSError:
        return None
    close = difflib.get_close_matches(path.name, names, 1)
    return path.with_name(close[0]) if close else None
