"""Dask without NumPy, which it takes where it is, for no more than not to clear the memory that it receives into.

And as loud as its program: by itself it tells of each connection that ends, with a traceback.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder


class _Nowhere(MetaPathFinder):
    """Finds nothing, and has the import of NumPy end there; other threads are none of its business."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(self, name: str, *_: object) -> None:
        if name == "numpy" and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(name=name)


@contextmanager
def lean_dask() -> Iterator[None]:
    """Import it within this. To do without NumPy, if nobody has imported it yet, saves 12 MB and 0.1 s."""
    nowhere = _Nowhere()
    sys.meta_path.insert(0, nowhere)
    try:
        yield
    finally:
        sys.meta_path.remove(nowhere)
        logging.getLogger("distributed").setLevel(logging.NOTSET)
