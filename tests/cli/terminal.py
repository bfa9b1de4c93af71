"""The command in a pseudo-terminal: what a person sees, and the keys that a person presses."""

from __future__ import annotations

import os
import pty
import re
import select
import time
from pathlib import Path

from tests.cli.command import Command, waited
from tests.limits import HANG_SECONDS

CTRL_C = b"\x03"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """Started with the command, which ends with the context."""

    def __init__(self, command: Command, *words: str | Path, log: str | None = None) -> None:
        """With a log, stderr goes there and not to the terminal."""
        line, environment = command.words(*words), {**command.environment(), "TERM": "xterm"}
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.chdir(command.home)
            if log is not None:
                os.dup2(os.open(log, os.O_CREAT | os.O_WRONLY, 0o600), 2)
            os.execve(line[0], line, environment)
        self._raw = b""
        self._end = time.monotonic() + HANG_SECONDS

    @property
    def text(self) -> str:
        """All that was shown so far, without colours and movements."""
        return _CONTROL.sub("", self._raw.decode("utf-8", "replace")).replace("\r", "")

    @property
    def moves(self) -> bool:
        """Whether lines were drawn over."""
        return b"\x1b[2K" in self._raw

    def wait_for(self, pattern: str) -> None:
        while not re.search(pattern, self.text):
            assert self._read(), f"it ended without {pattern!r}: {self.text}"

    def press(self, keys: bytes) -> None:
        os.write(self._fd, keys)

    def hang_up(self) -> int:
        """The terminal is gone; the exit code of what was left without."""
        os.close(self._fd)
        return waited(self._pid)

    @property
    def pid(self) -> int:
        return self._pid

    def exit_code(self) -> int:
        while self._read():
            continue
        _, status = os.waitpid(self._pid, 0)
        os.close(self._fd)
        return os.waitstatus_to_exitcode(status)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._fd], [], [], max(0.0, self._end - time.monotonic()))
        assert ready, f"nothing more within {HANG_SECONDS} seconds: {self.text}"
        try:
            chunk = os.read(self._fd, 65_536)
        except OSError:
            return False
        self._raw += chunk
        return bool(chunk)
