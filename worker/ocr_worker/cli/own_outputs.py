"""Which files of a folder are outputs of ours, by the proof of the `_ocr_results.json` beside them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ocr_protocol.paths import path_from_wire
from ocr_worker.outputs.json_results import SCHEMA
from ocr_worker.plan import MOST_HEAD_BYTES, SUFFIXES

TAIL_BYTES = 8192
"""The outputs are listed at the end of the JSON, after pages that may be many megabytes."""
_MANIFEST = re.compile(r"batch_\d{8}_\d{6}_[0-9a-f]{8}_manifest\.json")


def own_outputs(folder: Path, names: Iterable[str]) -> set[str]:
    """Manifests, results, and what results list; never a file that results name as their source."""
    found = set[str]()
    for name in names:
        if _MANIFEST.fullmatch(name):
            found.add(name)
        elif name.endswith(SUFFIXES["json"]):
            found.update(_listed(folder / name))
    return found


def _listed(results: Path) -> Iterator[str]:
    """The results and the outputs they list; nothing where they are none of ours."""
    try:
        with results.open("rb") as content:
            head = json.loads(content.readline(MOST_HEAD_BYTES).rstrip(b",\n") + b"}")
            content.seek(max(0, content.seek(0, os.SEEK_END) - TAIL_BYTES))
            tail = content.read()
        if head["schema"] != SCHEMA:
            return
        source = os.path.realpath(path_from_wire(head["source"]["path"]))
        # Inside of a text its quotes would be escaped, so this is the key.
        outputs = json.loads(b"{" + tail[tail.rindex(b'"outputs":') :])["outputs"]
        names = [results.name, *(output["name"] for output in outputs.values())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return
    yield from (name for name in names if os.path.realpath(results.with_name(name)) != source)
