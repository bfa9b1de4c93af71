"""The options of a batch as Python's callers give them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict, Union

AnyPath = Union[str, "os.PathLike[str]"]
"""A path as Python's callers have it."""
Switch = Literal["auto", "on", "off"]


class Options(TypedDict, total=False):
    """All may be left out; docs/library.md says what each does and what it is then."""

    languages: str | Sequence[str]
    """Codes such as "eng" or "deu+eng", or a list of them."""
    engine: str
    outputs: Sequence[str]
    """Of pdf, txt, json, hocr, alto."""
    dpi: int | Literal["auto"]
    existing_text: Literal["skip", "redo", "force"]
    on_existing: Literal["skip", "overwrite", "suffix"]
    rotate_pages: Switch
    deskew: Switch
    denoise: Switch
    signed: Literal["refuse", "unsigned_copy"]
    keep_protection: bool
    passwords: Mapping[AnyPath, str]
    """By path of the input."""
    tessdata_dir: AnyPath | None
    max_pixels: int
    max_workers: int | None
    page_timeout_seconds: float
    file_timeout_seconds: float
    retries: int
    stop_on_error_threshold: float
    max_lock_wait_seconds: float
    chunk_size: int
    pages_per_minute: float | None
    dry_run: bool
    priority: int
