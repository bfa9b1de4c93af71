"""Programs by name, from PATH alone: Windows would take one from the working directory, which may be anybody's."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

_ENDING = ".exe" if sys.platform == "win32" else ""


def find_command(name: str) -> Path | None:
    """Where it is; None when no folder of PATH has it. Folders that PATH does not name in full are passed over."""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        # Given with its folder and its ending, a name is looked for nowhere else.
        place = Path(folder) / (name if Path(name).suffix else f"{name}{_ENDING}")
        if place.is_absolute() and shutil.which(place):
            return place
    return None
