"""Make stdin, stdout and stderr such that a command can go on whatever they are: closed, full, of an encoding that lacks characters."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from ocr_worker.descriptors import write_all


def settle_streams() -> None:
    """Open what is closed, escape what can't be encoded, and let stderr lose what it can't take."""
    for number in range(3):
        _open_closed(number)
    sys.stdin, sys.stdout = sys.stdin or _stream(0, "r"), sys.stdout or _stream(1, "w")
    sys.stdout = _patient(sys.stdout)
    for stream in (sys.stdout, sys.stderr):
        _escape(stream)
    sys.stderr = _lossy(sys.stderr)


def let_go_of_stdout() -> None:
    """Lose what it does not take: the interpreter's end would try again, and then the exit code is Python's and not ours."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            sys.stdout.close()


def _open_closed(number: int) -> None:
    """Else the next file that is opened would get the number, and with it what a child says on stderr."""
    try:
        os.fstat(number)
    except OSError:
        null = os.open(os.devnull, os.O_RDWR)
        if null != number:
            os.dup2(null, number)
            os.close(null)
        os.set_inheritable(number, True)  # noqa: FBT003  # it takes no names


def _stream(number: int, mode: str) -> Any:
    return open(number, mode, encoding="utf-8", closefd=False)  # it lasts as long as the process


def _escape(stream: TextIO | None) -> None:
    """A name that the terminal's encoding lacks is shown escaped."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _patient(stream: TextIO) -> TextIO:
    """The same stream, but that it waits for who reads, should somebody have made the pipe non-blocking. A console has no such readers."""
    if stream.isatty():
        return stream
    with suppress(OSError):
        stream.flush()
    return io.TextIOWrapper(io.BufferedWriter(_Patient(1, "w", closefd=False)), stream.encoding)


def _lossy(stream: TextIO | None) -> TextIO:
    """The same stream, but that what it can't take is lost. A console of Windows is written to in its own way."""
    if stream is not None and sys.platform == "win32" and stream.isatty():
        return stream
    with suppress(OSError, AttributeError):
        stream.flush()  # type: ignore[union-attr]
    encoding = stream.encoding if stream is not None else "utf-8"
    return io.TextIOWrapper(_Lossy(2, "w", closefd=False), encoding, "backslashreplace", line_buffering=True)


class _Patient(io.FileIO):
    """What is written is written whole."""

    def write(self, content: Any, /) -> int:
        octets = memoryview(content)
        write_all(self.fileno(), octets)
        return octets.nbytes


class _Lossy(_Patient):
    """What can't be written is taken for written."""

    def write(self, content: Any, /) -> int:
        with suppress(OSError):
            super().write(content)
        return memoryview(content).nbytes
