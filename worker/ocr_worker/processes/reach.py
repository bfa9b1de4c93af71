"""What a task needs of the machine, and so which page process may do it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Union

from ocr_worker.model.tasks import (
    ComposeTask,
    CorrectTask,
    InspectTask,
    OpenTask,
    OverlayTask,
    PageSettings,
    PageTask,
    PictureTask,
    Task,
    WarmTask,
)

Place = tuple[str, Union[tuple[int, int], None]]
"""A folder with its device and inode, where they are known: one that came in its place is another."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a page process may do beside reading and having temporary files. It can only ever be made less."""

    outputs: frozenset[Place] = frozenset()
    """Where it may write."""
    results: bool = False
    """Whether it may write page results."""
    commands: bool = False
    """Whether it may start those of engines and poppler."""

    def covers(self, need: Reach) -> bool:
        """Whether a process of this reach may do what needs that one: commands are for what needs them alone."""
        fits = self.commands == need.commands and self.outputs >= need.outputs
        return fits and self.results >= need.results


def needs_command(settings: PageSettings) -> bool:
    """Whether the engine of these settings starts a command for each page. Looks into the folders of language data."""
    # Late, as page processes import this module, and most need not know of engines.
    from ocr_worker.engines.ocr.registry import command_of

    return bool(command_of(settings))


def reach_of(task: Task, needs_command: Callable[[PageSettings], bool] = needs_command) -> Reach:
    """The least that will do for a task; where nobody can say whether it needs a command, the process does."""
    match task:
        case ComposeTask():
            outputs = frozenset((str(Path(place).parent), task.folder) for place in task.outputs.values())
            return Reach(outputs, results=True, commands=needs_command(task.settings))
        case CorrectTask():
            outputs = frozenset((str(Path(place).parent), None) for place in task.outputs.values())
            return Reach(outputs, results=True)
        case OverlayTask() | PictureTask():
            return Reach(frozenset({(str(Path(task.picture).parent), None)}))
        case OpenTask() | PageTask():
            return Reach(results=True, commands=needs_command(task.settings))
        case InspectTask() | WarmTask():
            return Reach()


def source_of(task: Task) -> str:
    """The file that it is about; no name for one that is about none."""
    return "" if isinstance(task, WarmTask) else task.source.path


def places_of(task: Task) -> frozenset[str]:
    """The folders of users in which a task can be held up: where it looks first, or writes last."""
    match task:
        case OpenTask() | InspectTask():
            return frozenset({str(Path(task.source.path).parent)})
        case ComposeTask():
            return frozenset(str(Path(place).parent) for place in task.outputs.values())
        case _:
            return frozenset()
