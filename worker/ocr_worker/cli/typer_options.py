"""Let a command receive its options as one dataclass, where typer wants a parameter for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_type_hints

import typer

from ocr_worker.cli.exit_codes import EndedAtOnceError
from ocr_worker.model.option_kinds import (
    Choice,
    EngineName,
    Flag,
    FolderPath,
    Kind,
    Number,
    Option,
    Several,
    SwitchWord,
    Whole,
)
from ocr_worker.model.option_table import options

Command = TypeVar("Command")


class BatchOptions:
    """Marks the field that collects the given options of a batch by name."""


def options_from(command_options: type[Command]) -> Callable[[Callable[[Command], int]], Callable[..., None]]:
    """Turn a function of one dataclass into a typer command; its result is the exit code."""

    def wrap(command: Callable[[Command], int]) -> Callable[..., None]:
        def spread(**given: Any) -> None:
            try:
                code = command(command_options(**_gathered(given, gathering)))
            except KeyboardInterrupt as interrupt:
                raise EndedAtOnceError("Ended at once.") from interrupt
            raise typer.Exit(code)

        hints = get_type_hints(command_options, include_extras=True)
        gathering = next((name for name, hint in hints.items() if _is_gathering(hint)), None)
        parameters = list[Parameter]()
        for field in dataclasses.fields(command_options):  # type: ignore[arg-type]
            parameters += _declared() if field.name == gathering else [_parameter(field, hints[field.name])]
        spread.__name__, spread.__doc__ = command.__name__, command.__doc__
        spread.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        spread.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        return spread

    return wrap


def as_flag(name: str) -> str:
    """The name of an option on the command line."""
    return options()[name].long_flag


def _is_gathering(hint: Any) -> bool:
    return any(isinstance(extra, BatchOptions) for extra in get_args(hint)[1:])


def _gathered(given: dict[str, Any], gathering: str | None) -> dict[str, Any]:
    if gathering is None:
        return given
    of_batch = {name: given.pop(name) for name in options() if name in given}
    said = {name: _meant(name, value) for name, value in of_batch.items() if value is not None}
    return {**given, gathering: said}


def _meant(name: str, value: object) -> object:
    """A given flag means the opposite of the default."""
    option = options()[name]
    return not option.default if isinstance(option.kind, Flag) else value


def _parameter(field: dataclasses.Field[Any], hint: Any) -> Parameter:
    default = Parameter.empty if field.default is dataclasses.MISSING else field.default
    return Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def _declared() -> Iterator[Parameter]:
    """A parameter for each option of a batch that has a flag; None if not given."""
    for option in options().values():
        if option.flags:
            default = typer.Option(None, *option.flags, metavar=option.metavar or None, help=_help(option))
            hint = _python_type(option.kind) | None
            yield Parameter(option.name, Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def _help(option: Option) -> str:
    text = option.flag_help or option.help
    default = option.default_text
    return f"{text[0].upper()}{text[1:]}{f'; default {default}' * bool(default)}."


def _python_type(kind: Kind) -> Any:
    if isinstance(kind, Choice | SwitchWord):
        return Literal[kind.values]
    return _PYTHON_TYPES[type(kind)]


_PYTHON_TYPES: dict[type[Kind], Any] = {
    EngineName: str, Flag: bool, Whole: int, Number: float, Several: list[str], FolderPath: Path,
}  # fmt: skip
"""A password is never an argument."""
