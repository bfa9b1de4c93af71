"""Which rows of a table `make test` runs: a few of each kind. `make test-long` runs the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def first(number: int, rows: Iterable[Any]) -> list[Any]:
    """The rows for `parametrize`: all after the first `number` of them are `long`."""
    rows = list(rows)
    assert len(rows) > number, "none is long"
    return [*rows[:number], *map(_long, rows[number:])]


def _long(row: object) -> object:
    return pytest.param(*(row if isinstance(row, tuple) else (row,)), marks=pytest.mark.long)
