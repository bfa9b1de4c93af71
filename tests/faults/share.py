"""A share that hangs: a file system of our own (FUSE) that reads what it is asked and does not answer.

Whoever waits for it is held in the kernel, and no signal ends that.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.conftest import miss

_LOOKUP, _FORGET, _GETATTR, _OPEN, _READ, _STATFS, _RELEASE = 1, 2, 3, 14, 15, 17, 18
_FLUSH, _INIT, _OPENDIR, _READDIR, _RELEASEDIR, _INTERRUPT, _FORGETS = 25, 26, 27, 28, 29, 36, 42
_HEAD = struct.Struct("<IIQQIIII")
_MOST_BYTES = 1 << 20
_ROOT = 1


class Share:
    """A folder with files that can only be read."""

    def __init__(self, place: Path, files: Mapping[str, bytes], device: int) -> None:
        self.place, self._device = place, device
        self._names, self._contents = list(files), list(files.values())
        self._lock, self._hangs = threading.Lock(), False
        self._held: list[bytes] = []
        threading.Thread(target=self._serve, name="share", daemon=True).start()

    def hang(self) -> None:
        """Read all that is asked from now on, and answer nothing."""
        with self._lock:
            self._hangs = True

    def answer(self) -> None:
        """Answer all that was asked, and what will be."""
        with self._lock:
            self._hangs, held, self._held = False, self._held, []
        for request in held:
            self._reply(request)

    @property
    def is_asked(self) -> bool:
        """Whether somebody waits for an answer."""
        with self._lock:
            return bool(self._held)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                request = os.read(self._device, _MOST_BYTES)
                with self._lock:
                    if self._hangs:
                        self._held.append(request)
                        continue
                self._reply(request)

    def _reply(self, request: bytes) -> None:
        _, kind, unique, node, *_ = _HEAD.unpack_from(request)
        if kind in (_FORGET, _FORGETS, _INTERRUPT):
            return
        try:
            failure, answer = 0, self._answer(kind, node, request[_HEAD.size :])
        except OSError as error:
            failure, answer = -(error.errno or errno.EIO), b""
        # Who asked may be gone.
        with suppress(OSError):
            os.write(self._device, struct.pack("<IiQ", 16 + len(answer), failure, unique) + answer)

    def _answer(self, kind: int, node: int, said: bytes) -> bytes:
        fixed = {
            _INIT: struct.pack("<IIIIHHIIHHI7I", 7, 31, 0, 0, 12, 10, 1 << 17, 1, 32, 0, 0, *[0] * 7),
            _STATFS: struct.pack("<QQQQQIIII6I", 9, 9, 9, 9, 9, 4096, 255, 4096, 0, *[0] * 6),
            **dict.fromkeys((_OPEN, _OPENDIR), struct.pack("<QII", node, 1, 0)),
            **dict.fromkeys((_RELEASE, _RELEASEDIR, _FLUSH), b""),
        }
        if kind in fixed:
            return fixed[kind]
        if kind == _LOOKUP:
            return self._found(os.fsdecode(said.partition(b"\0")[0]))
        if kind == _GETATTR:
            return struct.pack("<QII", 0, 0, 0) + self._attributes(node)
        if kind in (_READ, _READDIR):
            _, offset, size = struct.unpack_from("<QQI", said)
            is_file = kind == _READ
            return self._contents[node - 2][offset : offset + size] if is_file else self._listed(offset, size)
        raise OSError(errno.ENOSYS, "not known here")

    def _found(self, name: str) -> bytes:
        if name not in self._names:
            raise OSError(errno.ENOENT, name)
        node = self._names.index(name) + 2
        # Nothing is kept in the kernel, so that each look asks again.
        return struct.pack("<QQQQII", node, 0, 0, 0, 0, 0) + self._attributes(node)

    def _attributes(self, node: int) -> bytes:
        is_root = node == _ROOT
        size, mode = (
            (0, stat.S_IFDIR | 0o777) if is_root else (len(self._contents[node - 2]), stat.S_IFREG | 0o666)
        )
        return struct.pack("<QQQQQQIIIIIIIIII", node, size, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def _listed(self, offset: int, size: int) -> bytes:
        listed = b""
        for number, name in list(enumerate([".", "..", *self._names], 1))[offset:]:
            entry = struct.pack("<QQII", 1, number, len(os.fsencode(name)), 0) + os.fsencode(name)
            entry += bytes(-len(entry) % 8)
            if len(listed) + len(entry) > size:
                break
            listed += entry
        return listed


@contextmanager
def shared(place: Path, files: Mapping[str, bytes]) -> Iterator[Share]:
    """Mount a share. At the end, whoever still waits for it is let go."""
    place.mkdir()
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        miss(f"needs FUSE: {error.strerror}")
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"share", os.fsencode(place), b"fuse.share", 0, options.encode()) != 0:
        os.close(device)
        miss(f"needs the right to mount: {os.strerror(ctypes.get_errno())}")
    share = Share(place, files, device)
    try:
        yield share
    finally:
        share.answer()
        subprocess.run(["umount", "-l", str(place)], check=False)
        os.close(device)
