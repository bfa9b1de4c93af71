"""All options by their names, as `options` declares them, and the checks that every face makes against them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, get_args, get_type_hints

from ocr_worker.errors import InvalidParamsError
from ocr_worker.model import option_kinds, option_words
from ocr_worker.model import options as declared
from ocr_worker.model.option_kinds import Option, Part, PathWords, Whole
from ocr_worker.model.options import JobOptions, PageSettings

_PASSWORDS = Option(
    PathWords(), "for protected files", "kept in memory only", name="passwords", default={}, part="request"
)

PRIORITY = Option(
    Whole(-1_000_000, 1_000_000),
    "jobs of a higher number go first",
    name="priority",
    default=0,
    part="request",
)
"""Of a job among others. On the wire it is a field of the command, not one of the options."""


@lru_cache(maxsize=1)
def options() -> Mapping[str, Option]:
    """All options by their names, those of pages first."""
    found = [*_declared(PageSettings, "page"), _PASSWORDS, *_declared(JobOptions, "job")]
    return {option.name: option for option in found}


def check(name: str, value: object, spelled: Callable[[str], str]) -> Any:
    """One value as the core has it.

    Args:
        name: of the option, as `options()` has it.
        value: as a user of some face gave it.
        spelled: says how that face spells an option's name.

    Raises:
        InvalidParamsError: the message names the option as spelled, and says what it must be.
    """
    return accepted(options()[name], value, spelled(name))


def accepted(option: Option, value: object, name: str) -> Any:
    """A value as the core has it.

    Raises:
        InvalidParamsError: the option can't have it; the message has the name as given here.
    """
    try:
        return option.accept(value)
    except ValueError as error:
        raise InvalidParamsError(f"{name} must be {option.kind.must_be}", field=name) from error


def make_options(given: Mapping[str, object], spelled: Callable[[str], str] = str) -> JobOptions:
    """A job's options of what was given; paths stay as they were given.

    Passwords are checked, too, but the options don't hold them.

    Raises:
        InvalidParamsError: there is no such option, or it can't have such a value; the message names it as spelled.
    """
    known = options()
    if unknown := [name for name in given if name not in known]:
        name = spelled(unknown[0])
        raise InvalidParamsError(
            f"There is no option {name}. The options are {', '.join(known)}.", field=name
        )
    values = {name: check(name, value, spelled) for name, value in given.items()}
    page, job = (_of_part(values, part) for part in ("page", "job"))
    return JobOptions(page=PageSettings(**page), **job)


def _of_part(values: Mapping[str, Any], part: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if options()[name].part == part}


def _declared(model: type[PageSettings | JobOptions], part: Part) -> Iterable[Option]:
    # What it is declared with, it names to readers of types alone.
    names = {**vars(option_words), **vars(option_kinds), **vars(declared)}
    hints = get_type_hints(model, names, include_extras=True)
    for own in dataclasses.fields(model):
        for option in (extra for extra in get_args(hints[own.name])[1:] if isinstance(extra, Option)):
            yield option._replace(name=own.name, default=own.default, part=part)
