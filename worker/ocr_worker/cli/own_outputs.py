"""Which files of a folder are outputs of ours, by the proof of the `_ocr_results.json` beside them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ocr_worker.jobs.output_names import SUFFIXES
from ocr_worker.outputs.results_file import read_results

_MANIFEST = re.compile(r"batch_\d{8}_\d{6}_[0-9a-f]{8}_manifest\.json")


def own_outputs(folder: Path, names: Iterable[str]) -> set[str]:
    """Manifests, results, and what was made with them; never a file that results name as their source."""
    found = set[str]()
    for name in names:
        if _MANIFEST.fullmatch(name):
            found.add(name)
        elif name.endswith(SUFFIXES["json"]):
            found.update(_made_with(folder / name))
    return found


def _made_with(results: Path) -> Iterator[str]:
    """The results and the outputs that were made with them; nothing where they are none of ours."""
    read = read_results(results)
    stem = results.name.removesuffix(SUFFIXES["json"])
    names = [stem + suffix for kind, suffix in SUFFIXES.items() if read and kind in read.kinds]
    yield from (name for name in names if read and os.path.realpath(results.with_name(name)) != read.source)
