"""What the core says of options in the wire's words, said with the flags of a command line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from ocr_worker.cli.terminal_text import shown
from ocr_worker.model.option_kinds import Choice, Flag, SwitchWord
from ocr_worker.model.option_table import options

_PHRASES = {
    "`passwords` of a batch, `password` of an inspection": "--password-file",
    "in `passwords`": "with --password-file",
    "list_jobs lists": "`ocr-worker jobs` lists",
    "`retry_failed`": "`ocr-worker retry`",
    "retry_failed": "`ocr-worker retry`",
}


def told(text: object) -> str:
    """Fit for a terminal, and for who types flags: `on_existing: suffix` is `--on-existing suffix`."""
    words = str(text)
    for wire, here in _PHRASES.items():
        words = words.replace(wire, here)
    return shown(_fields().sub(_flag, words))


def _flag(found: re.Match[str]) -> str:
    name, value = found.group("set", "value")
    if name is None:
        return options()[found.group("name")].long_flag
    option = options()[name]
    return option.long_flag if isinstance(option.kind, Flag) else f"{option.long_flag} {value}"


@cache
def _fields() -> re.Pattern[str]:
    """A field with one of its words; or alone, where its name is no word of a language."""
    pairs = "|".join(f"{name}: (?:{values})" for name, values in _worded())
    alone = "|".join(name for name, option in options().items() if option.flags and "_" in name)
    return re.compile(
        rf"(?<![\w-])`?(?:(?=(?:{pairs})\b)(?P<set>\w+): (?P<value>\w+)|(?P<name>{alone}))`?(?![\w-])"
    )


def _worded() -> Iterator[tuple[str, str]]:
    for name, option in options().items():
        if option.flags and isinstance(option.kind, Choice | SwitchWord):
            yield name, "|".join(option.kind.values)
        elif option.flags and isinstance(option.kind, Flag):
            yield name, "true|false"
