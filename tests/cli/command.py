"""The command in a process of its own, with state and configuration of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn

import ocr_worker.cli.app  # noqa: F401  # so that forks have it already
from ocr_worker.__main__ import main
from tests.hold import Hold
from tests.keys import listening, press_ctrl_c
from tests.limits import HANG_SECONDS


@dataclass(frozen=True, slots=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Command:
    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str | Path) -> Done:
        """Run the entry point in a fork of ours: another interpreter for each call would cost most of the time."""
        if sys.platform == "win32":
            return self._run(words)
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            pid = os.fork()
            if pid == 0:
                self._become([str(word) for word in words], stdout.fileno(), stderr.fileno())
            code = waited(pid)
            return Done(code, *(_read(stream) for stream in (stdout, stderr)))

    def _run(self, words: tuple[str | Path, ...]) -> Done:
        done = subprocess.run(
            self.words(*words), env={**self.environment(), "PYTHONIOENCODING": "utf-8"}, cwd=self.home,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=HANG_SECONDS,
        )  # fmt: skip
        # Text has the line ends of the system.
        return Done(done.returncode, *(_text(said) for said in (done.stdout, done.stderr)))

    def _become(self, words: list[str], stdout: int, stderr: int) -> NoReturn:
        code = 99
        try:
            for number, file in ((0, os.open(os.devnull, os.O_RDONLY)), (1, stdout), (2, stderr)):
                os.dup2(file, number)
            sys.stdin, sys.stdout, sys.stderr = (
                open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  # they last as long as the fork
                for number, mode in enumerate("rww")
            )
            os.chdir(self.home)
            os.environ.clear()
            os.environ.update(self.environment())
            sys.argv = ["ocr-worker", *words]
            code = main()
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(code)

    def answer(self, *words: str | Path) -> Any:
        """What a command says with --json, after it ended well."""
        done = self(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    @property
    def hold(self) -> Hold:
        return Hold(self.home)

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Start it, to be ended by `interrupt`; one at a time."""
        program = listening(self._key) if sys.platform == "win32" else self.words()
        return subprocess.Popen(
            [*program, *map(str, words)], env=self.environment(), cwd=self.home, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip

    def interrupt(self, process: subprocess.Popen[str]) -> None:
        """Press Ctrl-C."""
        press_ctrl_c(process, self._key)

    @property
    def _key(self) -> Path:
        return self.home / "key"

    def words(self, *words: str | Path) -> list[str]:
        return [sys.executable, "-m", "ocr_worker", *(str(word) for word in words)]

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OCR_WORKER_")}
        ours = {
            "OCR_WORKER_STATE_DIR": str(self.home / "state"),
            "OCR_WORKER_DATA_DIR": str(self.home / "data"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
        }
        return {**kept, "COLUMNS": "100", **self.hold.environment({**ours, **self.variables})}


def _text(said: bytes) -> str:
    return said.decode("utf-8").replace("\r\n", "\n")


def waited(pid: int) -> int:
    """The exit code of a child, which is killed if it takes too long."""
    alarm = threading.Timer(HANG_SECONDS, os.kill, (pid, signal.SIGKILL))
    alarm.start()
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        alarm.cancel()


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode("utf-8")
