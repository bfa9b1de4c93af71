"""How a kind of scans is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from samples import wear
from samples.sheets import Sheet


@dataclass(frozen=True, slots=True)
class Recipe:
    layout: Callable[[Random], Sheet]
    wear: wear.Wear = wear.untouched
    suffixes: tuple[str, ...] = (".png",)
    """Taken in turn."""
    dpi: int = 300
    pages: int = 1
    language: str = "eng"
