"""Pages at which a page process waits until the test lets it go: what the test does meanwhile hangs on no machine's speed.

All else of these processes is real: they are confined, they die with the worker, and their time limits run on.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

HOOK = Path(__file__).with_name("holding")


def held_name(path: Path, pages: Iterable[int]) -> Path:
    """The path under a name that says which pages are held; uploads keep it as well."""
    marks = "".join(f"-{page}" for page in pages)
    return path.with_name(f"{path.stem}.held{marks}{path.suffix}") if marks else path


def holding(let_go: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a worker whose pages are held, by their files' names, until the file `let_go` is there."""
    paths = environment.get("PYTHONPATH", os.environ.get("PYTHONPATH"))
    hook = os.pathsep.join([str(HOOK), *([paths] if paths else [])])
    return {**environment, "PYTHONPATH": hook, "OCR_TESTS_LET_GO": str(let_go)}


def arrived(let_go: Path) -> list[int]:
    """The ids of the page processes that came to a held page, one for each time, first to last."""
    try:
        return [int(line) for line in Path(f"{let_go}.arrived").read_bytes().splitlines()]
    except FileNotFoundError:
        return []
