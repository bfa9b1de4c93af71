"""Read from an `_ocr_results.json` which source it is of, and which outputs belong to it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from ocr_worker.files.paths import absolute_path
from ocr_worker.files.regular import open_regular

SCHEMA, SCHEMA_VERSION = "ocr-sidecar/results", 1
"""What it says of itself."""
MOST_HEAD_BYTES = 2**16
"""As much as we write before the warnings of a document, which may be many."""
_WARNINGS = b',"warnings":['
"""Between quotes these would be written otherwise."""


class Results(NamedTuple):
    """What is known of them."""

    source: str
    """Its real path."""
    kinds: frozenset[str]
    """The kinds of output that were made of it. A file of another kind beside them is somebody else's."""


def read_results(path: Path) -> Results | None:
    """None when it is no results file of ours."""
    try:
        with open_regular(path) as lines:
            # The head is a line of its own; the pages after it may be many megabytes.
            line = lines.readline(MOST_HEAD_BYTES)
        head = json.loads(line.partition(_WARNINGS)[0].rstrip(b",\n") + b"}")
        source, kinds = os.path.realpath(absolute_path(head["source"]["path"])), head["settings"]["outputs"]
        return Results(source, frozenset(kinds) | {"json"}) if head["schema"] == SCHEMA else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
