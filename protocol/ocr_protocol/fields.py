"""Kinds of fields that commands and options share, and how strict all of them are."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from ocr_protocol.paths import path_from_wire

CLOSED = ConfigDict(
    frozen=True,
    strict=True,
    extra="forbid",
    allow_inf_nan=False,
    hide_input_in_errors=True,
    # A worker that says hello within 400 ms cannot afford to build the models that the host does not use.
    defer_build=True,
)

_Item = TypeVar("_Item")


def _check_path(text: str) -> str:
    path_from_wire(text)
    return text


def _drop_repeats(items: tuple[_Item, ...]) -> tuple[_Item, ...]:
    return tuple(dict.fromkeys(items))


def _name_switch(value: object) -> object:
    return "on" if value is True else "off" if value is False else value


WirePath = Annotated[str, Field(min_length=1), AfterValidator(_check_path)]
"""A path as the host wrote it, kept so to be echoed; `path_from_wire` reads it."""

Switch = Annotated[
    Literal["auto", "on", "off"],
    BeforeValidator(_name_switch, json_schema_input_type=Literal["auto", "on", "off", True, False]),
]

# JSON has lists only, which a strict tuple would refuse. Of a million wrong items, one error is enough.
LIST = Field(strict=False, fail_fast=True, min_length=1)
ANY_LIST = Field(strict=False, fail_fast=True)
"""May be empty."""
ONCE_EACH = AfterValidator(_drop_repeats)
