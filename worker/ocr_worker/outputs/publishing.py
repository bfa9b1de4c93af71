"""Move a set of outputs into place together, or not at all.

A name that another program claimed first is left alone. What was there before is kept until all is in place, and put
back if a move fails.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from ocr_worker.errors import OutputExistsError
from ocr_worker.files.atomic import (
    Folder,
    FolderId,
    Staged,
    held_folder,
    insist,
    kept_beside,
    part_beside,
    refuse_odd_target,
    sync_folder,
)

Rule = Callable[[os.stat_result], bool]
"""Whether the file of this status may be replaced."""
_NO_LINKS = {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


@dataclass(frozen=True, slots=True)
class _Move:
    """An output that is under its name."""

    folder: Folder
    target: Path
    kept: Path | None
    """What was there before."""

    def undo(self) -> None:
        # The error that led here is what counts.
        with suppress(OSError):
            if self.kept is None:
                self.folder.unlink(self.target)
            else:
                _restore(self.folder, self.kept, self.target)

    def settle(self) -> None:
        if self.kept is not None:
            with suppress(OSError):
                self.folder.unlink(self.kept)


def publish_set(staged: Iterable[Staged], may_replace: Rule, known: FolderId | None = None) -> None:
    """Move all into place in this order, or none; then make the moves durable.

    Args:
        staged: what is to be moved.
        may_replace: decides of what is there already.
        known: the folder of all of them; None where it may be any.

    Raises:
        OutputExistsError: a target is there that may not be replaced.
        OutputPermissionError: the folder is not the one that is known.
        LockedError: a target is in use.
    """
    moves: list[_Move] = []
    with ExitStack() as held:
        folders = dict[Path, Folder]()
        with ExitStack() as undoing:
            for one in staged:
                place = one.target.parent
                if place not in folders:
                    folders[place] = held.enter_context(held_folder(place, known))
                move = _publish(folders[place], one, may_replace)
                undoing.callback(move.undo)
                moves.append(move)
            undoing.pop_all()
        for place in folders:
            sync_folder(place)
        for move in moves:
            move.settle()


def _publish(folder: Folder, staged: Staged, may_replace: Rule) -> _Move:
    kept = insist(lambda: _put(folder, staged, may_replace), staged.target)
    return _Move(folder, staged.target, kept)


def _put(folder: Folder, staged: Staged, may_replace: Rule) -> Path | None:
    """What was there before, under another name; None where the name was free."""
    try:
        _move_to_free(folder, staged.temporary, staged.target)
    except FileExistsError:
        return _swap(folder, staged, may_replace)
    return None


def _swap(folder: Folder, staged: Staged, may_replace: Rule) -> Path:
    refuse_odd_target(staged.target, folder.target_status)
    kept = _set_aside(folder, staged.target)
    try:
        _require_replaceable(folder.status(kept), staged.target, may_replace)
        folder.replace(staged.temporary, staged.target)
    except BaseException:
        _restore(folder, kept, staged.target)
        raise
    return kept


def _require_replaceable(kept: os.stat_result, target: Path, may_replace: Rule) -> None:
    # Asked of the file that was set aside: what has the name now may be another.
    if not may_replace(kept):
        raise OutputExistsError(
            f"{target} was put there by another program during the run. Move it away and try again, or choose another output folder."
        )


def _move_to_free(folder: Folder, temporary: Path, target: Path) -> None:
    """Raises FileExistsError. The second name, the hidden one, is its maker's to remove."""
    try:
        folder.link(temporary, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file system without links: what comes between these two lines is lost.
        if folder.has(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
        folder.rename(temporary, target)


def _set_aside(folder: Folder, target: Path) -> Path:
    """A second name of what is there; the only one where a file system knows no links, so there nobody sweeps it."""
    if sys.platform == "win32":
        # Refused where a program holds the file, like the move that would follow; by then a second name could not be removed.
        folder.rename(target, target)
    kept = part_beside(target)
    try:
        folder.link(target, kept)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        kept = kept_beside(target)
        folder.rename(target, kept)
    return kept


def _restore(folder: Folder, kept: Path, target: Path) -> None:
    if _is_same(folder, kept, target):
        folder.unlink(kept)
        return
    try:
        folder.replace(kept, target)
    except OSError:
        # Less good: a kill between these two leaves the name without a file.
        with suppress(FileNotFoundError):
            folder.unlink(target)
        _move_to_free(folder, kept, target)
        with suppress(FileNotFoundError):
            folder.unlink(kept)


def _is_same(folder: Folder, one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(folder.status(one), folder.status(other))
    except OSError:
        return False
