"""No pickle is read on the way to the scheduler, wherever Dask would read one: a pickle that names anything runs code.

Dask reads pickles whatever `deserializers` says: of what msgpack can't hold, of warnings, of errors. Python itself tells of
each name that a pickle asks for, before it is looked up; that is where it ends.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from functools import cache
from typing import Any

_refuses: ContextVar[bool] = ContextVar("refuses", default=False)


def refuse_pickles() -> None:
    """From now on, in this context and in all that begins in it."""
    _watch()
    _refuses.set(True)


@cache
def _watch() -> None:
    sys.addaudithook(_refuse)


def _refuse(event: str, told: tuple[Any, ...]) -> None:
    if event == "pickle.find_class" and _refuses.get():
        raise PermissionError(f"a pickle from the cluster names {told[0]}.{told[1]}, and is not read")
