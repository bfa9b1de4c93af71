"""Send the result of a batch to a webhook or a command, as JSON. Never through a shell."""

from __future__ import annotations

import errno
import os
import queue
import shlex
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from ocr_worker.cli.exit_codes import UsageError
from ocr_worker.files.commands import find_command, window_flags

STDERR = 2


@dataclass(frozen=True, slots=True)
class Patience:
    """Time limits of hooks, in seconds."""

    webhook: float = 10
    command: float = 60


PATIENCE = Patience()


def require_target(target: str) -> None:
    """Refuse an invalid hook before the batch starts."""
    if not _is_address(target) and not _words(target):
        raise UsageError("--on-finish is empty. Give it an address (https://…) or a command.")


def tell(target: str, content: bytes, patience: Patience = PATIENCE) -> str | None:
    """Post the result or run the command; return a sentence if that fails."""
    if _is_address(target):
        return _post(target, content, patience.webhook)
    return _run(_words(target), content, patience.command)


def _is_address(target: str) -> bool:
    return target.startswith(("http://", "https://"))


def _words(target: str) -> list[str]:
    try:
        return windows_words(target) if os.name == "nt" else shlex.split(target)
    except ValueError as error:
        raise UsageError(f"--on-finish {target!r} is not a command: {error}.") from error


def windows_words(target: str) -> list[str]:
    """The words of a command line as people write it on Windows: a backslash is one, and only " quotes."""
    words = shlex.shlex(target, posix=True)
    words.whitespace_split, words.quotes, words.escape, words.commenters = True, '"', "", ""
    return list(words)


def _post(address: str, content: bytes, seconds: float) -> str | None:
    """Run in a thread: a library's timeout limits each wait, not the whole. A hanging one ends with the process."""
    answers: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=lambda: answers.put(_ask(address, content, 2 * seconds)), daemon=True).start()
    try:
        return answers.get(timeout=seconds)
    except queue.Empty:
        return f"--on-finish: {address} did not answer within {seconds:g} seconds"


def _ask(address: str, content: bytes, seconds: float) -> str | None:
    # They take a while, and most call nobody.
    import http.client
    import urllib.request

    headers = {"Content-Type": "application/json", "User-Agent": "ocr-sidecar"}
    request = urllib.request.Request(address, content, headers)  # noqa: S310  # its scheme has been looked at
    try:
        with urllib.request.urlopen(request, timeout=seconds):  # noqa: S310
            return None
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"--on-finish: {address} was not reached: {getattr(error, 'reason', error)}"


def _run(words: list[str], content: bytes, seconds: float) -> str | None:
    try:
        # Our stdout is for answers alone.
        done = subprocess.run(
            [_program(words[0]), *words[1:]], input=content, stdout=STDERR, timeout=seconds, check=False,
            creationflags=window_flags(),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"--on-finish: {words[0]} did not end within {seconds:g} seconds and was ended"
    except (OSError, ValueError) as error:
        return f"--on-finish: {words[0]} could not be started: {error}"
    return f"--on-finish: {words[0]} ended with exit code {done.returncode}" if done.returncode else None


def _program(name: str) -> str:
    """Use the full path on Windows, which would search the working directory first."""
    if sys.platform != "win32" or Path(name).name != name:
        return name
    if (found := find_command(name)) is None:
        raise FileNotFoundError(errno.ENOENT, "it is in no folder of PATH", name)
    return str(found)
