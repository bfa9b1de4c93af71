"""The filter of system calls: what it refuses fails as not permitted, as if the user were nobody. Stdlib only."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable, Iterator

from ocr_worker.processes.prctl import PR_SET_PDEATHSIG
from ocr_worker.processes.syscalls import PROGRAMS, REFUSED, Machine, this_machine

SET_MODE_FILTER, ACTION_AVAILABLE = 1, 2
ALL_THREADS, NO_SLOW_GUARD = 1, 4
"""The second: the filter is for what we run ourselves, so processors need not be slowed down against it."""
_LOAD, _JUMP, _JUMP_AT_LEAST, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16
_A_THREAD = 0x10000
_NEW_NAMESPACES = 0x7E020000
_OF_STREAMS = (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""Is it a terminal, and how large; how much is to be read; block; close with a program. Others type into terminals, or freeze file systems."""
_REACHES_OTHERS = (8, 10, 15, 1024, 1026)
"""Have signals sent (F_SETOWN, F_SETSIG, F_SETOWN_EX), hold up who opens a file (F_SETLEASE), watch a folder."""
_MAKES_A_FILE = 0o100 | 0o20000000
"""O_CREAT, and O_TMPFILE without that it means a folder."""
_SET_IDS = 0o6000
_SIGKILL = 9
"""By its number, as Windows knows no such name."""
_Instruction = tuple[int, int, int, int]


class FilterError(OSError):
    """The kernel takes no filter, or we know none for this processor."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def is_available() -> bool:
    """Whether `apply` can do anything here."""
    machine = this_machine()
    if machine is None:
        return False
    refusal = ctypes.c_uint32(_ERROR)
    answer: int = ctypes.CDLL(None).syscall(machine.seccomp, ACTION_AVAILABLE, 0, ctypes.byref(refusal))
    return answer == 0


def apply(*, commands: bool) -> None:
    """Filter the calls of all threads from now on; with `commands`, programs may be started.

    No new privileges must have been asked for. Raises FilterError.
    """
    machine = this_machine()
    if machine is None:
        import platform

        raise FilterError(errno.ENOSYS, f"no filter of system calls is known for {platform.machine()}")
    content = b"".join(struct.pack("=HBBI", *one) for one in _instructions(machine, commands=commands))
    program = _Program(len(content) // 8, content)
    libc = ctypes.CDLL(None, use_errno=True)
    flags = ALL_THREADS | NO_SLOW_GUARD
    if libc.syscall(machine.seccomp, SET_MODE_FILTER, flags, ctypes.byref(program)) != 0:
        raise FilterError(ctypes.get_errno(), "the kernel takes no filter of system calls")


def _instructions(machine: Machine, *, commands: bool) -> Iterator[_Instruction]:
    yield (_LOAD, 0, 0, _MACHINE_AT)
    yield (_JUMP, 1, 0, machine.audit)
    yield _refuse()
    yield (_LOAD, 0, 0, _NUMBER_AT)
    if machine.highest is not None:
        yield (_JUMP_AT_LEAST, 0, 1, machine.highest + 1)
        yield _refuse()
    for numbers in (*REFUSED.values(), *(() if commands else PROGRAMS.values())):
        if (number := machine.number(numbers)) is not None:
            yield from _when(number, [_refuse()])
    # What these two are told lies where a filter can't see it; told that there is none, libraries take the older call.
    yield from _when(machine.clone3, [_refuse(errno.ENOSYS)])
    yield from _when(machine.openat2, [_refuse(errno.ENOSYS)])
    yield from _when(machine.clone, _no_namespaces() if commands else _threads_alone())
    yield from _when(machine.ioctl, _if_argument_in(1, _OF_STREAMS))
    yield from _when(machine.fcntl, _unless_argument_in(1, _REACHES_OTHERS))
    for call, flags_at in ((machine.open, 1), (machine.openat, 2)):
        if call is not None:
            yield from _when(call, _no_rights_of_ours(flags_at))
    if machine.creat is not None:
        yield from _when(machine.creat, _look(1, [(_JUMP_SET, _SET_IDS)], then_allow=False))
    yield from _when(machine.prctl, _still_to_die())
    own = os.getpid()
    yield from _when(machine.prlimit, _if_argument_in(0, (0, own)))
    if not commands:
        yield from _when(machine.kill, _if_argument_in(0, (0, own)))
        yield from _when(machine.tgkill, _if_argument_in(0, (own,)))
    yield (_RETURN, 0, 0, _ALLOW)


def _when(number: int, then: list[_Instruction]) -> list[_Instruction]:
    return [(_JUMP, 0, len(then), number), *then]


def _refuse(error: int = errno.EPERM) -> _Instruction:
    return (_RETURN, 0, 0, _ERROR | error)


def _if_argument_in(place: int, values: Iterable[int]) -> list[_Instruction]:
    return _look(place, [(_JUMP, value) for value in values], then_allow=True)


def _unless_argument_in(place: int, values: Iterable[int]) -> list[_Instruction]:
    return _look(place, [(_JUMP, value) for value in values], then_allow=False)


def _threads_alone() -> list[_Instruction]:
    return _look(0, [(_JUMP_SET, _A_THREAD)], then_allow=True)


def _no_namespaces() -> list[_Instruction]:
    return _look(0, [(_JUMP_SET, _NEW_NAMESPACES)], then_allow=False)


def _no_rights_of_ours(flags_at: int) -> list[_Instruction]:
    """No file is made that runs with the rights of its owner, or of its group, whoever starts it."""
    return [
        (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * flags_at),
        (_JUMP_SET, 1, 0, _MAKES_A_FILE),
        (_RETURN, 0, 0, _ALLOW),
        *_look(flags_at + 1, [(_JUMP_SET, _SET_IDS)], then_allow=False),
    ]


def _still_to_die() -> list[_Instruction]:
    """The signal that comes at the worker's end may be asked for, and not be taken back."""
    return [
        (_LOAD, 0, 0, _ARGUMENTS_AT),
        (_JUMP, 1, 0, PR_SET_PDEATHSIG),
        (_RETURN, 0, 0, _ALLOW),
        *_if_argument_in(1, (_SIGKILL,)),
    ]


def _look(place: int, tests: list[tuple[int, int]], *, then_allow: bool) -> list[_Instruction]:
    """Look at the lower half of an argument, which is all of it for those that we look at."""
    hit, miss = (_RETURN, 0, 0, _ALLOW), _refuse()
    if not then_allow:
        hit, miss = miss, hit
    jumps = [(code, len(tests) - at, 0, value) for at, (code, value) in enumerate(tests)]
    return [(_LOAD, 0, 0, _ARGUMENTS_AT + 8 * place), *jumps, miss, hit]
