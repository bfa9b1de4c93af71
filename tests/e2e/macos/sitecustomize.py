"""Has our own modules take the system for macOS; what they import knows better.

Theirs is what they do there without Linux: no signal at a parent's death, no sandbox, limits that are watched.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from typing import Any

OURS = ("ocr_worker", "ocr_protocol")
THERE = {
    b"sys.platform": b"'darwin'",
    b"/proc/": b"/absent/",
    # Which Linux takes and does not keep, as macOS that of address space.
    b"resource.RLIMIT_AS": b"resource.RLIMIT_RSS",
}


class Hook:
    """Before all other ways to find a module, of which one may do more with it (`tests/hold.py`)."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if not name.startswith(OURS):
            return None
        others = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not self)
        found = next((spec for spec in others if spec is not None), None)
        if found is not None and isinstance(found.loader, SourceFileLoader):
            found.loader.get_code = partial(code, found.loader)  # type: ignore[method-assign]
        return found


def code(loader: SourceFileLoader, name: str) -> Any:
    """From the source, as what is compiled and kept is for this system."""
    source = loader.get_data(loader.get_filename(name))
    for here, there in THERE.items():
        source = source.replace(here, there)
    return loader.source_to_code(source, loader.path)


sys.meta_path.insert(0, Hook())
