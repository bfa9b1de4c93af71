"""What the value of an option can be, and what is declared of an option. Standard library only."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Union, cast, get_args

from ocr_worker.model.option_words import TOLD, OutputKind, Switch

DAY_SECONDS = 86_400


class Choice(NamedTuple):
    """One of some words."""

    values: tuple[str, ...]

    @property
    def must_be(self) -> str:
        return f"{', '.join(self.values[:-1])} or {self.values[-1]}"

    def accept(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.values:
            raise ValueError
        return value


class EngineName(NamedTuple):
    """The name of an engine; whether there is one is asked where the batch is."""

    pattern: str = r"[A-Za-z0-9][A-Za-z0-9._-]*"
    longest: int = 64
    must_be: str = "auto or the name of an installed engine"

    def accept(self, value: object) -> str:
        if not isinstance(value, str) or len(value) > self.longest or not re.fullmatch(self.pattern, value):
            raise ValueError
        return value


class SwitchWord(NamedTuple):
    """A switch; True and False mean on and off."""

    values: tuple[str, ...] = get_args(Switch)
    must_be: str = "auto, on, off, true or false"

    def accept(self, value: object) -> str:
        word = "on" if value is True else "off" if value is False else value
        return Choice(self.values).accept(word)


class Flag(NamedTuple):
    must_be: str = "true or false"

    def accept(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError  # noqa: TRY004  # a refusal, whatever is wrong with the value
        return value


class Whole(NamedTuple):
    least: int
    most: int
    or_auto: bool = False
    """The word `auto` stands for None."""

    @property
    def must_be(self) -> str:
        return f"{'auto, or ' * self.or_auto}an integer from {self.least:,} to {self.most:,}"

    def accept(self, value: object) -> int | None:
        if self.or_auto and value == "auto":
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not self.least <= value <= self.most:
            raise ValueError
        return value


class Number(NamedTuple):
    least: float
    most: float
    unit: str = ""
    above_least: bool = False
    """The least itself is too little."""

    @property
    def must_be(self) -> str:
        least, most = f"{self.least:,.10g}", f"{self.most:,.10g}"
        bounds = f"above {least}, up to {most}" if self.above_least else f"from {least} to {most}"
        return f"a number{f' of {self.unit}' * bool(self.unit)} {bounds}"

    def accept(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError  # noqa: TRY004  # as above
        if not self.least <= value <= self.most or (self.above_least and value == self.least):
            raise ValueError
        return float(value)


class Several(NamedTuple):
    """A list without repeats, also given as one string with separators."""

    items: str
    """What they are, completing "a non-empty list of"."""
    pattern: str
    separators: str
    values: tuple[str, ...] = ()
    """All that there are, where they are known."""
    longest: int = 64
    alone: str = ""
    """A word that stands by itself or not at all."""
    spoken: str = ""
    """A pattern of what people call them besides. On the wire there are items alone."""

    @property
    def must_be(self) -> str:
        otherwise = f', or of "{self.alone}" alone' if self.alone else ""
        return f"a non-empty list of {self.items}{otherwise}"

    def accept(self, value: object) -> tuple[str, ...]:
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, Sequence) or not all(isinstance(item, str) for item in given):
            raise ValueError
        items = [part.strip(" ") for item in given for part in re.split(f"[{self.separators}]", item)]
        pattern = f"{self.pattern}|{self.spoken}" if self.spoken else self.pattern
        if not items or not all(len(i) <= self.longest and re.fullmatch(pattern, i) for i in items):
            raise ValueError
        if self.alone in items and len(set(items)) > 1:
            raise ValueError
        return tuple(dict.fromkeys(items))


class FolderPath(NamedTuple):
    must_be: str = "the path of a folder"

    def accept(self, value: object) -> str:
        return _path(value)


class FolderPaths(NamedTuple):
    must_be: str = "a list of paths of folders"

    def accept(self, value: object) -> tuple[str, ...]:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ValueError  # noqa: TRY004  # as above
        return tuple(map(_path, value))


class PathWords(NamedTuple):
    """Passwords by paths."""

    must_be: str = "an object of paths and their passwords as strings"

    def accept(self, value: object) -> dict[str, str]:
        if not isinstance(value, Mapping) or not all(isinstance(word, str) for word in value.values()):
            raise ValueError
        return {_path(path): word for path, word in value.items()}


Kind = Union[Choice, EngineName, SwitchWord, Flag, Whole, Number, Several, FolderPath, FolderPaths, PathWords]
Part = Literal["page", "job", "request"]
"""Pages are read by it; the job is run by it; or only its request holds it, and nothing keeps it."""


class Option(NamedTuple):
    kind: Kind
    help: str
    """What it is for: the begin of a sentence, in --help and in the docs."""
    note: str = ""
    """More of it, for the docs of the wire."""
    flags: tuple[str, ...] = ()
    """Of the command line, the long one last. A flag without value says the opposite of the default."""
    metavar: str = ""
    flag_help: str = ""
    """In place of `help` where a flag says something else."""
    config_key: str = ""
    name: str = ""
    default: Any = None
    part: Part = "job"

    @property
    def long_flag(self) -> str:
        return self.flags[-1] if self.flags else self.name

    @property
    def default_text(self) -> str:
        """The default as it is typed; empty where nothing is."""
        if self.default is None or isinstance(self.default, bool | dict):
            return ""
        if isinstance(self.kind, Several):
            return self.kind.separators[0].join(self.default)
        return self.default if isinstance(self.default, str) else f"{self.default:,.12g}"

    def accept(self, value: object) -> object:
        """The value as the core has it; ValueError for any other."""
        return None if value is None and self.default is None else self.kind.accept(value)


def _path(value: object) -> str:
    if not isinstance(value, str | os.PathLike):
        raise ValueError  # noqa: TRY004  # as above
    path = os.fsdecode(cast("str | os.PathLike[str]", value))
    if not path or "\0" in path:
        raise ValueError
    return path


SECONDS = Number(0, DAY_SECONDS, "seconds", above_least=True)
SWITCH = SwitchWord()
LANGUAGES = Several(
    'codes ("eng", "script/Latin")', r"(script/)?[A-Za-z][A-Za-z0-9_-]*", "+,", alone=TOLD,
    # Letters and marks of any script, and spaces: français, Simplified Chinese.
    spoken=r"[^\W\d_]([\w -]|[^\x00-\x7f\ud800-\udfff])*",
)  # fmt: skip
OUTPUTS = Several(", ".join(get_args(OutputKind)), "|".join(get_args(OutputKind)), ",", get_args(OutputKind))
