"""A page process as the worker starts it, whose work is to try what it must not be able to do.

Run as a program by `attempts_inside`: the process is the real one, only its workbench does something else.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import socket
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocr_worker.model.tasks import Confine, Inspected, InspectTask, Source, Task
from ocr_worker.processes import messages
from ocr_worker.processes.prctl import PR_SET_PDEATHSIG

LIMIT_SECONDS = 60
MEMORY_MIB = 2048
DONE = "done"
AT_CWD, RENAME_EXCHANGE = -100, 2
PTRACE_ATTACH, CLONE_NEWUSER, X32 = 16, 0x10000000, 0x40000000
FS_IOC_SETFLAGS, FIFREEZE = 0x40086602, 0xC0045877
"""The second plus one thaws, which does no harm."""
CALLS = {
    "ptrace": (101, 117), "bpf": (321, 280), "mount": (165, 40), "unshare": (272, 97), "setns": (308, 268),
    "io_uring_setup": (425, 425), "kexec_load": (246, 104), "init_module": (175, 105),
    "perf_event_open": (298, 241), "keyctl": (250, 219), "open_by_handle_at": (304, 265),
    "userfaultfd": (323, 282), "process_vm_readv": (310, 270), "shmget": (29, 194), "execveat": (322, 281),
    "pivot_root": (155, 41), "chroot": (161, 51), "fsopen": (430, 430), "swapoff": (168, 225),
    "io_uring_enter": (426, 426), "process_vm_writev": (311, 271), "pidfd_getfd": (438, 438), "setsid": (112, 157),
    "setpgid": (109, 154), "move_mount": (429, 429), "mount_setattr": (442, 442), "mq_open": (240, 180),
    "memfd_create": (319, 279), "sched_setattr": (314, 274), "ioprio_set": (251, 30),
}  # fmt: skip
"""By their numbers on x86-64 and arm64, each with arguments that would do no harm."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the process may write, and where it may not."""

    output: Path
    results: Path
    foreign: Path
    """A folder with a `file`."""


def attempts_inside(places: Places, temp: Path, *, commands: bool = False) -> dict[str, str]:
    """Each attempt with what it came to: `done`, or the name of the error."""
    told = json.dumps([str(places.output), str(places.results), str(places.foreign)])
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.processes.inside", "page-process", str(os.getpid()), str(MEMORY_MIB)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "TMPDIR": str(temp)}, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    too_long = threading.Timer(LIMIT_SECONDS, process.kill)
    too_long.start()
    with process:
        process.stdin.write(messages.dump(0, Confine((str(places.results), str(places.output)), commands)))
        process.stdin.write(messages.dump(1, InspectTask(Source(told))))
        process.stdin.flush()
        # Its orders are not to end before the task has.
        answer = process.stdout.readline()
    too_long.cancel()
    _, outcome = messages.load_outcome(answer)
    assert isinstance(outcome, Inspected), outcome
    return outcome.report


def _try_all(_: object, task: Task) -> Inspected:
    assert isinstance(task, InspectTask)
    places = Places(*map(Path, json.loads(task.source.path)))
    tried = {name: _came_to(attempt) for name, attempt in _attempts(places).items()}
    with ThreadPoolExecutor(1) as other:
        in_a_thread = {
            f"{name} in a thread": other.submit(_came_to, attempt).result()
            for name, attempt in _attempts(places).items()
            if name in {"socket", "exec", "write elsewhere", "read"}
        }
    return Inspected({**tried, **in_a_thread})


def _came_to(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, repr(error))
    except BaseException as error:  # noqa: BLE001 (its name is the answer)
        return type(error).__name__
    return DONE


def _attempts(places: Places) -> dict[str, Callable[[], object]]:
    foreign, output, temp = places.foreign, places.output, Path(os.environ["TMPDIR"])
    parent = os.getppid()
    return {
        **{name: _call(*numbers) for name, numbers in CALLS.items()},
        "socket": lambda: socket.socket().close(),
        "unix socket": lambda: socket.socket(socket.AF_UNIX).close(),
        "netlink socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
        "socket pair": socket.socketpair,
        "socket by another number": _call(X32 + 41, 198),
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "command": lambda: subprocess.run(["/bin/true"], check=True),
        "spawn": lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0),
        "shell": lambda: _require(os.system("true") == 0),
        "fork": _fork,
        "a program in memory": lambda: _run_from_memory("/bin/true"),
        "slow the worker down": lambda: os.setpriority(os.PRIO_PROCESS, parent, 19),
        "slow all of the user's down": lambda: os.setpriority(os.PRIO_USER, 0, 19),
        "keep a processor": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
        "move the worker": lambda: os.sched_setaffinity(parent, {0}),
        "have a signal sent to the worker": lambda: _fcntl(os.pipe()[0], fcntl.F_SETOWN, parent),
        "hold up who opens a file": lambda: _fcntl(_opened(foreign / "file"), fcntl.F_SETLEASE, fcntl.F_RDLCK),
        "change the attributes": lambda: _ioctl(_opened(foreign / "file"), FS_IOC_SETFLAGS, bytes(8)),
        "freeze a file system": lambda: _ioctl(_opened(foreign), FIFREEZE + 1, 0),
        "type into a terminal": lambda: _ioctl(0, termios.TIOCSTI, b"x"),
        "be another user": lambda: os.setresuid(os.getuid() + 1, -1, -1),
        "signal to the worker": lambda: os.kill(parent, 0),
        "memory of the worker": lambda: Path(f"/proc/{parent}/mem").open("rb").close(),
        "environment of the worker": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
        "files of the worker": lambda: list(Path(f"/proc/{parent}/fd").iterdir()),
        "command line of the first process": lambda: Path("/proc/1/cmdline").read_bytes(),
        "the kernel's own files": lambda: list(Path("/sys/kernel").iterdir()),
        "devices": lambda: list(Path("/dev").iterdir()),
        "terminal": lambda: Path("/dev/tty").open("rb").close(),
        "write elsewhere": lambda: (foreign / "new").write_bytes(b"x"),
        "write over": lambda: (foreign / "file").open("r+b").close(),
        "empty": lambda: os.truncate(foreign / "file", 0),
        "remove": (foreign / "file").unlink,
        "make a folder": (foreign / "folder").mkdir,
        "link": lambda: (foreign / "link").symlink_to("file"),
        "move away": lambda: (foreign / "file").rename(output / "file"),
        "move there": lambda: _written(output / "moved").rename(foreign / "moved"),
        "hard link": lambda: os.link(foreign / "file", output / "linked"),
        "change the mode": lambda: (foreign / "file").chmod(0o777),
        "make a file that runs as us": lambda: os.close(_made_with_rights(output / "as us", 0o4755)),
        "make a file that runs as our group": lambda: os.close(_made_with_rights(output / "as us", 0o2755)),
        "make one without a name": lambda: os.close(os.open(output, os.O_TMPFILE | os.O_RDWR, 0o4755)),
        "outlive the worker": lambda: _prctl(PR_SET_PDEATHSIG, 0),
        "make one in the newer way": _call(437, 437),
        "clone in the newer way": _call(435, 435),
        "own memory": lambda: Path("/proc/self/mem").open("r+b").close(),
        "own place among the dying": lambda: Path("/proc/self/oom_score_adj").write_text("-1", "ascii"),
        "over the root of a process": lambda: Path("/proc/self/root", *foreign.parts[1:], "new").write_bytes(b"x"),
        "over a link in the output folder": lambda: _linked(output / "way", foreign / "file").write_bytes(b"x"),
        "into a linked folder": lambda: (_linked(output / "road", foreign) / "new").write_bytes(b"x"),
        "over a link among temporary files": lambda: _linked(temp / "way", foreign / "file").write_bytes(b"x"),
        "write through a descriptor to read": lambda: _written(Path(f"/proc/self/fd/{_opened(foreign / 'file')}")),
        "hard link among temporary files": lambda: os.link(foreign / "file", temp / "linked"),
        "exchange": lambda: _exchange(foreign / "file", _written(temp / "mine")),
        "change the owner": lambda: os.chown(foreign / "file", os.getuid(), os.getgid()),
        "change the time": lambda: os.utime(foreign / "file"),
        "write into own code": lambda: Path(__file__).open("r+b").close(),
        "read": (foreign / "file").read_bytes,
        "write an output": lambda: _written(output / "page.txt").rename(output / "page.pdf"),
        "link an output": lambda: os.link(output / "page.pdf", output / "page.copy"),
        "write a result": lambda: _written(places.results / "1.page"),
        "write temporary files": lambda: _written(_made(temp / "folder") / "file").rename(temp / "file"),
        "run a thread": lambda: ThreadPoolExecutor(1).submit(int).result(),
        "signal to itself": lambda: os.kill(os.getpid(), 0),
    }  # fmt: skip


def _call(on_x86_64: int, on_arm64: int) -> Callable[[], None]:
    number = on_x86_64 if os.uname().machine == "x86_64" else on_arm64

    def call() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(number, -1, -1, -1, -1, -1, -1) < 0:
            raise OSError(ctypes.get_errno(), "refused")

    return call


def _run_from_memory(program: str) -> None:
    memory = os.memfd_create("program")
    os.write(memory, Path(program).read_bytes())
    os.execv(f"/proc/self/fd/{memory}", ["program"])


def _made_with_rights(file: Path, mode: int) -> int:
    return os.open(file, os.O_CREAT | os.O_WRONLY, mode)


def _linked(link: Path, place: Path) -> Path:
    link.symlink_to(place)
    return link


def _prctl(order: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(order, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "refused")


def _exchange(one: Path, other: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(AT_CWD, os.fsencode(one), AT_CWD, os.fsencode(other), RENAME_EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "refused")


def _opened(place: Path) -> int:
    return os.open(place, os.O_RDONLY)


def _fcntl(handle: int, order: int, value: int) -> None:
    fcntl.fcntl(handle, order, value)


def _ioctl(handle: int, order: int, value: int | bytes) -> None:
    fcntl.ioctl(handle, order, value)


def _fork() -> None:
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _require(done: Any) -> None:
    if not done:
        raise PermissionError(errno.EPERM, "not done")


def _written(file: Path) -> Path:
    file.write_bytes(b"x")
    return file


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    from ocr_worker.__main__ import main
    from ocr_worker.pages.executor import Workbench

    Workbench.run = _try_all  # type: ignore[assignment,method-assign]
    sys.exit(main())
