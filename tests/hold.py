"""Pages at which a page process waits until the test lets it go: what the test does meanwhile hangs on no machine's speed.

All else of these processes is real: they are confined, they die with the worker, and their time limits run on.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

from tests.e2e.tree import wait_until

HOOK = Path(__file__).with_name("holding")


def held_name(path: Path, pages: Iterable[int]) -> Path:
    """The path under a name that says which pages are held, of the file or of those in the folder; uploads keep it."""
    marks = "".join(f"-{page}" for page in pages)
    return path.with_name(f"{path.stem}.held{marks}{path.suffix}") if marks else path


class Hold:
    """The held pages of the workers of one folder."""

    def __init__(self, folder: Path) -> None:
        self._let_go = folder / "let-go"

    def environment(self, own: Mapping[str, str]) -> dict[str, str]:
        """That of a worker whose pages are held, by their files' names, until they are let go."""
        paths = own.get("PYTHONPATH", os.environ.get("PYTHONPATH"))
        hook = os.pathsep.join([str(HOOK), *([paths] if paths else [])])
        return {**own, "PYTHONPATH": hook, "OCR_TESTS_LET_GO": str(self._let_go)}

    def wait(self, times: int = 1) -> psutil.Process:
        """Wait until page processes have come to a held page so many times; that which came last."""
        wait_until(lambda: len(self._arrived()) >= times, f"{times} times at a held page")
        return psutil.Process(self._arrived()[times - 1])

    def let_go(self) -> None:
        """Have the pages that are held read, and those of later workers in this folder."""
        self._let_go.touch()

    def _arrived(self) -> list[int]:
        """The ids of the page processes that came to a held page, one for each time."""
        try:
            return [int(line) for line in Path(f"{self._let_go}.arrived").read_bytes().splitlines()]
        except FileNotFoundError:
            return []
