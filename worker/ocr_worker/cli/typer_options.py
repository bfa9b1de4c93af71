"""Lets a command take its options as one dataclass, where typer wants a parameter for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any, TypeVar, get_type_hints

import typer

from ocr_worker.cli.exit_codes import EndedAtOnceError

Options = TypeVar("Options")


def takes(options: type[Options]) -> Callable[[Callable[[Options], int]], Callable[..., None]]:
    """Make what typer can read of a function of one dataclass, whose number becomes the exit code."""

    def wrap(command: Callable[[Options], int]) -> Callable[..., None]:
        def spread(**given: Any) -> None:
            try:
                code = command(options(**given))
            except KeyboardInterrupt as interrupt:
                raise EndedAtOnceError("Ended at once.") from interrupt
            raise typer.Exit(code)

        hints = get_type_hints(options, include_extras=True)
        spread.__name__, spread.__doc__, spread.__annotations__ = command.__name__, command.__doc__, hints
        parameters = [_parameter(field, hints[field.name]) for field in dataclasses.fields(options)]  # type: ignore[arg-type]
        spread.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        return spread

    return wrap


def _parameter(field: dataclasses.Field[Any], hint: Any) -> Parameter:
    default = Parameter.empty if field.default is dataclasses.MISSING else field.default
    return Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=hint)
