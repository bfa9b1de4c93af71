"""One page process with its pipe and its folder for temporary files: started, spoken to, ended.

Owned by one thread. A reader thread of its own only posts what the process says to that thread's inbox.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Union

from ocr_worker.engines.ocr.loading import FATAL, MARK
from ocr_worker.files.sweep import make_temp_folder, remove_tree
from ocr_worker.model.tasks import Confine, Outcome, PageSettings, Task, WarmTask
from ocr_worker.processes import messages
from ocr_worker.processes.meter import Taken, taken
from ocr_worker.processes.reach import Reach
from ocr_worker.settings import Settings

if TYPE_CHECKING:
    import psutil

START = (
    "import sys; sys.path[:] = [place for place in sys.path if place];"
    " from ocr_worker.__main__ import main; sys.exit(main())"
)
"""Unlike `-m`, this imports nothing from the working directory, which may be anybody's. (`-P` needs Python 3.11.)"""
_FOLDERS = ("TESSDATA_PREFIX",)
WARM_UP = 0
"""The ticket of every warm-up; those of tasks are above it."""
WARM_UP_SECONDS = 120
FAULTS = frozenset({"SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV"})
STATUS_WARNING = 0x8000_0000
"""Windows' exit codes from here on are those of exceptions; who ends a process gives a small one."""


@dataclass(frozen=True, slots=True)
class SlotSpoke:
    slot: Slot
    line: bytes


@dataclass(frozen=True, slots=True)
class SlotEnded:
    slot: Slot
    last_words: str
    loading: bool
    """Whether it was loading ONNX Runtime."""


SlotMessage = Union[SlotSpoke, SlotEnded]
Duty = Literal["pages", "questions"]
"""Of a job, or single ones, which wait for no job."""


class Slot:
    """`ticket` is the task in work; WARM_UP where there is none but that, None is idle."""

    def __init__(
        self, settings: Settings, post: Callable[[SlotMessage], None], fatal: str = "", duty: Duty = "pages"
    ) -> None:
        """Start the process.

        Args:
            settings: of the worker.
            post: puts a message into the owner's inbox, from any thread.
            fatal: how one ended that loaded ONNX Runtime, so that this one does without.
            duty: what it is for, as lists of processes show.

        Raises:
            OSError: it can't be started.
        """
        self.ticket: int | None = None
        self.deadline = self.limit_seconds = 0.0
        self.begun_at = 0.0
        """When its task was begun, after any warm-up."""
        self.pages = 0
        self.idle_since = time.monotonic()
        self.timed_out = False
        self.killed_at: float | None = None
        self.excess: str | None = None
        """What it took more of than it may, for which it was ended."""
        self.is_bare = True
        """It has not been told yet for which settings to be ready."""
        self.reach: Reach | None = None
        """None as long as it was given nothing but libraries to load."""
        self.has_spoken = False
        """It has answered something, be it that it is warm."""
        self._done = set[object]()
        """Kinds of outcomes that it had."""
        self.task: Task | None = None
        """The last one that it was given."""
        self._post = post
        self._temp = make_temp_folder(settings.temp_dir)
        self._gone = threading.Event()
        self._stderr: deque[str] = deque(maxlen=8)
        self._meter: psutil.Process | None = None
        """Kept: to make one takes longer than to read it."""
        try:
            self._process = _spawn(settings, self._temp, fatal, duty)
            self.pid = self._process.pid
            self._listen()
        except OSError:
            remove_tree(self._temp)
            raise

    def confine(self, reach: Reach, jobs_dir: Path) -> None:
        """Hold it to this before its next task, and for good. Once."""
        self.reach = reach
        writes = [str(jobs_dir)] if reach.results else []
        writes += [folder for folder, _ in reach.outputs]
        self._say(messages.dump(WARM_UP, Confine(tuple(writes), reach.commands)))

    def give(self, ticket: int, task: Task, limit_seconds: float) -> None:
        """Its pipe holds the task until the process is ready for it; a process that has died is reported by its reader."""
        self.ticket, self.task, self.limit_seconds = ticket, task, limit_seconds
        self.begun_at = time.monotonic()
        self.deadline = self.begun_at + limit_seconds
        self._say(messages.dump(ticket, task))

    def warm(self, settings: PageSettings | None) -> None:
        """Have it load the libraries, and the engine of these settings if that takes long, before it gets a task."""
        self.is_bare = settings is None
        self.give(WARM_UP, warm_task(settings), WARM_UP_SECONDS)

    def _say(self, line: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def rest(self) -> None:
        """Its task is done."""
        self.ticket, self.idle_since = None, time.monotonic()

    @property
    def has_worked(self) -> bool:
        """Whether it has done a task."""
        return bool(self._done)

    def note(self, outcome: Outcome) -> bool:
        """Take note of what it did; whether it had done none of this kind: a page that was read is no blank one."""
        kind = (type(outcome), getattr(outcome, "status", None))
        is_first = kind not in self._done
        self._done.add(kind)
        return is_first

    def let_go(self) -> None:
        """An idle process ends when its stdin does."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def kill(self) -> None:
        """End it at once, with all that it started."""
        self.killed_at = self.killed_at or time.monotonic()
        with suppress(OSError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self.pid, signal.SIGKILL)

    def has_died(self) -> bool:
        """Known at once, before the reader says so."""
        return self._process.poll() is not None

    def wait_gone(self, seconds: float) -> None:
        """Wait until the process is dead and its folder removed."""
        self._gone.wait(seconds)

    def rss_bytes(self) -> int:
        """Resident memory; 0 when that can't be read."""
        # Late: a worker that says hello does without it.
        import psutil

        try:
            return int(self._measured().memory_info().rss)
        except psutil.Error:
            return 0

    def taken(self) -> Taken:
        """What it takes of the machine; nothing where that can't be read."""
        import psutil

        try:
            return taken(self._measured())
        except psutil.Error:
            return Taken()

    def how_it_ended(self) -> str:
        name, code = self.signal_name(), self._process.returncode
        return f"was ended by {name}" if name else f"ended with exit code {code}"

    def is_at_fault(self) -> bool:
        """Whether it died of what it did itself, and nobody ended it."""
        code = self._process.returncode
        return self.signal_name() in FAULTS or (sys.platform == "win32" and code >= STATUS_WARNING)

    def signal_name(self) -> str | None:
        """Of the signal that it died by, if it did."""
        code = self._process.returncode
        return signal.Signals(-code).name if code is not None and code < 0 else None

    def _measured(self) -> psutil.Process:
        import psutil

        self._meter = self._meter or psutil.Process(self.pid)
        return self._meter

    def _listen(self) -> None:
        drain = threading.Thread(target=_drain, args=(self._process.stderr, self._stderr), daemon=True)
        reader = threading.Thread(target=self._read, args=(drain,), name=f"page {self.pid}", daemon=True)
        try:
            drain.start()
            reader.start()
        except RuntimeError as error:
            self.kill()
            self._process.wait()
            raise BlockingIOError(errno.EAGAIN, f"a page process got no thread: {error}") from error

    def _read(self, drain: threading.Thread) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            # A hostile file may have taken it over, and write without end.
            while line := lines.readline(messages.MOST_LINE_BYTES):
                self._post(SlotSpoke(self, line))
                if len(line) == messages.MOST_LINE_BYTES:
                    self.kill()
                    break
        self._process.wait()
        loading = os.path.lexists(self._temp / MARK)
        remove_tree(self._temp)
        self._gone.set()
        drain.join(1)
        self._post(SlotEnded(self, " | ".join(self._stderr), loading))


def await_gone(slots: Iterable[Slot], seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
    """Wait for killed processes, for so long in all: one in the middle of a disk write takes a moment."""
    deadline = clock() + seconds
    for slot in slots:
        slot.wait_gone(max(0.0, deadline - clock()))


def _spawn(settings: Settings, temp: Path, fatal: str, duty: Duty) -> subprocess.Popen[bytes]:
    program, told = interpreter()
    return subprocess.Popen(
        _command(program, settings, duty),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**_environment(temp), **told, **({FATAL: fatal} if fatal else {})},
        start_new_session=True,
        creationflags=_creation_flags(),
    )


def _creation_flags() -> int:
    """On Windows: with a console of its own that nobody sees, so that no Ctrl-C comes there and no command opens a window."""
    if sys.platform == "win32":
        return subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
    return 0


def interpreter() -> tuple[str, dict[str, str]]:
    """The program that runs us, and what it has to be told by its environment.

    In a virtual environment of Windows sys.executable only starts it, as a process with another number than ours.
    """
    base = getattr(sys, "_base_executable", sys.executable)
    if sys.platform != "win32" or base == sys.executable:
        return sys.executable, {}
    return base, {"__PYVENV_LAUNCHER__": sys.executable}


def _command(program: str, settings: Settings, duty: Duty) -> list[str]:
    return own_command(program, "page-process", str(os.getpid()), str(settings.memory_limit_mib), duty)


def own_command(program: str, *words: str) -> list[str]:
    """To run ourselves with other words."""
    frozen = getattr(sys, "frozen", False)
    start = [program] if frozen else [program, *interpreter_flags(sys.flags), "-c", START]
    return [*start, *words]


def interpreter_flags(flags: Any) -> list[str]:
    """What shuts our interpreter off from its surroundings shuts off a page process, too.

    Args:
        flags: `sys.flags`. Isolation ignores PYTHONUTF8 as well, so that the mode is given with it.
    """
    # Before Python 3.11 there is no safe path.
    safe_path = getattr(flags, "safe_path", False) and not flags.isolated
    options = {
        "-I": flags.isolated,
        "-E": flags.ignore_environment and not flags.isolated,
        "-s": flags.no_user_site and not flags.isolated,
        "-P": safe_path,
        "-S": flags.no_site,
        "-B": flags.dont_write_bytecode,
    }
    return [option for option, is_set in options.items() if is_set] + ["-X", "utf8"] * bool(flags.utf8_mode)


def warm_task(settings: PageSettings | None) -> WarmTask:
    """Have the libraries loaded, and the engine of these settings if that takes long."""
    if settings is None:
        return WarmTask()
    from ocr_worker.engines.ocr.registry import takes_long

    return WarmTask(settings, takes_long(settings))


def _environment(temp: Path) -> dict[str, str]:
    environment = dict(os.environ, OMP_THREAD_LIMIT="1", TMPDIR=str(temp), TEMP=str(temp), TMP=str(temp))
    # The process leaves our working directory.
    environment.update(
        {name: str(Path(environment[name]).absolute()) for name in _FOLDERS if environment.get(name)}
    )
    # PyInstaller points the loader at its own folder; our children need the system's again.
    if "LD_LIBRARY_PATH_ORIG" in environment:
        environment["LD_LIBRARY_PATH"] = environment.pop("LD_LIBRARY_PATH_ORIG")
    return environment


def _drain(stderr: IO[bytes], kept: deque[str]) -> None:
    """Keep the last words of a page process, so that it never blocks on a full stderr."""
    with stderr:
        while line := stderr.readline(500):
            kept.append(line.decode("utf-8", "replace").strip())
