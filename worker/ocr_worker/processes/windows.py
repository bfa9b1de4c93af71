"""What Windows has in the place of process groups, death signals and polls: job objects, and waits for handles.

Nothing here needs the interpreter lock at the moment it counts: the system ends a job when the last handle of it is
closed, and its own threads count down. Standard library only.
"""

from __future__ import annotations

import ctypes
import msvcrt
import sys
from ctypes import wintypes

assert sys.platform == "win32"

INVALID_PARAMETER = 87
"""What Windows says of a process number that nobody has."""
_INFINITE, _ONLY_ONCE, _SUSPENDED = 0xFFFFFFFF, 0x8, 0x4
_SYNCHRONIZE, _TERMINATE, _SET_QUOTA = 0x100000, 0x1, 0x100
_EXTENDED_LIMITS, _KILL_ON_CLOSE, _DIE_ON_EXCEPTION = 9, 0x2000, 0x400
_MOST_TIME, _MOST_PROCESSES, _MOST_MEMORY = 0x2, 0x8, 0x100
_TICKS_A_SECOND = 10**7
_PIPE_LOCAL_INFORMATION = 24
_PIPE_DISCONNECTED, _PIPE_CLOSING = 1, 4
_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_ntdll = ctypes.WinDLL("ntdll")
for _name, _answer, _arguments in (
    ("CreateJobObjectW", wintypes.HANDLE, (wintypes.LPVOID, wintypes.LPCWSTR)),
    ("SetInformationJobObject", wintypes.BOOL, (wintypes.HANDLE, ctypes.c_int, wintypes.LPVOID, wintypes.DWORD)),
    ("AssignProcessToJobObject", wintypes.BOOL, (wintypes.HANDLE, wintypes.HANDLE)),
    ("OpenProcess", wintypes.HANDLE, (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)),
    ("CloseHandle", wintypes.BOOL, (wintypes.HANDLE,)),
    ("GetCurrentProcess", wintypes.HANDLE, ()),
    ("WaitForSingleObject", wintypes.DWORD, (wintypes.HANDLE, wintypes.DWORD)),
    ("CreateEventW", wintypes.HANDLE, (wintypes.LPVOID, wintypes.BOOL, wintypes.BOOL, wintypes.LPCWSTR)),
    ("CreateThread", wintypes.HANDLE, (wintypes.LPVOID, ctypes.c_size_t, *4 * (wintypes.LPVOID,))),
    ("RegisterWaitForSingleObject", wintypes.BOOL, (*4 * (wintypes.LPVOID,), wintypes.ULONG, wintypes.ULONG)),
):  # fmt: skip
    _function = getattr(_kernel32, _name)
    _function.restype, _function.argtypes = _answer, _arguments
_ntdll.NtQueryInformationFile.argtypes = (
    wintypes.HANDLE, wintypes.LPVOID, wintypes.LPVOID, wintypes.ULONG, ctypes.c_int,
)  # fmt: skip


class _BasicLimits(ctypes.Structure):
    _fields_ = (
        ("process_time", ctypes.c_int64), ("job_time", ctypes.c_int64), ("flags", wintypes.DWORD),
        ("least_working_set", ctypes.c_size_t), ("most_working_set", ctypes.c_size_t), ("processes", wintypes.DWORD),
        ("affinity", ctypes.c_size_t), ("priority", wintypes.DWORD), ("scheduling", wintypes.DWORD),
    )  # fmt: skip


class _ExtendedLimits(ctypes.Structure):
    _fields_ = (
        ("basic", _BasicLimits), ("io", ctypes.c_uint64 * 6), ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t), ("peak_process", ctypes.c_size_t), ("peak_job", ctypes.c_size_t),
    )  # fmt: skip


class Job:
    """Processes, with all that they start, that end when ours does: the handle is closed then, however that comes."""

    def __init__(self) -> None:
        """Raises OSError."""
        self._handle = _made(_kernel32.CreateJobObjectW(None, None))
        self._limit(_BasicLimits(flags=_KILL_ON_CLOSE))

    def allow(self, processor_seconds: float) -> None:
        """End each process of the job that has worked for longer than this since it began. Raises OSError."""
        ticks = round(processor_seconds * _TICKS_A_SECOND)
        self._limit(_BasicLimits(flags=_KILL_ON_CLOSE | _MOST_TIME, process_time=ticks))

    def _limit(self, basic: _BasicLimits) -> None:
        _set_limits(self._handle, _ExtendedLimits(basic=basic))

    def take(self, pid: int) -> None:
        """Have a process in the job. Raises OSError."""
        process = _made(_kernel32.OpenProcess(_SET_QUOTA | _TERMINATE, False, pid))  # noqa: FBT003  # takes no names
        try:
            _done(_kernel32.AssignProcessToJobObject(self._handle, process))
        finally:
            _kernel32.CloseHandle(process)


def hold_for_good(memory_bytes: int, processes: int) -> None:
    """Hold this process and what it starts, each to so much memory and all to such a number. Raises OSError.

    Nobody can lift that: the job has no name, and its last handle is closed here.
    """
    handle = _made(_kernel32.CreateJobObjectW(None, None))
    try:
        basic = _BasicLimits(flags=_MOST_MEMORY | _MOST_PROCESSES, processes=processes)
        _set_limits(handle, _ExtendedLimits(basic=basic, process_memory=memory_bytes))
        _done(_kernel32.AssignProcessToJobObject(handle, _kernel32.GetCurrentProcess()))
    finally:
        _kernel32.CloseHandle(handle)


class Watched:
    """A process that is known by its handle: another one with its number is not taken for it."""

    def __init__(self, pid: int) -> None:
        """Raises OSError; of a number that nobody has, INVALID_PARAMETER."""
        self.pid = pid
        self.handle: int = _made(_kernel32.OpenProcess(_SYNCHRONIZE, False, pid))  # noqa: FBT003  # takes no names

    def has_ended(self, wait_seconds: float) -> bool:
        """Wait up to `wait_seconds` for its end."""
        ended: int = _kernel32.WaitForSingleObject(self.handle, round(wait_seconds * 1000))
        return ended == 0

    def close(self) -> None:
        _kernel32.CloseHandle(self.handle)


class Countdown:
    """Ends this process by force when its time is up, whoever holds the interpreter lock then.

    The system's thread pool calls the system's functions: `TerminateProcess` after the time, and at the end of another
    process `ResumeThread`, which lets a thread go on that only sleeps for the time, and whose end is waited for.
    """

    def __init__(self, seconds: float) -> None:
        self._milliseconds = round(seconds * 1000)

    def start(self) -> None:
        """From now on the time runs. The exit code will be 1."""
        never = _made(_kernel32.CreateEventW(None, True, False, None))  # noqa: FBT003  # takes no names
        self._end_at(never, self._milliseconds)

    def start_after(self, process: Watched) -> None:
        """The time runs from the end of a process on. The exit code will be 0: nobody is there to read it."""
        sleeper = _made(
            _kernel32.CreateThread(None, 0, _address("Sleep"), self._milliseconds, _SUSPENDED, None)
        )
        self._end_at(sleeper, _INFINITE)
        _call_at(process.handle, "ResumeThread", sleeper, _INFINITE)

    @staticmethod
    def _end_at(handle: int, milliseconds: int) -> None:
        _call_at(handle, "TerminateProcess", _kernel32.GetCurrentProcess(), milliseconds)


def has_no_reader(fd: int) -> bool:
    """Whether a pipe's other end is closed; False where the system does not say so, as of a file."""
    answer, status = (wintypes.ULONG * 10)(), (ctypes.c_size_t * 2)()
    refused = _ntdll.NtQueryInformationFile(
        msvcrt.get_osfhandle(fd), status, answer, ctypes.sizeof(answer), _PIPE_LOCAL_INFORMATION
    )
    # Type, configuration, two numbers of instances, two of quotas each with what is used of it, state, end.
    return not refused and answer[8] in (_PIPE_DISCONNECTED, _PIPE_CLOSING)


def _set_limits(job: int, limits: _ExtendedLimits) -> None:
    limits.basic.flags |= _DIE_ON_EXCEPTION
    _done(
        _kernel32.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits))
    )


def _call_at(handle: int, function: str, argument: int, milliseconds: int) -> None:
    """Have a function of the system called when a handle is signalled, or when the time is up. Raises OSError."""
    wait = wintypes.HANDLE()
    registered = _kernel32.RegisterWaitForSingleObject(
        ctypes.byref(wait), handle, _address(function), argument, milliseconds, _ONLY_ONCE
    )
    _done(registered)


def _address(function: str) -> int:
    return ctypes.cast(getattr(_kernel32, function), ctypes.c_void_p).value or 0


def _made(handle: int | None) -> int:
    if not handle:
        raise ctypes.WinError(ctypes.get_last_error())
    return handle


def _done(succeeded: int) -> None:
    if not succeeded:
        raise ctypes.WinError(ctypes.get_last_error())
