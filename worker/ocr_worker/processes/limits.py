"""What a page process takes at most of memory, processor time, files and processes: limits that the system itself keeps."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

NICENESS = 5
SESSION, SESSION_NICENESS = "/proc/self/autogroup", 3
"""Of two cores the worker then has one against two page processes, and no Python uses more; they keep half of what others have."""
FIRST_TO_GO = "500"
"""Of 1,000: where memory runs out, the kernel ends a page before the worker, or a node of a cluster with all its pages."""
TASK_CPU_SECONDS = 900
MOST_FILE_BYTES = 2**35
MOST_OPEN_FILES = 256
MOST_PROCESSES = 16
"""With the commands of one that may start some."""

if sys.platform == "win32":
    from ocr_worker.processes.windows import Job, hold_for_good

    class Limits:
        """Of this process. Some systems refuse one outright; a page without it is better than no page."""

        def __init__(self, memory_bytes: int, *, gives_way: bool = True) -> None:  # noqa: ARG002  # the worker sets the priority
            self._memory_bytes = memory_bytes
            self._job: Job | None = None

        def begin(self) -> None:
            """Nothing yet: job objects nest in the order in which they take a process, and the worker's comes first."""

        def close(self, commands: tuple[str, ...] | None) -> None:
            """Before the first file: what this process starts from now on ends with it, and it can't lift what it is held to."""
            with suppress(OSError):
                self._job = Job()
                # Without it a killed page leaves its command to run to its end, which is better than no page.
                self._job.take(os.getpid())
            with suppress(OSError):
                hold_for_good(self._memory_bytes, MOST_PROCESSES if commands else 1)

        def allow_task(self) -> None:
            """Allow one more task's share of processor time. The worker's deadline comes first, unless the worker hangs."""
            if self._job is not None:
                with suppress(OSError):
                    self._job.allow(time.process_time() + TASK_CPU_SECONDS)

else:
    import resource

    class Limits:
        """Of this process. Some systems refuse one outright; a page without it is better than no page."""

        def __init__(self, memory_bytes: int, *, gives_way: bool = True) -> None:
            """`gives_way`: to processes of other sessions, too."""
            self._memory_bytes, self._gives_way = memory_bytes, gives_way
            self._session: int | None = None
            """Where the niceness of our session is still to be written."""

        def begin(self) -> None:
            """At the start, and for good."""
            os.nice(NICENESS)
            with suppress(OSError):
                # Not where the session is another's as well.
                if self._gives_way and os.getsid(0) == os.getpid():
                    self._session = os.open(SESSION, os.O_WRONLY)
            self._give_way()
            if sys.platform == "linux":
                with suppress(OSError):
                    Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO, encoding="ascii")
            for limit, most in (
                (resource.RLIMIT_AS, self._memory_bytes),
                (resource.RLIMIT_CORE, 0),
                (resource.RLIMIT_FSIZE, MOST_FILE_BYTES),
                (resource.RLIMIT_NOFILE, MOST_OPEN_FILES),
            ):
                _, hard = resource.getrlimit(limit)
                allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
                with suppress(OSError, ValueError):
                    resource.setrlimit(limit, (allowed, allowed))

        def close(self, commands: tuple[str, ...] | None) -> None:
            """Nothing more: all is held from the start, and the sandbox sees to commands."""

        def _give_way(self) -> None:
            """Lower our session, too: where Linux shares processors out by sessions, niceness counts within one alone."""
            if self._session is None:
                return
            try:
                os.write(self._session, b"%d" % SESSION_NICENESS)
            except BlockingIOError:
                # One in a tenth of a second may, of all on the machine: the next task tries again.
                return
            except OSError:
                pass
            os.close(self._session)
            self._session = None

        def allow_task(self) -> None:
            """Allow one more task's share of processor time. The worker's deadline comes first, unless the worker hangs."""
            self._give_way()
            _, hard = resource.getrlimit(resource.RLIMIT_CPU)
            soft = int(time.process_time()) + TASK_CPU_SECONDS
            allowed = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_CPU, (allowed, hard))
