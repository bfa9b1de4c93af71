r"""Be the Windows worker to a host on Linux: `python -m tools.windows_worker PROGRAM [ARGUMENT …]` runs it under Wine.

Carries its three streams, which have to be pipes under Wine, and tells paths as each side has them: `/a/b` is `Z:\a\b`.
Nothing is held back, so that a host that does not read is one for the worker, too. Wine does not tell whether a pipe of
Linux has a reader, but only refuses what is written: once the host is gone, the worker is asked for a word. For a
`parent_pid` in `hello` stands a process under Wine, which ends when that one does.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import PureWindowsPath
from typing import Any, BinaryIO

from tools.windows import PYTHON, environment

PATHS = ("file", "files", "output_dir", "passwords", "options")
"""Fields of commands that hold paths, or more of such fields."""
STAND_IN = "import os, sys; print(os.getpid(), flush=True); sys.stdin.read()"
"""Ends with us, too."""
OPTIONS = ("tessdata_dir", "passwords")
PING = b'{"command":"ping"}\n'


def main(command: list[str]) -> int:
    """The program's exit code."""
    process = subprocess.Popen(
        ["wine", *command], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    assert process.stderr
    words = threading.Thread(target=_carry_words, args=(process.stderr,), daemon=True)
    words.start()
    deaf = threading.Event()
    commands = _commands(deaf)
    threading.Thread(target=_carry, args=(commands, process.stdin, to_windows), daemon=True).start()
    with open(1, "wb", buffering=0, closefd=False) as stdout:
        _carry(_lines(process.stdout.fileno(), heard_by=1), stdout, to_linux)
    # With it the worker learns that nobody reads, should that have been the end.
    process.stdout.close()
    deaf.set()
    code = process.wait()
    words.join(1)
    return code


def _commands(deaf: threading.Event) -> Iterator[bytes]:
    """The host's; and one more if it has ended altogether, once what the worker answers has no reader."""
    yield from map(_with_stand_in, _lines(0))
    poll = select.poll()
    poll.register(1, 0)
    if poll.poll(100):
        deaf.wait()
        yield PING


def to_windows(line: bytes) -> bytes:
    """A command with paths as Windows has them; what is no command stays as it is."""
    try:
        command = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if not isinstance(command, dict):
        return line
    told = {name: _to_windows(value) if name in PATHS else value for name, value in command.items()}
    return line if told == command else json.dumps(told).encode("ascii") + b"\n"


def _to_windows(value: Any) -> Any:
    match value:
        case str() if value.startswith("/"):
            return str(PureWindowsPath(f"Z:{value}"))
        case str() if value.startswith("file:///"):
            return f"file:///Z:/{value[8:]}"
        case list():
            return [_to_windows(item) for item in value]
        case dict():
            # Of passwords the names are paths, of options the values of a few.
            return {
                _to_windows(name): _to_windows(inner) if name in OPTIONS else inner
                for name, inner in value.items()
            }
        case _:
            return value


def to_linux(line: bytes) -> bytes:
    """An event with paths as Linux has them."""
    if b"Z:" not in line:
        return line
    return json.dumps(_to_linux(json.loads(line)), separators=(",", ":")).encode("ascii") + b"\n"


def _to_linux(value: Any) -> Any:
    match value:
        case str():
            plain = value.removeprefix("\\\\?\\")
            return plain[2:].replace("\\", "/") if plain.startswith("Z:\\") else value
        case list():
            return [_to_linux(item) for item in value]
        case dict():
            return {_to_linux(name): _to_linux(inner) for name, inner in value.items()}
        case _:
            return value


def _with_stand_in(line: bytes) -> bytes:
    """The command, with a process that Wine knows in the place of the one that the host names."""
    if b'"parent_pid"' not in line:
        return line
    try:
        command = json.loads(line)
        parent = os.pidfd_open(command["parent_pid"])
    except (ValueError, RecursionError, TypeError, KeyError, OverflowError, OSError):
        # The worker is to say what is wrong with it.
        return line
    stand_in = subprocess.Popen(
        ["wine", os.fspath(PYTHON / "python.exe"), "-c", STAND_IN], env=environment(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert stand_in.stdout
    command["parent_pid"] = int(stand_in.stdout.readline())
    threading.Thread(target=_end_with, args=(parent, stand_in), daemon=True).start()
    return json.dumps(command).encode("ascii") + b"\n"


def _end_with(parent: int, stand_in: subprocess.Popen[bytes]) -> None:
    select.select([parent], [], [])
    stand_in.kill()


def _lines(fd: int, heard_by: int | None = None) -> Iterator[bytes]:
    """As they come, as long as the pipe `heard_by` has a reader; the last may lack its end."""
    poll, pending = select.poll(), b""
    poll.register(fd, select.POLLIN)
    if heard_by is not None:
        poll.register(heard_by, 0)
    while heard_by not in dict(poll.poll()) and (chunk := os.read(fd, 65536)):
        *lines, pending = (pending + chunk).split(b"\n")
        yield from (line + b"\n" for line in lines)
    if pending:
        yield pending


def _carry(lines: Iterator[bytes], target: Any, told: Callable[[bytes], bytes]) -> None:
    with suppress(OSError):
        for line in lines:
            rest = memoryview(told(line))
            while rest:
                rest = rest[target.write(rest) :]
            target.flush()
    if target is not None and target.fileno() != 1:
        with suppress(OSError):
            target.close()


def _carry_words(stderr: BinaryIO) -> None:
    while said := os.read(stderr.fileno(), 65536):
        # A host that takes none of it does not hold up the worker.
        with suppress(OSError):
            os.write(2, said)


if __name__ == "__main__":
    # The thread that reads stdin can't be stopped.
    os._exit(main(sys.argv[1:]))
