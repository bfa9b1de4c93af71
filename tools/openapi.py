"""Write docs/openapi.json, the document of the service's interface; with --check, say whether it is stale."""

import json
import sys
from pathlib import Path

from ocr_worker.server.app import make_api

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "openapi.json"


def main() -> int:
    """Return 1 if it is stale."""
    text = json.dumps(make_api().openapi(), indent=1, sort_keys=True) + "\n"
    if "--check" in sys.argv[1:]:
        if not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != text:
            sys.stderr.write("docs/openapi.json is stale: run .venv/bin/python tools/openapi.py\n")
            return 1
        return 0
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0


sys.exit(main())
