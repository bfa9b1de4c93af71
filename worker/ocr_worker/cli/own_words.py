"""What the core says of options, as `on_existing: suffix` in backticks, said with the flags of a command line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from ocr_worker.cli.terminal_text import shown
from ocr_worker.model.option_kinds import Choice, Flag, SwitchWord
from ocr_worker.model.option_table import options


def told(text: object) -> str:
    """Fit for a terminal, and for who types flags: `on_existing: suffix` is --on-existing suffix.

    Args:
        text: a message in which options stand between backticks, alone or with a value. Other backticks stay.
    """
    said, *parts = str(text).split("`")
    while parts:
        part = parts.pop(0)
        flag = _flags().get(part) if parts else None
        said += f"{flag}{parts.pop(0)}" if flag else f"`{part}"
    return shown(said)


@cache
def _flags() -> dict[str, str]:
    return {"passwords": "--password-file", **dict(_spelled())}


def _spelled() -> Iterator[tuple[str, str]]:
    for name, option in options().items():
        if not option.flags:
            continue
        yield name, option.long_flag
        if isinstance(option.kind, Flag):
            yield f"{name}: true", option.long_flag
        elif isinstance(option.kind, Choice | SwitchWord):
            yield from ((f"{name}: {value}", f"{option.long_flag} {value}") for value in option.kind.values)
