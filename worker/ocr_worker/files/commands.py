"""Programs by name, from PATH alone, as Windows would take one from the working directory, which may be anybody's.

And without a window that nobody asked for.
"""

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


def window_flags() -> int:
    """How Windows is to start one: it shares our console; where we have none, one that nobody sees is made for it."""
    if sys.platform == "win32":
        import ctypes
        import subprocess

        if not ctypes.windll.kernel32.GetConsoleCP():
            return subprocess.CREATE_NO_WINDOW
    return 0
