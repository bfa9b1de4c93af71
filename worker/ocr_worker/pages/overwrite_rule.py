"""Which files in the places of a file's outputs may be replaced: what was there before the run is looked at again."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from ocr_worker.files.atomic import Staged, write_unsynced
from ocr_worker.files.regular import read_regular
from ocr_worker.model.tasks import ComposeTask
from ocr_worker.outputs.publishing import Rule
from ocr_worker.outputs.results_file import read_results

_Stamp = tuple[int, int, int, int]


def replacing_rule(task: ComposeTask) -> Rule:
    """What `on_existing` allows, and always what this very job put there before it was interrupted."""
    if task.on_existing == "overwrite":
        return _is_file_or_link
    stamps = set(_published(task))
    if task.on_existing == "skip":
        stamps |= _stamps(output.lstat for output in _of_an_earlier_run(task))
    return lambda status: _stamp(status) in stamps


def note_published(task: ComposeTask, staged: Iterable[Staged]) -> None:
    """Keep beside the page results what will be published: after a kill it is known again."""
    stamps = {*_published(task), *_stamps(one.status for one in staged)}
    write_unsynced(_notes(task), json.dumps(sorted(stamps)).encode("ascii"))


def _of_an_earlier_run(task: ComposeTask) -> list[Path]:
    """Outputs that the results beside them name as this source's."""
    place = task.results or task.outputs.get("json")
    results = read_results(Path(place)) if place else None
    if results is None or results.source != os.path.realpath(task.source.path):
        return []
    return [Path(output) for kind, output in task.outputs.items() if kind in results.kinds]


def _published(task: ComposeTask) -> list[_Stamp]:
    try:
        return [(dev, ino, size, time) for dev, ino, size, time in json.loads(read_regular(_notes(task)))]
    except (OSError, ValueError, TypeError):
        return []


def _notes(task: ComposeTask) -> Path:
    return Path(task.result_dir) / "published"


def _stamps(looks: Iterable[Callable[[], os.stat_result]]) -> set[_Stamp]:
    found = set()
    for look in looks:
        with suppress(OSError):
            found.add(_stamp(look()))
    return found


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _is_file_or_link(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)
