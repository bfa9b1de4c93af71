"""What a batch of a cluster wrote, to be held against what the local pool writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Outputs:
    """By the files' names."""

    out: Path

    def texts(self) -> dict[str, str]:
        return {place.name: place.read_text("utf-8") for place in sorted(self.out.glob("*.txt"))}

    def boxes(self) -> dict[str, Any]:
        return {
            place.name: [page["lines"] for page in json.loads(place.read_text("utf-8"))["pages"]]
            for place in sorted(self.out.glob("*_ocr_results.json"))
        }
