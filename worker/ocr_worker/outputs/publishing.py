"""Move a set of outputs into place together, or not at all.

A name that another program claimed first is left alone. What was there before is kept until all is in place, and put
back if a move fails.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from ocr_worker.errors import OutputExistsError
from ocr_worker.files.atomic import Staged, insist, part_beside, refuse_odd_target, sync_folder

Rule = Callable[[os.stat_result], bool]
"""Whether the file of this status may be replaced."""
_NO_LINKS = {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
_FOLLOWS = os.link not in os.supports_follow_symlinks


@dataclass(frozen=True, slots=True)
class _Move:
    """An output that is under its name."""

    target: Path
    kept: Path | None
    """What was there before."""

    def undo(self) -> None:
        # The error that led here is what counts.
        with suppress(OSError):
            if self.kept is None:
                self.target.unlink()
            else:
                _restore(self.kept, self.target)

    def settle(self) -> None:
        if self.kept is not None:
            with suppress(OSError):
                self.kept.unlink()


def publish_set(staged: Iterable[Staged], may_replace: Rule) -> None:
    """Move all into place in this order, or none; then make the moves durable.

    Raises:
        OutputExistsError: a target is there that may not be replaced.
        LockedError: a target is in use.
    """
    moves: list[_Move] = []
    with ExitStack() as undoing:
        for one in staged:
            move = _publish(one, may_replace)
            undoing.callback(move.undo)
            moves.append(move)
        undoing.pop_all()
    for folder in {move.target.parent for move in moves}:
        sync_folder(folder)
    for move in moves:
        move.settle()


def _publish(staged: Staged, may_replace: Rule) -> _Move:
    kept = insist(lambda: _put(staged, may_replace), staged.target)
    return _Move(staged.target, kept)


def _put(staged: Staged, may_replace: Rule) -> Path | None:
    """What was there before, under a hidden name; None where the name was free."""
    try:
        _move_to_free(staged.temporary, staged.target)
    except FileExistsError:
        return _swap(staged, may_replace)
    return None


def _swap(staged: Staged, may_replace: Rule) -> Path:
    refuse_odd_target(staged.target)
    kept = part_beside(staged.target)
    _set_aside(staged.target, kept)
    try:
        _require_replaceable(kept, staged.target, may_replace)
        staged.temporary.replace(staged.target)
    except BaseException:
        _restore(kept, staged.target)
        raise
    return kept


def _require_replaceable(kept: Path, target: Path, may_replace: Rule) -> None:
    # Asked of the file that was set aside: what has the name now may be another.
    if not may_replace(kept.lstat()):
        raise OutputExistsError(
            f"{target} was put there by another program during the run. Move it away and try again, or choose another output folder."
        )


def _move_to_free(temporary: Path, target: Path) -> None:
    """Raises FileExistsError. The second name, the hidden one, is its maker's to remove."""
    try:
        os.link(temporary, target, follow_symlinks=_FOLLOWS)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file system without links: what comes between these two lines is lost.
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
        temporary.rename(target)


def _set_aside(target: Path, kept: Path) -> None:
    try:
        os.link(target, kept, follow_symlinks=_FOLLOWS)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        target.rename(kept)


def _restore(kept: Path, target: Path) -> None:
    if _is_same(kept, target):
        kept.unlink()
        return
    try:
        kept.replace(target)
    except OSError:
        # Less good: a kill between these two leaves the name without a file.
        target.unlink(missing_ok=True)
        _move_to_free(kept, target)
        kept.unlink(missing_ok=True)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(one.lstat(), other.lstat())
    except OSError:
        return False
