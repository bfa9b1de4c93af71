"""Make stdin, stdout and stderr safe to use, even if they are closed, full, or of a narrow encoding."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from ocr_worker.descriptors import write_all


def prepare_streams() -> None:
    """Open closed streams, escape what can't be encoded, and let stderr drop what can't be written."""
    for number in range(3):
        _open_closed(number)
    sys.stdin, sys.stdout = sys.stdin or _stream(0, "r"), sys.stdout or _stream(1, "w")
    sys.stdout = _patient(sys.stdout)
    for stream in (sys.stdout, sys.stderr):
        _escape(stream)
    sys.stderr = _lossy(sys.stderr)


def let_go_of_stdout() -> None:
    """Drop unwritten output: at exit Python would try again, and set its own exit code."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            sys.stdout.close()


def _open_closed(number: int) -> None:
    """Open a closed descriptor: otherwise the next opened file would get its number, and a child's stderr."""
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
    """Escape characters that the encoding of the terminal lacks."""
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
    """The same stream, which drops what can't be written. A Windows console needs its own way."""
    if stream is not None and sys.platform == "win32" and stream.isatty():
        return stream
    with suppress(OSError, AttributeError):
        stream.flush()  # type: ignore[union-attr]
    encoding = stream.encoding if stream is not None else "utf-8"
    return io.TextIOWrapper(_Lossy(2, "w", closefd=False), encoding, "backslashreplace", line_buffering=True)


class _Patient(io.FileIO):
    """A stream that writes everything it is given."""

    def write(self, content: Any, /) -> int:
        octets = memoryview(content)
        write_all(self.fileno(), octets)
        return octets.nbytes


class _Lossy(_Patient):
    """A stream that ignores failed writes."""

    def write(self, content: Any, /) -> int:
        with suppress(OSError):
            super().write(content)
        return memoryview(content).nbytes
