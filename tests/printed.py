"""Sessions as README and docs print them, beside what the worker really says.

`→` or `>` marks what the host writes, `←` or `<` what the worker answers; `...` stands for what is left out.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.limits import HANG_SECONDS

LEFT_OUT = "..."
_JOB_ID = re.compile(r"\d{8}_\d{6}_[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Printed:
    commands: tuple[str, ...]
    events: tuple[dict[str, Any], ...]
    """Where something is left out, an object has the key `...`, an array that item, and any value may be that string."""


def read_session(text: str) -> Printed:
    """Read all that a page prints of a conversation, in its order."""
    lines = re.findall(r'^([→>←<]) (\{"[^\n]*\})$', text, re.MULTILINE)
    commands = tuple(line for mark, line in lines if mark in "→>")
    events = tuple(json.loads(_spell_out(line)) for mark, line in lines if mark in "←<")
    assert commands
    assert events
    return Printed(commands, events)


def hold(command: list[str], said: str, folder: Path, environment: dict[str, str]) -> list[dict[str, Any]]:
    """Hold the conversation for real, in a folder."""
    done = subprocess.run(
        command,
        input=said,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def fits(printed: Any, real: Any, place: str = "") -> bool:
    """Whether a real value looks as printed: all fields and words; of numbers, in sentences too, only that they are."""
    match printed, real:
        case "...", _:
            return True
        case dict(), dict():
            named = {name for name in printed if name != LEFT_OUT}
            whole = LEFT_OUT in printed or named == set(real)
            return whole and named <= set(real) and all(fits(printed[n], real[n], n) for n in named)
        case list(), list():
            items = [item for item in printed if item != LEFT_OUT]
            whole = LEFT_OUT in printed or len(items) == len(real)
            return whole and all(any(fits(item, other, place) for other in real) for item in items)
        case str(), str():
            return _words(printed, place) == _words(real, place)
        case _:
            return isinstance(real, int | float) and isinstance(printed, bool) == isinstance(real, bool)


def _spell_out(line: str) -> str:
    return line.replace(",...}", ',"...":0}').replace(",...]", ',"..."]').replace("[...]", '["..."]')


def _words(text: str, place: str) -> str:
    text = _JOB_ID.sub("JOB", text)
    return re.sub(r"\d+", "0", text) if place == "message" else text
