"""What an `ocr_batch` may ask for: every option with its type, bounds and default."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

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

Language = Annotated[str, Field(pattern=r"^(script/)?[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
OutputKind = Literal["pdf", "txt", "json", "hocr", "alto"]
Switch = Annotated[
    Literal["auto", "on", "off"],
    BeforeValidator(_name_switch, json_schema_input_type=Literal["auto", "on", "off", True, False]),
]
Seconds = Annotated[float, Field(gt=0, le=86_400)]

# JSON has lists only, which a strict tuple would refuse. Of a million wrong items, one error is enough.
LIST = Field(strict=False, fail_fast=True, min_length=1)
_SWITCH = "auto, on, off, true or false"
_SECONDS = "a number of seconds above 0, up to 86,400"


class BatchOptions(BaseModel):
    """The options of a batch. A description completes "must be ..." in errors, schema and docs."""

    model_config = CLOSED

    languages: Annotated[tuple[Language, ...], LIST, AfterValidator(_drop_repeats)] = Field(
        ("eng",), description='a non-empty list of language codes such as "eng" or "script/Latin"'
    )
    engine: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)] = Field(
        "auto", description="auto or the name of an installed engine"
    )
    dpi: Literal["auto"] | Annotated[int, Field(ge=50, le=2400)] = Field(
        "auto", description="auto, or an integer from 50 to 2,400"
    )
    outputs: Annotated[tuple[OutputKind, ...], LIST, AfterValidator(_drop_repeats)] = Field(
        ("pdf", "txt", "json"), description="a non-empty list of pdf, txt, json, hocr, alto"
    )
    on_existing: Literal["skip", "overwrite", "suffix"] = Field(
        "skip", description="skip, overwrite or suffix"
    )
    existing_text: Literal["skip", "redo", "force"] = Field("skip", description="skip, redo or force")
    rotate_pages: Switch = Field("auto", description=_SWITCH)
    deskew: Switch = Field("auto", description=_SWITCH)
    denoise: Switch = Field("auto", description=_SWITCH)
    passwords: dict[WirePath, str] = Field(
        default_factory=dict, repr=False, description="an object of paths and their passwords as strings"
    )
    max_workers: Annotated[int, Field(ge=1, le=256)] | None = Field(
        None, description="an integer from 1 to 256"
    )
    page_timeout_seconds: Seconds = Field(120.0, description=_SECONDS)
    file_timeout_seconds: Seconds = Field(300.0, description=_SECONDS)
    retries: int = Field(2, ge=0, le=100, description="an integer from 0 to 100")
    stop_on_error_threshold: float = Field(0.5, gt=0, le=1, description="a number above 0, up to 1")
    max_lock_wait_seconds: float = Field(
        30.0, ge=0, le=86_400, description="a number of seconds from 0 to 86,400"
    )
    chunk_size: int = Field(50, ge=1, le=10_000, description="an integer from 1 to 10,000")
    pages_per_minute: Annotated[float, Field(gt=0, le=1e6)] | None = Field(
        None, description="a number above 0, up to 1,000,000"
    )
    dry_run: bool = Field(default=False, description="true or false")
    max_pixels: int = Field(250_000_000, ge=1, le=10**11, description="an integer from 1 to 100,000,000,000")
    signed: Literal["refuse", "unsigned_copy"] = Field("refuse", description="refuse or unsigned_copy")
    keep_protection: bool = Field(default=True, description="true or false")
    tessdata_dir: WirePath | None = Field(None, description="the path of a folder")
