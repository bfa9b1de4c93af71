"""Make a page process, and the commands it starts, end with the worker."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from ocr_worker.processes.prctl import PR_SET_PDEATHSIG


def die_with(parent: int) -> None:
    """Have the system end this process when the worker's ends, and our commands when we do. Linux alone has the means."""
    if sys.platform == "linux":
        _dying_with(parent)()
        # Engines and pdf2image start their commands themselves, so it is changed what they do it with.
        subprocess.Popen = _MortalCommand  # type: ignore[misc]


def end_group() -> None:
    """End this process by force, and with it what it started (an engine's or poppler's command)."""
    if sys.platform != "win32":
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if sys.platform == "linux":

    class _MortalCommand(subprocess.Popen[Any]):
        """A command that is killed when the process that started it is gone, even if that was alone and by force."""

        def __init__(self, *args: Any, **options: Any) -> None:
            # Unsafe beside threads in general; our one other thread does nothing but read lines.
            options["preexec_fn"] = _dying_with(os.getpid())
            super().__init__(*args, **options)

    def _dying_with(parent: int) -> Callable[[], None]:
        # Looked up ahead: what runs between fork and exec is to do as little as can be.
        prctl = ctypes.CDLL(None).prctl

        def ask_to_die() -> None:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        return ask_to_die
