"""Write docs/openapi.json, the document of the service's interface: `python -m tools.openapi [--check]`."""

from __future__ import annotations

import json
import sys

from ocr_worker.server.app import make_api
from tools.generated import ROOT, keep

sys.exit(
    keep(
        {
            ROOT / "docs" / "openapi.json": json.dumps(make_api().openapi(), indent=1, sort_keys=True) + "\n",
        },
        "openapi",
    )
)
