"""Remove what killed processes left: hidden `.part` files with the mark of a dead process."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from ocr_worker.errors import OcrError
from ocr_worker.files.atomic import held_folder
from ocr_worker.files.liveness import MARK_PATTERN, is_dead, own_mark

MARK = re.compile(MARK_PATTERN)
PART = re.compile(rf"\.ocr-({MARK_PATTERN})-[0-9a-f]+\.part")


def sweep_parts(folder: Path) -> None:
    """Remove the temporary files of dead processes from an output folder, and from no other that gets its name."""
    with suppress(OcrError), held_folder(folder) as held:
        for name in held.names():
            if (found := PART.fullmatch(name)) and is_dead(found.group(1)):
                with suppress(OSError):
                    held.unlink(folder / name)


def make_temp_folder(folder: Path) -> Path:
    """A new temporary folder of this process, for its owner alone; those that dead processes left are removed.

    Where `folder` can't be made, the system's place for temporary files is taken.
    """
    sweep_folders(folder)
    mine = folder / own_mark()
    try:
        # One after the other: of several made at once only the last would get the mode.
        for place in (folder.parent, folder, mine):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=mine))
    except OSError:
        return Path(tempfile.mkdtemp(prefix="ocr-worker-"))


def leave_temp_folder(folder: Path) -> None:
    """Remove the folder in which this process's temporary folders lay, where none is left; another part of it may have some."""
    for place in (folder / own_mark(), folder):
        with suppress(OSError):
            place.rmdir()


def sweep_folders(folder: Path) -> None:
    """Remove the temporary folders of dead processes, which are named by their marks."""
    for name in _names(folder):
        if MARK.fullmatch(name) and is_dead(name):
            remove_tree(folder / name)


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it, as far as that can be done: however deep, and closed to us where it is ours."""
    if folder.is_symlink():
        return
    with suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        # What is left is brought up step by step: a path may be too long to be named.
        names = (f"{secrets.token_hex(8)}-{number}" for number in count())
        while left := list(os.scandir(folder)):
            for entry in left:
                if entry.is_dir(follow_symlinks=False):
                    _bring_up(Path(entry.path), folder, names)
                else:
                    Path(entry.path).unlink()
        folder.rmdir()


def _bring_up(inner: Path, folder: Path, names: Iterator[str]) -> None:
    """Move what is in a folder to the one above, and remove it."""
    inner.chmod(0o700)
    for entry in list(os.scandir(inner)):
        if entry.is_dir(follow_symlinks=False):
            # Its own way up is written in it.
            Path(entry.path).chmod(0o700)
        Path(entry.path).rename(folder / next(names))
    inner.rmdir()


def _names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError:
        return []
