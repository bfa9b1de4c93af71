"""What a page process takes, asked from outside: for what its system keeps no limit of, or does not keep as it should.

Linux keeps all of them. macOS keeps none of address space, Windows none of handles.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_worker.settings import MIB

if TYPE_CHECKING:
    import psutil

IS_NEEDED = sys.platform != "linux"
INTERVAL_SECONDS = 0.5
"""What is taken in less time than this is not seen."""
MOST_HANDLES = 2048
"""A page takes a few hundred."""


@dataclass(frozen=True, slots=True)
class Taken:
    memory_bytes: int = 0
    """What it has in memory, or what Windows has promised it if that is more."""
    handles: int = 0
    """Of Windows."""

    def excess(self, memory_limit_mib: int) -> str | None:
        """What it takes more of than it may."""
        if self.memory_bytes > memory_limit_mib * MIB:
            return f"{memory_limit_mib} MiB of memory"
        return f"{MOST_HANDLES} handles" if self.handles > MOST_HANDLES else None


def taken(process: psutil.Process) -> Taken:
    """Raises psutil.Error."""
    memory = process.memory_info()
    if sys.platform == "win32":
        # Not `private`, which should say the same: Wine leaves there what happened to lie in memory.
        return Taken(max(memory.vms, memory.rss), process.num_handles())
    return Taken(memory.rss)
