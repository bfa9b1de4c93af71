"""What root keeps of its rights in a page process: to read and write files of others, and nothing else. Linux, stdlib only."""

from __future__ import annotations

import ctypes
import struct

_VERSION_3 = 0x20080522
_KEPT = 0b1110
"""CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER."""


def drop() -> None:
    """Give the others up, for good: with no new privileges no program gives them back. For one thread; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    head = ctypes.create_string_buffer(struct.pack("=Ii", _VERSION_3, 0))
    now = ctypes.create_string_buffer(24)
    if libc.capget(head, now) != 0:
        raise _refused()
    effective, permitted, _, *_ = struct.unpack("=6I", now.raw)
    kept = struct.pack("=6I", effective & _KEPT, permitted & _KEPT, 0, 0, 0, 0)
    if libc.capset(head, ctypes.create_string_buffer(kept)) != 0:
        raise _refused()


def _refused() -> OSError:
    return OSError(ctypes.get_errno(), "the kernel leaves root its rights")
